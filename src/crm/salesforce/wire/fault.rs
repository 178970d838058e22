//! Error bodies: `[{"message", "errorCode", "fields"}]` of REST ("Status Codes and Error Responses", REST API
//! guide), and `{"statusCode", "message", "fields"}` of each row of a collection.

use serde::Deserialize;

/// One error. Its message is content and has no way out of here.
#[derive(Deserialize)]
pub(in crate::crm::salesforce) struct Fault {
    #[serde(alias = "statusCode", rename = "errorCode")]
    code: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
}

impl Fault {
    /// The first error of an answer's body; `None` where the body is something else.
    pub(in crate::crm::salesforce) fn of_body(body: &[u8]) -> Option<Self> {
        let faults: Vec<Self> = serde_json::from_slice(body)
            .or_else(|_| serde_json::from_slice::<Self>(body).map(|fault| vec![fault]))
            .ok()?;
        faults.into_iter().find(|fault| fault.code.is_some())
    }

    /// An error that says nothing.
    pub(in crate::crm::salesforce) fn unknown() -> Self {
        Self {
            code: None,
            message: String::new(),
            fields: None,
        }
    }

    /// The code; a fixed word where what came is not one.
    pub(in crate::crm::salesforce) fn code(&self) -> &str {
        match self.code.as_deref() {
            Some(code) if is_name(code) => code,
            _ => "UNKNOWN",
        }
    }

    /// The API names of the fields concerned.
    pub(in crate::crm::salesforce) fn fields(&self) -> Vec<String> {
        let named = self.fields.iter().flatten();
        named.filter(|name| is_name(name)).cloned().collect()
    }

    /// True where too many calls run at once, rather than too many in a day.
    pub(in crate::crm::salesforce) fn is_concurrent_limit(&self) -> bool {
        self.message.contains("Concurrent")
    }

    /// The record that holds the value, where the error says that a unique value is taken: "duplicate value
    /// found: Holdfast_Key__c duplicates value on record with id: 00U…".
    pub(in crate::crm::salesforce) fn taken_by(&self, field: &str) -> Option<&str> {
        if self.code() != "DUPLICATE_VALUE" || !self.message.contains(field) {
            return None;
        }
        let (_, id) = self.message.split_once("record with id: ")?;
        let id = id.trim();
        let end = id.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(id.len());
        id.get(..end).filter(|id| matches!(id.len(), 15 | 18))
    }
}

/// An API name or a code, and not a sentence with somebody's name in it.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 80
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_that_has_the_key_is_read_from_the_message() {
        let body = br#"[{"statusCode":"DUPLICATE_VALUE","fields":[],
            "message":"duplicate value found: Holdfast_Key__c duplicates value on record with id: 00U000000000001AAA"}]"#;
        let fault = Fault::of_body(body).expect("an error body");
        assert_eq!(fault.taken_by("Holdfast_Key__c"), Some("00U000000000001AAA"));
        assert_eq!(fault.taken_by("Other__c"), None);
    }

    #[test]
    fn a_record_that_the_user_may_not_see_is_not_named() {
        let body = br#"[{"errorCode":"DUPLICATE_VALUE",
            "message":"duplicate value found: <unknown> duplicates value on record with id: <unknown>"}]"#;
        let fault = Fault::of_body(body).expect("an error body");
        assert_eq!(fault.taken_by("Holdfast_Key__c"), None);
    }

    #[test]
    fn a_sentence_is_not_taken_for_a_code() {
        let fault = Fault::of_body(br#"[{"errorCode":"Ada is not allowed","message":""}]"#);
        assert_eq!(fault.expect("an error body").code(), "UNKNOWN");
    }
}
