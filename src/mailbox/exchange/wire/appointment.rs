//! What a calendar item alone has.
//!
//! Source: "CalendarItem" and "Attendee" in the EWS reference.

use super::message::{RawMailbox, mailbox, mailboxes};
use super::recurrence::RawSeries;
use super::scalar::{flag, instant};
use super::xml::{Document, Ns, XmlError};
use super::zone::RawZone;
use chrono::{DateTime, Utc};

/// Somebody who was asked.
#[derive(Default)]
pub struct RawAttendee {
    /// Who.
    pub mailbox: RawMailbox,
    /// `Accept`, `Decline`, `Tentative`, `Organizer`, `NoResponseReceived`, `Unknown`.
    pub response: String,
}

/// The properties of a calendar item.
#[derive(Default)]
pub struct RawAppointment {
    /// First instant.
    pub start: Option<DateTime<Utc>>,
    /// First instant after it.
    pub end: Option<DateTime<Utc>>,
    /// Whole days.
    pub all_day: bool,
    /// `Free`, `Tentative`, `Busy`, `OOF`, `WorkingElsewhere`, `NoData`.
    pub free_busy: String,
    /// Where.
    pub location: String,
    /// True where somebody was asked.
    pub is_meeting: bool,
    /// True once called off.
    pub is_cancelled: bool,
    /// `Single`, `Occurrence`, `Exception`, `RecurringMaster`.
    pub item_type: String,
    /// What the owner answered; `Organizer` where it is the owner's own meeting.
    pub my_response: String,
    /// Who called it.
    pub organizer: Option<RawMailbox>,
    /// Must come.
    pub required: Vec<RawAttendee>,
    /// May come.
    pub optional: Vec<RawAttendee>,
    /// Rooms and things.
    pub resources: Vec<RawAttendee>,
    /// The zone in which it was made; empty where the server names none.
    pub zone: RawZone,
    /// The zone of its end.
    pub end_zone: RawZone,
    /// When a date of a series would begin by the rule.
    pub original: Option<DateTime<Utc>>,
    /// What a master alone has.
    pub series: RawSeries,
}

impl RawAppointment {
    /// Reads the element if it is one of these; false leaves it unread.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(&mut self, name: &str, doc: &mut Document<'_>) -> Result<bool, XmlError> {
        match name {
            "Start" => self.start = instant(doc)?,
            "End" => self.end = instant(doc)?,
            "IsAllDayEvent" => self.all_day = flag(doc)?,
            "LegacyFreeBusyStatus" => self.free_busy = doc.text()?,
            "Location" => self.location = doc.text()?,
            "IsMeeting" => self.is_meeting = flag(doc)?,
            "IsCancelled" => self.is_cancelled = flag(doc)?,
            "CalendarItemType" => self.item_type = doc.text()?,
            "MyResponseType" => self.my_response = doc.text()?,
            "Organizer" => self.organizer = mailboxes(doc)?.pop(),
            "RequiredAttendees" => self.required = attendees(doc)?,
            "OptionalAttendees" => self.optional = attendees(doc)?,
            "Resources" => self.resources = attendees(doc)?,
            "OriginalStart" => self.original = instant(doc)?,
            _ => return self.series.read(name, doc),
        }
        Ok(true)
    }
}

fn attendees(doc: &mut Document<'_>) -> Result<Vec<RawAttendee>, XmlError> {
    let mut found = Vec::new();
    while doc.child()?.is_some() {
        let mut attendee = RawAttendee::default();
        while let Some(element) = doc.child()? {
            match element.key() {
                (Ns::Types, "Mailbox") => attendee.mailbox = mailbox(doc)?,
                (Ns::Types, "ResponseType") => attendee.response = doc.text()?,
                _ => doc.skip()?,
            }
        }
        found.push(attendee);
    }
    Ok(found)
}
