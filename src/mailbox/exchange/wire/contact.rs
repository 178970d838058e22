//! What a contact alone has.
//!
//! Source: "Contact", "EmailAddresses", "PhoneNumbers" and "PhysicalAddresses" in the EWS reference.

use super::xml::{Document, Ns, XmlError};

/// A postal address.
#[derive(Default)]
pub struct RawAddress {
    /// Street, possibly in lines.
    pub street: String,
    /// Town.
    pub city: String,
    /// State.
    pub state: String,
    /// Country.
    pub country: String,
    /// Postal code.
    pub postal_code: String,
}

/// The properties of a contact.
#[derive(Default)]
pub struct RawContact {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub surname: String,
    /// Employer.
    pub company: String,
    /// Position.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// The first mail address.
    pub email: String,
    /// Business telephone.
    pub business_phone: String,
    /// Home telephone.
    pub home_phone: String,
    /// Mobile telephone.
    pub mobile_phone: String,
    /// Business fax.
    pub business_fax: String,
    /// Business address.
    pub address: RawAddress,
}

impl RawContact {
    /// Reads the element if it is one of these; false leaves it unread.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(&mut self, name: &str, doc: &mut Document<'_>) -> Result<bool, XmlError> {
        match name {
            "GivenName" => self.given_name = doc.text()?,
            "Surname" => self.surname = doc.text()?,
            "CompanyName" => self.company = doc.text()?,
            "JobTitle" => self.job_title = doc.text()?,
            "Department" => self.department = doc.text()?,
            "EmailAddresses" => self.emails(doc)?,
            "PhoneNumbers" => self.phones(doc)?,
            "PhysicalAddresses" => self.addresses(doc)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn emails(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        while let Some(entry) = doc.child()? {
            match entry.attribute("Key").as_deref() {
                Some("EmailAddress1") => self.email = doc.text()?,
                _ => doc.skip()?,
            }
        }
        Ok(())
    }

    fn phones(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        while let Some(entry) = doc.child()? {
            match entry.attribute("Key").as_deref() {
                Some("BusinessPhone") => self.business_phone = doc.text()?,
                Some("HomePhone") => self.home_phone = doc.text()?,
                Some("MobilePhone") => self.mobile_phone = doc.text()?,
                Some("BusinessFax") => self.business_fax = doc.text()?,
                _ => doc.skip()?,
            }
        }
        Ok(())
    }

    fn addresses(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        while let Some(entry) = doc.child()? {
            if entry.attribute("Key").as_deref() != Some("Business") {
                doc.skip()?;
                continue;
            }
            while let Some(element) = doc.child()? {
                match element.key() {
                    (Ns::Types, "Street") => self.address.street = doc.text()?,
                    (Ns::Types, "City") => self.address.city = doc.text()?,
                    (Ns::Types, "State") => self.address.state = doc.text()?,
                    (Ns::Types, "CountryOrRegion") => self.address.country = doc.text()?,
                    (Ns::Types, "PostalCode") => self.address.postal_code = doc.text()?,
                    _ => doc.skip()?,
                }
            }
        }
        Ok(())
    }
}
