//! A person's card.

use crate::foundation::content::Content;

/// A postal address.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PostalAddress {
    /// Street and number, possibly in lines.
    pub street: Content<String>,
    /// Town.
    pub city: Content<String>,
    /// State or region.
    pub state: Content<String>,
    /// Postal code.
    pub postal_code: Content<String>,
    /// Country as text.
    pub country: Content<String>,
}

/// A person's card. An absent value is an empty text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// Given name.
    pub given_name: Content<String>,
    /// Family name.
    pub family_name: Content<String>,
    /// Employer.
    pub company: Content<String>,
    /// Position.
    pub job_title: Content<String>,
    /// Department.
    pub department: Content<String>,
    /// The first address; further ones stay where they are and are not synchronised.
    pub email: Content<String>,
    /// Business telephone.
    pub business_phone: Content<String>,
    /// Home telephone.
    pub home_phone: Content<String>,
    /// Mobile telephone.
    pub mobile_phone: Content<String>,
    /// Business fax.
    pub business_fax: Content<String>,
    /// Business address.
    pub address: PostalAddress,
    /// Notes as plain text.
    pub notes: Content<String>,
    /// True for a card that its owner marked private.
    pub is_private: bool,
}
