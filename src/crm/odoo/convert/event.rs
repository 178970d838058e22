//! `calendar.event`: meetings and appointments.
//!
//! A timed event has its start and stop in UTC. An event of whole days has its first and last day; beside them
//! Odoo keeps a start at eight and a stop at eighteen, which say nothing. The owner is an attendee of his own
//! event in Odoo, and none here.
//!
//! A date of a series that was made in Odoo is an event like any other: Odoo itself makes a row of each, and what is
//! written to one without a word of the others is "this event only" to it.

use super::html;
use super::names::{Form, KEY};
use super::row::{Around, Head, Row};
use super::sheet::{Cell, Sheet};
use crate::crm::odoo::wire::value;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::event::{Attendance, Attendee, Event, Place, Sensitivity, ShowAs, When};
use crate::record::field::Field;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

/// What is read of it, where the user may see it.
pub(super) const COLUMNS: &[&str] = &[
    "name",
    "description",
    "location",
    "start",
    "stop",
    "allday",
    "start_date",
    "stop_date",
    "show_as",
    "privacy",
    "effective_privacy",
    "alarm_ids",
    "user_id",
    "active",
    "write_date",
    KEY,
];

/// The columns in which each field lives.
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::Subject, &["name"]),
    (Field::Body, &["description"]),
    (Field::Location, &["location"]),
    (Field::When, &["start", "stop", "allday"]),
    (Field::ShowAs, &["show_as"]),
    (Field::Privacy, &["privacy"]),
    (Field::Reminder, &["alarm_ids"]),
    (Field::Attendees, &["partner_ids"]),
    (Field::Responses, &["partner_ids"]),
];

/// A row.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct EventRow {
    id: i64,
    /// Missing in what Odoo shows of a colleague's private event: that he is busy.
    #[serde(default, deserialize_with = "value::maybe_instant")]
    write_date: Option<DateTime<Utc>>,
    #[serde(default = "living")]
    active: bool,
    #[serde(default, deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default, deserialize_with = "value::reference")]
    user_id: Option<i64>,
    #[serde(default, deserialize_with = "value::text")]
    name: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    description: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    location: Content<String>,
    #[serde(default, deserialize_with = "value::maybe_instant")]
    start: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "value::maybe_instant")]
    stop: Option<DateTime<Utc>>,
    #[serde(default)]
    allday: bool,
    #[serde(default, deserialize_with = "value::day")]
    start_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "value::day")]
    stop_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "value::string")]
    show_as: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    privacy: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    effective_privacy: Option<String>,
    #[serde(default)]
    alarm_ids: Vec<i64>,
}

/// What `active` is where the user may not see it.
pub(super) fn living() -> bool {
    true
}

impl Row for EventRow {
    const FORM: Form = Form::Event;

    fn head(&self, _me: i64) -> Head {
        Head {
            id: self.id,
            modified: self.write_date.unwrap_or_default(),
            archived: !self.active,
            key: self.x_holdfast_key.clone(),
            owner: self.user_id,
        }
    }

    fn reminders(&self) -> &[i64] {
        &self.alarm_ids
    }

    fn has_guests(&self) -> bool {
        true
    }

    fn record(self, around: &Around) -> Option<Record> {
        self.write_date?;
        let owner = self.user_id.and_then(|user| around.cards.get(&user));
        let guests = around.guests.get(&self.id).map(Vec::as_slice).unwrap_or_default();
        let attendees = guests
            .iter()
            .filter(|guest| Some(&guest.partner) != owner)
            .filter_map(|guest| {
                Some(Attendee {
                    person: guest.person.clone()?,
                    attendance: Attendance::Required,
                    response: guest.response,
                })
            });
        let reminder = self
            .alarm_ids
            .iter()
            .filter_map(|id| around.reminders.get(id))
            .min();
        let privacy = self.effective_privacy.as_deref().or(self.privacy.as_deref());
        Some(Record::Event(Event {
            meeting_id: None,
            place: Place::Single,
            when: self.when()?,
            attendees: attendees.collect(),
            reminder_minutes: reminder.copied(),
            show_as: match self.show_as.as_deref() {
                Some("free") => ShowAs::Free,
                _ => ShowAs::Busy,
            },
            // "Only internal users" is what a calendar in the house shows anyway.
            sensitivity: match privacy {
                Some("private") => Sensitivity::Private,
                _ => Sensitivity::Normal,
            },
            body: html::to_text(&self.description),
            subject: self.name,
            location: self.location,
            zone: None,
            is_organizer: true,
            organizer: None,
            groups: Vec::new(),
            cancelled: false,
        }))
    }
}

