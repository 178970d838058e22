//! Simple values: flags, instants, lists of texts, binary.

use super::xml::{Document, XmlError};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, NaiveDateTime, Utc};

/// The texts of all children.
///
/// # Errors
/// The answer is damaged.
pub fn strings(doc: &mut Document<'_>) -> Result<Vec<String>, XmlError> {
    let mut texts = Vec::new();
    while doc.child()?.is_some() {
        texts.push(doc.text()?);
    }
    Ok(texts)
}

/// `xs:boolean`: a word or a digit.
///
/// # Errors
/// The answer is damaged.
pub fn flag(doc: &mut Document<'_>) -> Result<bool, XmlError> {
    Ok(matches!(doc.text()?.trim(), "true" | "1"))
}

/// `xs:dateTime`; without an offset it is UTC, for our requests name no zone. None for nonsense.
///
/// # Errors
/// The answer is damaged.
pub fn instant(doc: &mut Document<'_>) -> Result<Option<DateTime<Utc>>, XmlError> {
    let text = doc.text()?;
    let text = text.trim();
    let with_offset = DateTime::parse_from_rfc3339(text).map(|instant| instant.to_utc());
    Ok(with_offset
        .or_else(|_| text.parse::<NaiveDateTime>().map(|naive| naive.and_utc()))
        .ok())
}

/// Base64, possibly in lines; none for what is not.
pub fn binary(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(packed).ok()
}
