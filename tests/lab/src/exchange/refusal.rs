//! Why the server does not do what it is asked: a response code with a sentence, either for one
//! entry of a batch or, as a SOAP fault, for the whole request.
//!
//! Source: "ResponseCode" in the EWS reference; the sentences are the server's own.

use super::xml::read::Malformed;

/// A response code with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The response code.
    pub code: &'static str,
    /// MessageText.
    pub text: String,
    /// Named values of MessageXml.
    pub values: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A code and its sentence.
    pub fn new(code: &'static str, text: impl Into<String>) -> Refusal {
        Refusal {
            code,
            text: text.into(),
            values: Vec::new(),
        }
    }

    /// The same with a value in MessageXml.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.values.push((name, value.into()));
        self
    }

    /// ErrorItemNotFound.
    pub fn item_not_found() -> Refusal {
        Refusal::new(
            "ErrorItemNotFound",
            "The specified object was not found in the store.",
        )
    }

    /// ErrorFolderNotFound.
    pub fn folder_not_found() -> Refusal {
        Refusal::new(
            "ErrorFolderNotFound",
            "The specified folder could not be found in the store.",
        )
    }

    /// ErrorInvalidIdMalformed.
    pub fn malformed_id() -> Refusal {
        Refusal::new("ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// ErrorAccessDenied.
    pub fn access_denied() -> Refusal {
        Refusal::new(
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    }

    /// ErrorSchemaValidation.
    pub fn schema(violation: impl Into<String>) -> Refusal {
        let violation = violation.into();
        Refusal::new(
            "ErrorSchemaValidation",
            format!("The request failed schema validation: {violation}"),
        )
        .with("LineNumber", "1")
        .with("LinePosition", "1")
        .with("Violation", violation)
    }

    /// An element that must be there and is not.
    pub fn missing(element: &str) -> Refusal {
        Refusal::schema(format!(
            "The element has incomplete content. List of possible elements expected: '{element}'."
        ))
    }

    /// An attribute that must be there and is not.
    pub fn missing_attribute(name: &str) -> Refusal {
        Refusal::schema(format!("The required attribute '{name}' is missing."))
    }

    /// A value outside its type.
    pub fn invalid_value(what: &str, value: &str) -> Refusal {
        Refusal::schema(format!(
            "The '{what}' value is invalid - The value '{value}' is invalid according to its datatype."
        ))
    }
}

impl From<Malformed> for Refusal {
    fn from(malformed: Malformed) -> Refusal {
        Refusal::new(
            "ErrorSchemaValidation",
            format!("The request failed schema validation: {}", malformed.message),
        )
        .with("LineNumber", malformed.line.to_string())
        .with("LinePosition", malformed.position.to_string())
        .with("Violation", malformed.message)
    }
}
