//! Where mail is filed: the records of the CRM, of whatever object, that a mail can belong to.

use serde::{Deserialize, Serialize};

/// A record under which a mail is filed, as the connector spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlaceId(pub String);

/// Where a mail that is in the CRM already is filed; `None` for one that is filed under nothing but its people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filed {
    /// The record.
    pub under: Option<PlaceId>,
}

/// By what a place is found for the people of a mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlaceBy {
    /// Open opportunities in which a contact has a role.
    Opportunity,
    /// Open cases of a contact.
    Case,
    /// Records of any object that have a person's mail address in a field.
    Address(AddressField),
}

/// A field of an object that holds mail addresses, by the names that the CRM's interface knows both by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressField {
    /// The object, such as `Project__c`.
    pub object: ApiName,
    /// The field, such as `Customer_Email__c`.
    pub field: ApiName,
}

/// A name of an object or a field: letters, digits, underscores, and dots between them (Odoo's `project.project`), a
/// letter first, 80 at most. It stands in queries without quotes, so nothing else is ever taken for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiName(String);

impl ApiName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not the name of an object or a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of an object or a field has letters, digits and underscores, dots between them, begins with a letter, and is no longer than 80"
)]
pub struct ApiNameError;

impl TryFrom<String> for ApiName {
    type Error = ApiNameError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut parts = name.split('.');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && parts.all(|part| !part.is_empty() && part.chars().all(plain));
        match is_name && name.len() <= 80 {
            true => Ok(Self(name)),
            false => Err(ApiNameError),
        }
    }
}

impl From<ApiName> for String {
    fn from(name: ApiName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_name_breaks_out_of_a_query(name: String) {
            if let Ok(name) = ApiName::try_from(name) {
                let breaks = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.');
                prop_assert!(!name.as_str().contains(breaks) && !name.as_str().is_empty());
            }
        }
    }

    #[test]
    fn names_of_custom_objects_and_fields_are_names() {
        for name in ["Case", "Project__c", "ns__Customer_Email__c", "project.project"] {
            assert!(ApiName::try_from(name.to_owned()).is_ok(), "{name}");
        }
        for name in ["", "_x", "1x", "a b", "a'", "a)", "a.", ".a", "a..b", "a. b"] {
            assert!(ApiName::try_from(name.to_owned()).is_err(), "{name}");
        }
    }
}
