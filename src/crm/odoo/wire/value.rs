//! Values as Odoo writes them: what is empty is `false`, a reference is its id and its name, an instant is UTC
//! without saying so.

use crate::foundation::content::Content;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

const INSTANT: &str = "%Y-%m-%d %H:%M:%S";

/// For serde: a text, empty where there is none.
pub(in crate::crm::odoo) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Content<String>, D::Error> {
    Ok(Content::new(string(from)?.unwrap_or_default()))
}

/// For serde: a text that is no content, such as the word of a selection.
pub(in crate::crm::odoo) fn string<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

/// For serde: the id of a reference.
pub(in crate::crm::odoo) fn reference<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Array(pair) => pair.first().and_then(Value::as_i64),
        Value::Number(id) => id.as_i64(),
        _ => None,
    })
}

/// For serde: the name of a reference.
pub(in crate::crm::odoo) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Content<String>, D::Error> {
    let name = match Value::deserialize(from)? {
        Value::Array(pair) => pair.get(1).and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    Ok(Content::new(name.unwrap_or_default()))
}

/// For serde: an instant that must be there.
pub(in crate::crm::odoo) fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    maybe_instant(from)?.ok_or_else(|| D::Error::custom("not an instant"))
}

/// For serde: an instant.
pub(in crate::crm::odoo) fn maybe_instant<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(string(from)?.and_then(|text| parse_instant(&text)))
}

/// For serde: a day.
pub(in crate::crm::odoo) fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NaiveDate>, D::Error> {
    Ok(string(from)?.and_then(|text| text.get(..10)?.parse().ok()))
}

/// Reads an instant; one that counts more finely than in seconds as well.
pub(in crate::crm::odoo) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text.get(..19)?, INSTANT)
        .ok()
        .map(|at| at.and_utc())
}

/// How an instant is sent.
pub(in crate::crm::odoo) fn write_instant(at: DateTime<Utc>) -> String {
    at.format(INSTANT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_is_written() {
        let at = DateTime::from_timestamp(1_772_357_400, 0).expect("an instant");
        assert_eq!(parse_instant(&write_instant(at)), Some(at));
        assert_eq!(parse_instant("2026-03-01 09:30:00.123456"), Some(at));
        assert_eq!(parse_instant("soon"), None);
    }
}
