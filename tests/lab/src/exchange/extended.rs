//! Extended properties: lexical forms, and the MAPI properties that the server makes from what it
//! keeps, so that a client which asks by tag sees the same as one which asks by name.
//!
//! Source: \[MS-OXPROPS\]; for the global object ids \[MS-OXOCAL\] 2.2.1.27 and 2.2.1.28.

use super::field::Field;
use super::item::{Extended, Item, Kind, PropertyKey};
use super::mailbox::Stored;
use super::mapi;
use super::read::path::property_set;
use super::read::value;
use super::series::Role;
use super::value::Value;
use super::xml::write::format_time;
use super::zone::Rules;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Utc};
use sha2::{Digest, Sha256};

/// The normal lexical form of a value; none when it is not of its type.
pub fn normal(kind: &str, text: &str) -> Option<String> {
    let trimmed = text.trim();
    Some(match kind {
        "Integer" => trimmed.parse::<i32>().ok()?.to_string(),
        "Short" => trimmed.parse::<i16>().ok()?.to_string(),
        "Long" | "Currency" => trimmed.parse::<i64>().ok()?.to_string(),
        "Boolean" => value::boolean("Value", trimmed).ok()?.to_string(),
        "Double" | "Float" | "ApplicationTime" => {
            trimmed.parse::<f64>().ok()?;
            trimmed.to_owned()
        }
        "Binary" => STANDARD.encode(value::octets("Value", trimmed).ok()?),
        "SystemTime" => format_time(value::instant("Value", trimmed, Rules::Named(chrono_tz::Tz::UTC)).ok()?),
        "CLSID" => uuid::Uuid::parse_str(trimmed).ok()?.to_string(),
        _ => text.to_owned(),
    })
}

/// MSGFLAG_READ and MSGFLAG_UNSENT of PidTagMessageFlags.
const READ: i64 = 1;
const UNSENT: i64 = 8;

/// Sets an extended property. The few that stand for a property of EWS set that one.
pub fn set(item: &mut Item, property: Extended) {
    let first = property.values.first().map(String::as_str).unwrap_or_default();
    if property.kind == "String" && mapi::set(item, &property.key, first) {
        return;
    }
    let PropertyKey::Tag(tag) = property.key else {
        item.set_extended(property);
        return;
    };
    let time = DateTime::parse_from_rfc3339(first).map(|time| time.with_timezone(&Utc));
    match (tag, time) {
        (0x0e07, _) => {
            let flags: i64 = first.parse().unwrap_or(0);
            item.set(Field::IsRead, flags & READ != 0);
            item.set(Field::IsDraft, flags & UNSENT != 0);
        }
        (0x0e06, Ok(time)) => item.set(Field::DateTimeReceived, time),
        (0x0039, Ok(time)) => item.set(Field::DateTimeSent, time),
        (0x1035, _) => item.set(Field::InternetMessageId, first),
        _ => item.set_extended(property),
    }
}

/// The value of an extended property: what a client set, or what the server makes.
pub fn get(item: &Item, stored: &Stored, role: Role, key: &PropertyKey, kind: &str) -> Option<Vec<String>> {
    if let Some(set) = item.extended(key) {
        return (set.kind == kind).then(|| set.values.clone());
    }
    computed(item, stored, role, key)
        .filter(|(made, _)| *made == kind)
        .map(|(_, text)| vec![text])
}

