//! An exception as both interfaces write it. Message, arguments and traceback are dropped where they are read.

use serde::Deserialize;

/// What went wrong, by the exception's own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::crm::odoo) struct Fault {
    /// The class without its module, such as `AccessError`.
    pub(in crate::crm::odoo) name: String,
}

#[derive(Deserialize)]
struct Body {
    name: String,
}

impl Fault {
    /// Of the body of an answer of `/json/2`.
    pub(in crate::crm::odoo) fn of_body(body: &[u8]) -> Option<Self> {
        let body: Body = serde_json::from_slice(body).ok()?;
        Some(Self::named(&body.name))
    }

    /// Of a class's full name. It goes into logs and on the page, so it must look like a name.
    pub(super) fn named(full: &str) -> Self {
        let name = full.rsplit('.').next().unwrap_or_default();
        let is_name = !name.is_empty()
            && name.len() <= 60
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        Self {
            name: if is_name { name } else { "unknown" }.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_not_shown() {
        assert_eq!(Fault::named("odoo.exceptions.UserError").name, "UserError");
        assert_eq!(Fault::named("Ada Lovelace is not allowed").name, "unknown");
        assert_eq!(Fault::named("").name, "unknown");
    }
}
