//! The stored form of an item: a kind, a bag of properties, dictionaries, named properties,
//! attachments and, for a series, its exceptions. Nothing here knows XML, folders or ids.
//!
//! ```ignore
//! let mail = Item::new(Kind::Message)
//!     .with(Field::Subject, "Lunch")
//!     .with(Field::ToRecipients, vec![Address::new("Ann", "ann@lab.example")])
//!     .with(Field::Body, Body { html: false, text: "Noon?".into() })
//!     .with(Field::IsRead, false);
//! ```

use super::field::Field;
use super::value::{Address, Attendee, Binary, Body, Value};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which element an item is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the schema's element name")]
pub enum Kind {
    Item,
    Message,
    CalendarItem,
    Contact,
    Task,
    DistributionList,
    PostItem,
    MeetingRequest,
    MeetingResponse,
    MeetingCancellation,
}

impl Kind {
    /// The element's local name.
    pub fn element(self) -> &'static str {
        match self {
            Kind::Item => "Item",
            Kind::Message => "Message",
            Kind::CalendarItem => "CalendarItem",
            Kind::Contact => "Contact",
            Kind::Task => "Task",
            Kind::DistributionList => "DistributionList",
            Kind::PostItem => "PostItem",
            Kind::MeetingRequest => "MeetingRequest",
            Kind::MeetingResponse => "MeetingResponse",
            Kind::MeetingCancellation => "MeetingCancellation",
        }
    }

    /// The item class that an item of this kind has unless it says otherwise.
    pub fn item_class(self) -> &'static str {
        match self {
            Kind::Item | Kind::Message => "IPM.Note",
            Kind::CalendarItem => "IPM.Appointment",
            Kind::Contact => "IPM.Contact",
            Kind::Task => "IPM.Task",
            Kind::DistributionList => "IPM.DistList",
            Kind::PostItem => "IPM.Post",
            Kind::MeetingRequest => "IPM.Schedule.Meeting.Request",
            Kind::MeetingResponse => "IPM.Schedule.Meeting.Resp.Pos",
            Kind::MeetingCancellation => "IPM.Schedule.Meeting.Canceled",
        }
    }

    /// Whether it has senders, recipients and a read flag.
    pub fn is_mail(self) -> bool {
        matches!(
            self,
            Kind::Item
                | Kind::Message
                | Kind::PostItem
                | Kind::MeetingRequest
                | Kind::MeetingResponse
                | Kind::MeetingCancellation
        )
    }
}

/// A dictionary property with keys, as IndexedFieldURI addresses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Dictionary {
    /// `contacts:EmailAddress`, keys EmailAddress1 to EmailAddress3.
    EmailAddress,
    /// The `Name` attribute of an e-mail address entry; has no URI of its own.
    EmailName,
    /// `contacts:PhoneNumber`.
    PhoneNumber,
    /// `contacts:ImAddress`, keys ImAddress1 to ImAddress3.
    ImAddress,
    /// `contacts:PhysicalAddress:Street`, keys Business, Home, Other.
    Street,
    /// `contacts:PhysicalAddress:City`.
    City,
    /// `contacts:PhysicalAddress:State`.
    State,
    /// `contacts:PhysicalAddress:CountryOrRegion`.
    CountryOrRegion,
    /// `contacts:PhysicalAddress:PostalCode`.
    PostalCode,
}

/// The identity of an extended (MAPI) property, without its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PropertyKey {
    /// A property tag's identifier, such as 0x300B.
    Tag(u16),
    /// A property set and a number (Meeting/0x23).
    Id(Uuid, u32),
    /// A property set and a name.
    Name(Uuid, String),
}

/// The value of an extended property in its lexical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extended {
    /// Which property.
    pub key: PropertyKey,
    /// The schema's name of the type, such as `String`, `Binary`, `IntegerArray`.
    pub kind: String,
    /// One value, or any number for array types.
    pub values: Vec<String>,
}

/// What an attachment holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttachmentContent {
    /// A file's octets.
    File(Binary),
    /// So many octets that are made when they are asked for, and never held ([`super::large`]).
    Large(u64),
    /// Another item.
    Item(Box<Item>),
    /// A link, no octets (ReferenceAttachment).
    Reference {
        /// Where it is.
        url: String,
        /// The service that keeps it.
        provider: String,
    },
}

/// One attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attachment {
    /// Distinguishes it within its item; assigned by the world when zero.
    pub serial: u32,
    /// File name or the attached item's subject.
    pub name: String,
    /// Media type.
    pub content_type: Option<String>,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Whether a body refers to it.
    pub inline: bool,
    /// Whether it is a contact's picture.
    pub contact_photo: bool,
    /// When it was made.
    pub modified: DateTime<Utc>,
    /// The content.
    pub content: AttachmentContent,
}

/// An occurrence that differs from its series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// The start that the rule gives: identifies the occurrence.
    pub original: DateTime<Utc>,
    /// The occurrence as it is now: a whole item with its own Start and End.
    pub item: Item,
}

/// A stored item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Which element it is written as.
    pub kind: Kind,
    /// Plain properties, sorted by field.
    values: Vec<(Field, Value)>,
    /// Dictionary entries: dictionary, key, text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entries: Vec<(Dictionary, String, String)>,
    /// Extended properties that a client or the seed has set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<Extended>,
    /// Internet headers beyond those kept as properties, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Attachments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The MIME text it came as, kept verbatim; made from the properties when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<Binary>,
    /// Changed occurrences of a series, by original start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// Original starts of deleted occurrences, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted: Vec<DateTime<Utc>>,
}

