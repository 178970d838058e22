//! Odoo's exceptions, sorted by what they mean (Odoo documentation, "External JSON-2 API", section "Error";
//! `odoo.exceptions`).
//!
//! The name of an exception is a fact and passes on. Its message quotes values, and beside it comes a whole
//! traceback; neither is ever kept.

use super::throttle::BUSY_WAIT;
use super::wire::fault::Fault;
use crate::crm::error::CrmError;

/// What an exception means.
pub(super) fn of_fault(fault: &Fault) -> CrmError {
    let code = fault.name.clone();
    match code.as_str() {
        "AccessDenied" | "SessionExpiredException" | "Unauthorized" => CrmError::UserRefused { code },
        "AccessError" | "Forbidden" => CrmError::NotPermitted { code },
        "MissingError" => CrmError::Gone,
        "ValidationError"
        | "UserError"
        | "RedirectWarning"
        | "IntegrityError"
        | "NotNullViolation"
        | "UniqueViolation"
        | "ForeignKeyViolation"
        | "CheckViolation"
        | "ExclusionViolation"
        | "RestrictViolation"
        | "UnprocessableEntity"
        | "RequestEntityTooLarge" => CrmError::RuleRefused {
            code,
            fields: Vec::new(),
        },
        "LockError"
        | "LockNotAvailable"
        | "SerializationFailure"
        | "DeadlockDetected"
        | "OperationalError"
        | "PoolError"
        | "ConcurrencyError"
        | "ServiceUnavailable"
        | "TooManyRequests"
        | "QueryCanceled"
        | "InterfaceError" => CrmError::Busy {
            code,
            wait: BUSY_WAIT,
        },
        // The model, the method or the database: the server does not have what we speak of.
        "NotFound" => CrmError::ApplicationRefused { code },
        _ => CrmError::BadRequest { code },
    }
}

/// What an answer without a readable exception means.
pub(super) fn of_status(status: u16) -> CrmError {
    let code = format!("HTTP {status}");
    match status {
        401 => CrmError::UserRefused { code },
        403 => CrmError::NotPermitted { code },
        404 => CrmError::ApplicationRefused { code },
        // Larger than a proxy lets through.
        413 => CrmError::RuleRefused {
            code,
            fields: Vec::new(),
        },
        408 | 420 | 429 | 500.. => CrmError::Busy {
            code,
            wait: BUSY_WAIT,
        },
        300..=399 => CrmError::Unintelligible {
            what: "it leads somewhere else",
        },
        _ => CrmError::BadRequest { code },
    }
}

/// True where one record is concerned, and not every call.
pub(super) fn is_of_record(error: &CrmError) -> bool {
    matches!(
        error,
        CrmError::Gone
            | CrmError::NotPermitted { .. }
            | CrmError::RuleRefused { .. }
            | CrmError::BadRequest { .. }
            | CrmError::Busy { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::failure::Class;

    fn class(name: &str) -> Class {
        let body = serde_json::json!({
            "name": name, "message": "Ada Lovelace", "arguments": ["Ada Lovelace"], "debug": "Traceback"
        });
        let fault = Fault::of_body(body.to_string().as_bytes()).expect("an exception");
        let error = of_fault(&fault);
        assert!(!format!("{error:?} {error}").contains("Lovelace"));
        error.class()
    }

    #[test]
    fn each_family_of_exceptions_has_its_class() {
        assert_eq!(class("odoo.exceptions.AccessDenied"), Class::SignInExpired);
        assert_eq!(class("odoo.exceptions.AccessError"), Class::Refused);
        assert_eq!(class("odoo.exceptions.MissingError"), Class::Gone);
        assert_eq!(class("odoo.exceptions.ValidationError"), Class::Refused);
        assert_eq!(class("psycopg2.errors.SerializationFailure"), Class::Again);
        assert_eq!(class("builtins.ValueError"), Class::Broken);
    }
}