impl EventRow {
    fn when(&self) -> Option<When> {
        if self.allday {
            let first = self.start_date.or(self.start.map(|at| at.date_naive()))?;
            let last = self
                .stop_date
                .or(self.stop.map(|at| at.date_naive()))
                .unwrap_or(first);
            return Some(When::AllDay {
                first,
                last: last.max(first),
            });
        }
        let start = self.start?;
        Some(When::Timed {
            start,
            end: self.stop.unwrap_or(start).max(start),
        })
    }
}

/// The cells of an event, without its people and its reminder.
pub(super) fn fill(sheet: &mut Sheet<'_>, event: &Event) {
    if sheet.wants(Field::Subject) {
        // Odoo wants a title; a blank one is shown as one.
        let subject = event.subject.expose();
        sheet.put_text("name", if subject.is_empty() { " " } else { subject.as_str() });
    }
    if sheet.wants(Field::Body) {
        sheet.put_text("description", html::of_text(event.body.expose()));
    }
    sheet.text(Field::Location, "location", &event.location);
    if sheet.wants(Field::When) {
        fill_when(sheet, &event.when);
    }
    if sheet.wants(Field::ShowAs) {
        let free = event.show_as == ShowAs::Free;
        sheet.put_text("show_as", if free { "free" } else { "busy" });
    }
    if sheet.wants(Field::Privacy) {
        let private = event.sensitivity.is_private();
        sheet.put_text("privacy", if private { "private" } else { "public" });
    }
}

fn fill_when(sheet: &mut Sheet<'_>, when: &When) {
    match when {
        When::Timed { start, end } => {
            sheet.put("allday", Cell::Flag(false));
            sheet.put_text("start", value::write_instant(*start));
            sheet.put_text("stop", value::write_instant(*end));
        }
        When::AllDay { first, last } => {
            let at = |day: &NaiveDate, hour| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hour);
            sheet.put("allday", Cell::Flag(true));
            sheet.put_text("start_date", first.to_string());
            sheet.put_text("stop_date", last.to_string());
            sheet.put_text("start", value::write_instant(at(first, 8)));
            sheet.put_text("stop", value::write_instant(at(last, 18)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::odoo::convert::row::Guest;
    use crate::record::event::Response;
    use crate::record::person::Person;
    use serde_json::{Value, json};

    fn row(mut more: Value) -> EventRow {
        let base = json!({ "id": 7, "write_date": "2026-03-01 09:30:00", "user_id": [5, "Ada"] });
        for (name, value) in base.as_object().expect("an object") {
            more[name] = value.clone();
        }
        serde_json::from_value(more).expect("a row")
    }

    fn event(row: EventRow, around: &Around) -> Event {
        match row.record(around) {
            Some(Record::Event(event)) => event,
            _ => panic!("an event"),
        }
    }

    #[test]
    fn what_is_empty_is_false_in_odoo() {
        let row = row(json!({
            "name": "Meeting", "description": false, "location": false, "privacy": false,
            "start": "2026-03-01 10:00:00", "stop": "2026-03-01 11:00:00",
        }));
        let event = event(row, &Around::default());
        assert!(event.location.expose().is_empty() && event.body.expose().is_empty());
        assert!(event.place == Place::Single && event.sensitivity == Sensitivity::Normal);
    }

    #[test]
    fn the_owner_is_no_guest_and_whoever_has_no_address_is_left_out() {
        let guest = |partner, address: Option<&str>| Guest {
            row: partner,
            partner,
            person: address.map(Person::at),
            response: Response::Accepted,
        };
        let guests = vec![
            guest(50, Some("ada@corp.example")),
            guest(51, Some("ben@out.example")),
            guest(52, None),
        ];
        let around = Around {
            guests: [(7, guests)].into(),
            cards: [(5, 50)].into(),
            ..Around::default()
        };
        let row = row(json!({ "allday": true, "start_date": "2026-03-01", "stop_date": "2026-03-02" }));
        let event = event(row, &around);
        let addresses: Vec<&str> = event
            .attendees
            .iter()
            .map(|attendee| attendee.person.address.expose().as_str())
            .collect();
        assert_eq!(addresses, ["ben@out.example"]);
    }
}
