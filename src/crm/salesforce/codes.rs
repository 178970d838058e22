//! Salesforce's error codes, sorted by what they mean ("Core Data Types: Error", "API Status Codes").
//!
//! A code and the API names of fields are facts and pass on. The message is not: validation rules put field
//! values into it. It is looked at for two fixed phrases and then dropped.

use super::throttle::{BUSY_WAIT, LIMIT_WAIT};
use super::wire::fault::Fault;
use crate::crm::error::CrmError;
use std::time::Duration;

/// Concurrent long calls end within seconds, unlike the calls of a day.
const CONCURRENT_WAIT: Duration = Duration::from_secs(20);

/// What an error of one record means.
pub(super) fn of_record(fault: &Fault) -> CrmError {
    let code = fault.code().to_owned();
    match code.as_str() {
        "UNABLE_TO_LOCK_ROW"
        | "SERVER_UNAVAILABLE"
        | "API_TEMPORARILY_UNAVAILABLE"
        | "QUERY_TIMEOUT"
        | "UNKNOWN_EXCEPTION"
        | "APEX_ERROR"
        | "TRANSACTION_ROLLBACK" => CrmError::Busy {
            code,
            wait: BUSY_WAIT,
        },
        "REQUEST_LIMIT_EXCEEDED" if fault.is_concurrent_limit() => CrmError::Busy {
            code,
            wait: CONCURRENT_WAIT,
        },
        "REQUEST_LIMIT_EXCEEDED" | "STORAGE_LIMIT_EXCEEDED" | "LIMIT_EXCEEDED" => {
            CrmError::LimitReached { wait: LIMIT_WAIT }
        }
        "ENTITY_IS_DELETED" | "NOT_FOUND" | "INVALID_CROSS_REFERENCE_KEY" => CrmError::Gone,
        "INVALID_SESSION_ID"
        | "API_DISABLED_FOR_ORG"
        | "API_CURRENTLY_DISABLED"
        | "INACTIVE_OWNER_OR_USER"
        | "INVALID_LOGIN"
        | "INVALID_AUTH_HEADER" => CrmError::UserRefused { code },
        "INVALID_FIELD"
        | "MALFORMED_QUERY"
        | "MALFORMED_ID"
        | "JSON_PARSER_ERROR"
        | "INVALID_TYPE"
        | "METHOD_NOT_ALLOWED"
        | "UNSUPPORTED_API_VERSION"
        | "INVALID_BATCH_SIZE"
        | "OPERATION_TOO_LARGE"
        | "INVALID_QUERY_FILTER_OPERATOR" => CrmError::BadRequest { code },
        other if other.starts_with("TXN_SECURITY_") => CrmError::UserRefused { code },
        other if other.starts_with("INSUFFICIENT_ACCESS") => CrmError::NotPermitted { code },
        "CANNOT_UPDATE_CONVERTED_LEAD"
        | "INVALID_FIELD_FOR_INSERT_UPDATE"
        | "DELETE_FAILED"
        | "OPERATION_NOT_ALLOWED"
        | "FUNCTIONALITY_NOT_ENABLED" => CrmError::NotPermitted { code },
        _ => CrmError::RuleRefused {
            code,
            fields: fault.fields(),
        },
    }
}

/// What an error of a whole call means, with the HTTP status it came with.
pub(super) fn of_call(status: u16, fault: Option<&Fault>) -> CrmError {
    let Some(fault) = fault else {
        return of_status(status);
    };
    match (status, fault.code()) {
        // The object or the path, not a record: the user may not see it, or the org does not have it.
        (404, code) | (_, code @ "INVALID_TYPE") => CrmError::NotPermitted {
            code: code.to_owned(),
        },
        (401, code) => CrmError::UserRefused {
            code: code.to_owned(),
        },
        (420 | 429 | 500.., code) => CrmError::Busy {
            code: code.to_owned(),
            wait: BUSY_WAIT,
        },
        _ => of_record(fault),
    }
}

fn of_status(status: u16) -> CrmError {
    let code = format!("HTTP {status}");
    match status {
        401 => CrmError::UserRefused { code },
        403 | 404 => CrmError::NotPermitted { code },
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

/// True where a query named an object or a field that the org does not have, or hides from this user.
pub(super) fn is_unknown_name(error: &CrmError) -> bool {
    match error {
        CrmError::BadRequest { code } => code == "INVALID_FIELD",
        CrmError::NotPermitted { code } => code == "INVALID_TYPE",
        _ => false,
    }
}

/// True where the same request may succeed within a second or two.
pub(super) fn is_hiccup(error: &CrmError) -> bool {
    matches!(error, CrmError::Busy { wait, .. } if *wait <= BUSY_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::failure::Class;

    fn fault(code: &str, message: &str) -> Fault {
        let body = serde_json::json!([{ "errorCode": code, "message": message, "fields": ["LastName"] }]);
        Fault::of_body(body.to_string().as_bytes()).expect("an error body")
    }

    #[test]
    fn each_family_of_codes_has_its_class() {
        let class = |code| of_record(&fault(code, "")).class();
        assert_eq!(class("UNABLE_TO_LOCK_ROW"), Class::Again);
        assert_eq!(class("ENTITY_IS_DELETED"), Class::Gone);
        assert_eq!(
            class("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
            Class::Refused
        );
        assert_eq!(class("FIELD_CUSTOM_VALIDATION_EXCEPTION"), Class::Refused);
        assert_eq!(class("TXN_SECURITY_METERING_ERROR"), Class::SignInExpired);
        assert_eq!(class("MALFORMED_QUERY"), Class::Broken);
    }

    #[test]
    fn calls_used_up_stop_the_org_and_concurrent_ones_only_pause_it() {
        let used_up = of_call(
            403,
            Some(&fault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")),
        );
        assert!(matches!(used_up, CrmError::LimitReached { .. }));
        let message = "ConcurrentPerOrgLongTxn Limit exceeded.";
        let crowded = of_call(403, Some(&fault("REQUEST_LIMIT_EXCEEDED", message)));
        assert!(matches!(crowded, CrmError::Busy { .. }));
    }

    #[test]
    fn a_rule_names_its_fields_and_never_its_message() {
        let error = of_record(&fault(
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "Ada Lovelace is not allowed",
        ));
        assert!(matches!(&error, CrmError::RuleRefused { fields, .. } if fields == &["LastName"]));
        assert!(!format!("{error:?}").contains("Lovelace"));
    }
}