impl Item {
    /// An item with no property but its class.
    pub fn new(kind: Kind) -> Item {
        Item {
            kind,
            values: vec![(Field::ItemClass, Value::from(kind.item_class()))],
            entries: Vec::new(),
            extended: Vec::new(),
            headers: Vec::new(),
            attachments: Vec::new(),
            mime: None,
            exceptions: Vec::new(),
            deleted: Vec::new(),
        }
    }

    /// The same item with a property set.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Item {
        self.set(field, value);
        self
    }

    /// Sets a property.
    pub fn set(&mut self, field: Field, value: impl Into<Value>) {
        let value = value.into();
        match self.values.binary_search_by_key(&field, |(field, _)| *field) {
            Ok(at) => self.values[at].1 = value,
            Err(at) => self.values.insert(at, (field, value)),
        }
    }

    /// Removes a property; gives what it was.
    pub fn unset(&mut self, field: Field) -> Option<Value> {
        let at = self
            .values
            .binary_search_by_key(&field, |(field, _)| *field)
            .ok()?;
        Some(self.values.remove(at).1)
    }

    /// A property's value.
    pub fn get(&self, field: Field) -> Option<&Value> {
        let at = self
            .values
            .binary_search_by_key(&field, |(field, _)| *field)
            .ok()?;
        Some(&self.values[at].1)
    }

    /// All properties, in the order of the field table.
    pub fn values(&self) -> &[(Field, Value)] {
        &self.values
    }

    /// A text property; empty when absent.
    pub fn text(&self, field: Field) -> &str {
        match self.get(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// A truth value; false when absent.
    pub fn flag(&self, field: Field) -> bool {
        matches!(self.get(field), Some(Value::Bool(true)))
    }

    /// A whole number.
    pub fn int(&self, field: Field) -> Option<i64> {
        match self.get(field) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// An instant.
    pub fn time(&self, field: Field) -> Option<DateTime<Utc>> {
        match self.get(field) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    /// The body.
    pub fn body(&self) -> Option<&Body> {
        match self.get(Field::Body) {
            Some(Value::Body(body)) => Some(body),
            _ => None,
        }
    }

    /// One correspondent.
    pub fn recipient(&self, field: Field) -> Option<&Address> {
        match self.get(field) {
            Some(Value::Recipient(address)) => Some(address),
            _ => None,
        }
    }

    /// Several correspondents; empty when absent.
    pub fn recipients(&self, field: Field) -> &[Address] {
        match self.get(field) {
            Some(Value::Recipients(addresses)) => addresses,
            _ => &[],
        }
    }

    /// Attendees of one sort; empty when absent.
    pub fn attendees(&self, field: Field) -> &[Attendee] {
        match self.get(field) {
            Some(Value::Attendees(attendees)) => attendees,
            _ => &[],
        }
    }

    /// A list of texts; empty when absent.
    pub fn strings(&self, field: Field) -> &[String] {
        match self.get(field) {
            Some(Value::Strings(strings)) => strings,
            _ => &[],
        }
    }

    /// The same item with a dictionary entry set.
    #[must_use]
    pub fn with_entry(mut self, dictionary: Dictionary, key: &str, text: impl Into<String>) -> Item {
        self.set_entry(dictionary, key, text);
        self
    }

    /// Sets a dictionary entry.
    pub fn set_entry(&mut self, dictionary: Dictionary, key: &str, text: impl Into<String>) {
        self.unset_entry(dictionary, key);
        let entry = (dictionary, key.to_owned(), text.into());
        let at = self
            .entries
            .partition_point(|(d, k, _)| (*d, k.as_str()) < (dictionary, key));
        self.entries.insert(at, entry);
    }

    /// Removes a dictionary entry.
    pub fn unset_entry(&mut self, dictionary: Dictionary, key: &str) {
        self.entries.retain(|(d, k, _)| *d != dictionary || k != key);
    }

    /// A dictionary entry.
    pub fn entry(&self, dictionary: Dictionary, key: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|(d, k, _)| *d == dictionary && k == key)
            .map(|(_, _, text)| text.as_str())
    }

    /// The texts of all dictionaries.
    pub fn entry_texts(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(_, _, text)| text.as_str())
    }

    /// All entries of one dictionary, by key.
    pub fn entries(&self, dictionary: Dictionary) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .filter(move |(d, _, _)| *d == dictionary)
            .map(|(_, key, text)| (key.as_str(), text.as_str()))
    }

    /// An extended property that was set.
    pub fn extended(&self, key: &PropertyKey) -> Option<&Extended> {
        self.extended.iter().find(|property| &property.key == key)
    }

    /// Sets an extended property.
    pub fn set_extended(&mut self, property: Extended) {
        self.unset_extended(&property.key);
        self.extended.push(property);
    }

    /// Removes an extended property.
    pub fn unset_extended(&mut self, key: &PropertyKey) {
        self.extended.retain(|property| &property.key != key);
    }

    /// The item class.
    pub fn class(&self) -> &str {
        self.text(Field::ItemClass)
    }
}
