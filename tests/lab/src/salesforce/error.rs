//! The errors of the org's API, in the vendor's codes and, where known, words.
//!
//! REST answers carry `[{"message", "errorCode", "fields"}]`, rows of a collection carry
//! `{"statusCode", "message", "fields"}` (REST API Developer Guide, "Status Codes and Error Responses").

use crate::faults::Told;
use serde_json::{Value, json};

/// One error of the API.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status when the error is the whole answer.
    pub status: u16,
    /// The vendor's code.
    pub code: &'static str,
    /// The vendor's message.
    pub message: String,
    /// The fields concerned; `None` where the vendor leaves the list away.
    pub fields: Option<Vec<String>>,
}

/// What most functions here give.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error without a list of fields.
    pub fn new(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status: status_of(code),
            code,
            message: message.into(),
            fields: None,
        }
    }

    /// An error of writing a record, with the fields concerned.
    pub fn on(code: &'static str, message: impl Into<String>, fields: &[&str]) -> ApiError {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        ApiError {
            fields: Some(fields),
            ..ApiError::new(code, message)
        }
    }

    /// The same with another HTTP status.
    pub fn status(mut self, status: u16) -> ApiError {
        self.status = status;
        self
    }

    /// As an element of a REST answer.
    pub fn to_rest(&self) -> Value {
        match &self.fields {
            Some(fields) => json!({"message": self.message, "errorCode": self.code, "fields": fields}),
            None => json!({"message": self.message, "errorCode": self.code}),
        }
    }

    /// As an element of a collection row's `errors`.
    pub fn to_row(&self) -> Value {
        json!({
            "statusCode": self.code,
            "message": self.message,
            "fields": self.fields.clone().unwrap_or_default(),
        })
    }
}

/// A record that is not there, or that the caller may not know of.
pub fn not_found() -> ApiError {
    ApiError::new("NOT_FOUND", "The requested resource does not exist")
}

/// A reference to a record that is not there.
pub fn invalid_reference(fields: &[&str]) -> ApiError {
    ApiError::on(
        "INVALID_CROSS_REFERENCE_KEY",
        "invalid cross reference id",
        fields,
    )
}

/// A record in the recycle bin.
pub fn deleted() -> ApiError {
    ApiError::on("ENTITY_IS_DELETED", "entity is deleted", &[])
}

/// A record that the caller may see and not change.
pub fn read_only() -> ApiError {
    ApiError::on(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "insufficient access rights on object id",
        &[],
    )
}

/// A request body that is no JSON of the right form.
pub fn unreadable(detail: impl Into<String>) -> ApiError {
    ApiError::new("JSON_PARSER_ERROR", detail)
}

/// A record that another transaction holds.
pub fn locked(id: &str) -> ApiError {
    let message = if id.is_empty() {
        "unable to obtain exclusive access to this record".to_owned()
    } else {
        format!("unable to obtain exclusive access to this record or 1 records: {id}")
    };
    ApiError::on("UNABLE_TO_LOCK_ROW", message, &[])
}

/// What a fault ordered.
pub fn as_told(told: Told) -> ApiError {
    ApiError::on(told.0, "The operation was refused.", &[])
}

/// The 401 that asks for a new token.
pub fn session_invalid() -> ApiError {
    ApiError::new("INVALID_SESSION_ID", "Session expired or invalid")
}

/// The budget of calls is used up.
pub fn limit_exceeded() -> ApiError {
    ApiError::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

fn status_of(code: &str) -> u16 {
    match code {
        "INVALID_SESSION_ID" => 401,
        "INSUFFICIENT_ACCESS_OR_READONLY"
        | "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
        | "REQUEST_LIMIT_EXCEEDED"
        | "API_DISABLED_FOR_ORG"
        | "API_CURRENTLY_DISABLED" => 403,
        "NOT_FOUND" | "ENTITY_IS_DELETED" | "INVALID_TYPE_ON_PATH" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "URI_TOO_LONG" => 414,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "SERVER_UNAVAILABLE" => 503,
        _ => 400,
    }
}
