//! The values that properties hold, and the parts they are made of. No XML here: `read` and
//! `render` know how each is written.

use super::recurrence::Recurrence;
use super::zone::Zone;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The value of one property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Character data, enumerations included.
    Text(String),
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// An instant, whole seconds.
    Time(DateTime<Utc>),
    /// A list of texts.
    Strings(Vec<String>),
    /// Octets.
    Binary(Binary),
    /// A body.
    Body(Body),
    /// One correspondent.
    Recipient(Address),
    /// Several correspondents.
    Recipients(Vec<Address>),
    /// People at a meeting.
    Attendees(Vec<Attendee>),
    /// A repetition.
    Recurrence(Recurrence),
    /// A time zone.
    Zone(Zone),
}

/// Octets, cheap to clone, base64 in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Binary(pub Bytes);

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(|octets| Binary(octets.into()))
            .map_err(serde::de::Error::custom)
    }
}

/// A message body in one of its two forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Whether `text` is HTML; plain text otherwise.
    pub html: bool,
    /// The body.
    pub text: String,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// Display name, may be empty.
    pub name: String,
    /// SMTP address (or a directory name when `routing` is `EX`), may be empty.
    pub email: String,
    /// Routing type when not `SMTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<String>,
}

impl Address {
    /// An SMTP correspondent.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Address {
        Address {
            name: name.into(),
            email: email.into(),
            routing: None,
        }
    }

    /// Whether the SMTP address is this one, whatever the case.
    pub fn is(&self, email: &str) -> bool {
        self.email.eq_ignore_ascii_case(email)
    }
}

/// Someone asked to a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Who.
    pub mailbox: Address,
    /// `Unknown`, `Organizer`, `Tentative`, `Accept`, `Decline` or `NoResponseReceived`.
    pub response: String,
    /// When they answered.
    pub answered: Option<DateTime<Utc>>,
}

impl Attendee {
    /// An attendee who has not answered.
    pub fn new(mailbox: Address) -> Attendee {
        Attendee {
            mailbox,
            response: "Unknown".to_owned(),
            answered: None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Value {
                Value::$variant(value)
            }
        })*
    };
}

value_from! {
    String => Text, bool => Bool, i64 => Int, f64 => Double, DateTime<Utc> => Time,
    Vec<String> => Strings, Body => Body, Address => Recipient, Vec<Address> => Recipients,
    Vec<Attendee> => Attendees, Recurrence => Recurrence, Zone => Zone, Binary => Binary,
}