fn computed(item: &Item, stored: &Stored, role: Role, key: &PropertyKey) -> Option<(&'static str, String)> {
    if let Some(text) = mapi::text(item, key) {
        return Some(("String", text));
    }
    match key {
        PropertyKey::Tag(tag) => tagged(item, stored, *tag),
        PropertyKey::Id(set, id) if Some(*set) == property_set("Meeting") => {
            let date = item
                .time(Field::OriginalStart)
                .filter(|_| role == Role::Occurrence || role == Role::Exception);
            match id {
                0x23 => global_object_id(item, None).map(|id| ("Binary", STANDARD.encode(id))),
                0x03 => global_object_id(item, date).map(|id| ("Binary", STANDARD.encode(id))),
                _ => None,
            }
        }
        PropertyKey::Id(set, id) if Some(*set) == property_set("Appointment") => appointment(item, role, *id),
        PropertyKey::Name(set, name)
            if Some(*set) == property_set("PublicStrings") && name == "urn:schemas:calendar:instancetype" =>
        {
            let kind = match role {
                Role::Single => 0,
                Role::RecurringMaster => 1,
                Role::Occurrence => 2,
                Role::Exception => 3,
            };
            (item.kind == Kind::CalendarItem).then(|| ("Integer", kind.to_string()))
        }
        PropertyKey::Id(set, 0x8506) if Some(*set) == property_set("Common") => {
            let private = item.text(Field::Sensitivity) == "Private";
            Some(("Boolean", private.to_string()))
        }
        _ => None,
    }
}

fn appointment(item: &Item, role: Role, id: u32) -> Option<(&'static str, String)> {
    if item.kind != Kind::CalendarItem {
        return None;
    }
    match id {
        0x820d => item
            .time(Field::Start)
            .map(|time| ("SystemTime", format_time(time))),
        0x820e => item
            .time(Field::End)
            .map(|time| ("SystemTime", format_time(time))),
        0x8215 => Some(("Boolean", item.flag(Field::IsAllDayEvent).to_string())),
        0x8223 => Some(("Boolean", (role != Role::Single).to_string())),
        0x8208 => item
            .get(Field::Location)
            .map(|_| ("String", item.text(Field::Location).to_owned())),
        0x8217 => item
            .int(Field::AppointmentState)
            .map(|state| ("Integer", state.to_string())),
        _ => None,
    }
}

fn tagged(item: &Item, stored: &Stored, tag: u16) -> Option<(&'static str, String)> {
    let text = |field: Field| item.get(field).map(|_| ("String", item.text(field).to_owned()));
    let time = |field: Field| item.time(field).map(|time| ("SystemTime", format_time(time)));
    match tag {
        0x0e1d => text(Field::Subject),
        0x0036 => Some(("Integer", rank(item.text(Field::Sensitivity), SENSITIVITIES, 0))),
        0x0017 => Some(("Integer", rank(item.text(Field::Importance), IMPORTANCES, 1))),
        0x1035 => text(Field::InternetMessageId),
        0x1039 => text(Field::References),
        0x1042 => text(Field::InReplyTo),
        0x0070 => text(Field::ConversationTopic),
        0x0e06 => time(Field::DateTimeReceived),
        0x0039 => time(Field::DateTimeSent),
        0x3007 => Some(("SystemTime", format_time(stored.created))),
        0x3008 => Some(("SystemTime", format_time(stored.modified))),
        0x0e08 => Some(("Integer", stored.size.to_string())),
        0x0e07 if item.kind.is_mail() => {
            let read = if item.flag(Field::IsRead) { READ } else { 0 };
            let draft = if item.flag(Field::IsDraft) { UNSENT } else { 0 };
            let attachments = if item.attachments.is_empty() { 0 } else { 0x10 };
            Some(("Integer", (read | draft | attachments).to_string()))
        }
        // PidTagInternetArticleNumber: what an IMAP server takes as UID.
        0x0e23 => Some(("Integer", (stored.serial & 0x7fff_ffff).to_string())),
        0x300b => Some(("Binary", STANDARD.encode(search_key(item, stored)))),
        0x007d => transport_headers(item).map(|headers| ("String", headers)),
        _ => None,
    }
}

const SENSITIVITIES: &[&str] = &["Normal", "Personal", "Private", "Confidential"];
const IMPORTANCES: &[&str] = &["Low", "Normal", "High"];

