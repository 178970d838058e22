//! Instants as Salesforce writes them: `2026-03-01T09:30:00.000+0000`.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, de::Error};
use std::borrow::Cow;

/// Reads an instant.
pub(in crate::crm::salesforce) fn parse(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z")
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .ok()
        .map(|at| at.to_utc())
}

/// For serde: an instant that must be there.
pub(super) fn required<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    let text = Cow::<str>::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::custom("not an instant"))
}

/// For serde: an instant or null.
pub(super) fn optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<Cow<str>>::deserialize(from)?;
    text.map(|text| parse(&text).ok_or_else(|| D::Error::custom("not an instant")))
        .transpose()
}

/// How an instant is sent.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// How a day is sent.
pub(super) fn day(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// The beginning of a day in no zone, which Salesforce writes as UTC.
pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_instant_are_read() {
        let expected = DateTime::from_timestamp(1_772_357_400, 0);
        assert_eq!(parse("2026-03-01T09:30:00.000+0000"), expected);
        assert_eq!(parse("2026-03-01T09:30:00Z"), expected);
        assert_eq!(parse("2026-03-01T11:30:00+02:00"), expected);
        assert_eq!(parse("yesterday"), None);
    }
}