/// The number that MAPI has for a word; `usual` where it is not set.
fn rank(word: &str, words: &[&str], usual: usize) -> String {
    words
        .iter()
        .position(|known| *known == word)
        .unwrap_or(usual)
        .to_string()
}

fn search_key(item: &Item, stored: &Stored) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix(b"search key");
    digest.update(stored.created.timestamp().to_be_bytes());
    digest.update(item.text(Field::Subject));
    digest.update(item.text(Field::InternetMessageId));
    digest.finalize()[..16].to_vec()
}

/// The head of the MIME text of mail that came in; what was sent from here has none.
fn transport_headers(item: &Item) -> Option<String> {
    let mime = &item.mime.as_ref()?.0;
    let end = mime
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .or_else(|| mime.windows(2).position(|two| two == b"\n\n"))?;
    Some(String::from_utf8_lossy(mime.get(..end)?).into_owned())
}

/// The octets that begin every global object id.
const CLASS_ID: [u8; 16] = [
    0x04, 0, 0, 0, 0x82, 0, 0xe0, 0, 0x74, 0xc5, 0xb7, 0x10, 0x1a, 0x82, 0xe0, 0x08,
];

/// The global object id of a meeting, out of its UID: hex as it stands, a foreign UID wrapped.
/// With a date it is the id of that occurrence, without it is the clean one.
pub fn global_object_id(item: &Item, date: Option<DateTime<Utc>>) -> Option<Vec<u8>> {
    let uid = match item.get(Field::Uid) {
        Some(Value::Text(uid)) if !uid.is_empty() => uid,
        _ => return None,
    };
    let mut id = match from_hex(uid) {
        Some(octets) if octets.starts_with(&CLASS_ID) && octets.len() >= 40 => octets,
        _ => wrapped(uid),
    };
    let stamp = match date {
        Some(date) => {
            let year = u16::try_from(date.year()).unwrap_or(0).to_be_bytes();
            [year[0], year[1], date.month() as u8, date.day() as u8]
        }
        None => [0; 4],
    };
    id.get_mut(16..20)?.copy_from_slice(&stamp);
    Some(id)
}

fn wrapped(uid: &str) -> Vec<u8> {
    let mut data = b"vCal-Uid\x01\0\0\0".to_vec();
    data.extend_from_slice(uid.as_bytes());
    data.push(0);
    let mut id = CLASS_ID.to_vec();
    id.extend_from_slice(&[0; 20]);
    id.extend_from_slice(&(data.len() as u32).to_le_bytes());
    id.extend_from_slice(&data);
    id
}

/// A new UID: the hex form of a global object id around a GUID.
pub fn new_uid(guid: uuid::Uuid) -> String {
    let mut id = CLASS_ID.to_vec();
    id.extend_from_slice(&[0; 20]);
    id.extend_from_slice(&16u32.to_le_bytes());
    id.extend_from_slice(guid.as_bytes());
    id.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_uid_is_wrapped_and_an_exceptions_id_differs_only_in_its_date() {
        let item = Item::new(Kind::CalendarItem).with(Field::Uid, "abc@example.com");
        let clean = global_object_id(&item, None).unwrap();
        assert!(clean.windows(8).any(|part| part == b"vCal-Uid"));
        let date = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let dated = global_object_id(&item, Some(date)).unwrap();
        assert_eq!(dated[16..20], [0x07, 0xea, 1, 1]);
        assert_eq!(clean[20..], dated[20..]);
    }

    #[test]
    fn a_new_uid_is_the_hex_of_its_global_object_id() {
        let uid = new_uid(uuid::Uuid::from_u128(5));
        let item = Item::new(Kind::CalendarItem).with(Field::Uid, uid.as_str());
        let id = global_object_id(&item, None).unwrap();
        assert_eq!(
            id.iter().map(|octet| format!("{octet:02X}")).collect::<String>(),
            uid
        );
        assert_eq!(id.len(), 56);
    }
}
