//! Event ("Event", Object Reference): meetings and appointments.
//!
//! A timed event has StartDateTime and EndDateTime. An event of whole days has IsAllDayEvent, its first day in
//! ActivityDate (and, equal to it, StartDateTime at midnight UTC, which no zone ever shifts) and its length in
//! DurationInMinutes, 1,440 for each day. EndDateTime is not sent for these: whether midnight of the last day
//! or of the day after is meant depends on who reads, while the length has one meaning.
//!
//! "Event Series and Recurring Events": a change of one future date of a Lightning series changes the whole series, so
//! that we leave such a date as it is.

use super::relation::Relation;
use super::row::{self, Head, People, Row, is_person, text};
use super::sheet::Sheet;
use super::time;
use crate::crm::salesforce::wire::query::Rows;
use crate::record::Record;
use crate::record::event::{Attendance, Attendee, Event, Place, Response, Sensitivity, ShowAs, When};
use crate::record::field::Field;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

const MINUTES_OF_A_DAY: i64 = 1440;
/// "IsRecurrence2 Series Pattern", of GroupEventType.
const SERIES_PATTERN: &str = "3";

/// See [`super::columns`].
pub(super) const COLUMNS: &[&str] = &[
    "Subject",
    "Description",
    "Location",
    "StartDateTime",
    "EndDateTime",
    "ActivityDate",
    "DurationInMinutes",
    "IsAllDayEvent",
    "ShowAs",
    "IsPrivate",
    "ReminderDateTime",
    "IsReminderSet",
    "OwnerId",
    "WhoId",
    "EventWhoIds",
    "IsChild",
    "IsRecurrence",
    "IsRecurrence2",
    "GroupEventType",
    row::KEY,
];

/// See [`super::fields`].
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::Subject, &["Subject"]),
    (Field::Body, &["Description"]),
    (Field::Location, &["Location"]),
    (Field::When, &["StartDateTime", "EndDateTime", "IsAllDayEvent"]),
    (Field::ShowAs, &["ShowAs"]),
    (Field::Privacy, &["IsPrivate"]),
    (Field::Reminder, &["ReminderDateTime", "IsReminderSet"]),
    (Field::Attendees, &["WhoId"]),
    (Field::Responses, &["WhoId"]),
];

/// A row.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::crm::salesforce) struct EventRow {
    id: String,
    #[serde(deserialize_with = "time::required")]
    system_modstamp: DateTime<Utc>,
    #[serde(default)]
    is_deleted: bool,
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
    owner_id: Option<String>,
    subject: Option<String>,
    description: Option<String>,
    location: Option<String>,
    #[serde(default, deserialize_with = "time::optional")]
    start_date_time: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "time::optional")]
    end_date_time: Option<DateTime<Utc>>,
    activity_date: Option<NaiveDate>,
    duration_in_minutes: Option<i64>,
    #[serde(default)]
    is_all_day_event: bool,
    show_as: Option<String>,
    #[serde(default)]
    is_private: bool,
    #[serde(default, deserialize_with = "time::optional")]
    reminder_date_time: Option<DateTime<Utc>>,
    #[serde(default)]
    is_reminder_set: bool,
    who_id: Option<String>,
    #[serde(default)]
    is_recurrence: bool,
    #[serde(default)]
    is_recurrence2: bool,
    group_event_type: Option<String>,
    event_relations: Option<Rows<Relation>>,
}

impl Row for EventRow {
    fn head(&self) -> Head {
        Head {
            id: self.id.clone(),
            modified: self.system_modstamp,
            deleted: self.is_deleted,
            key: self.key.clone(),
            owner: self.owner_id.clone(),
            fixed: self.is_recurrence2,
        }
    }

    fn people(&self) -> Vec<&str> {
        self.guests().into_iter().map(|(id, _)| id).collect()
    }

    fn take_rest(&mut self) -> Option<String> {
        let relations = self.event_relations.as_mut()?;
        relations.next.take().filter(|_| !relations.done)
    }

    fn add_rest(&mut self, rest: Vec<Relation>) {
        if let Some(relations) = &mut self.event_relations {
            relations.records.extend(rest);
        }
    }

    fn record(self, people: &People) -> Option<Record> {
        let when = self.when()?;
        let attendees = self.guests().into_iter().filter_map(|(id, response)| {
            Some(Attendee {
                person: people.get(id)?.clone(),
                attendance: Attendance::Required,
                response,
            })
        });
        let attendees = attendees.collect();
        Some(Record::Event(Event {
            meeting_id: None,
            place: self.place(),
            reminder_minutes: self.reminder(&when),
            when,
            attendees,
            subject: text(self.subject),
            body: text(self.description),
            location: text(self.location),
            zone: None,
            show_as: match self.show_as.as_deref() {
                Some("Free") => ShowAs::Free,
                Some("OutOfOffice") => ShowAs::OutOfOffice,
                _ => ShowAs::Busy,
            },
            sensitivity: match self.is_private {
                true => Sensitivity::Private,
                false => Sensitivity::Normal,
            },
            is_organizer: true,
            organizer: None,
            groups: Vec::new(),
            cancelled: false,
        }))
    }
}

impl EventRow {
    /// Which event.
    pub(in crate::crm::salesforce) fn id(&self) -> &str {
        &self.id
    }

    fn when(&self) -> Option<When> {
        let minutes = self.duration_in_minutes;
        if self.is_all_day_event {
            let first = self
                .activity_date
                .or(self.start_date_time.map(|at| at.date_naive()))?;
            let days = match (minutes, self.end_date_time) {
                (Some(minutes), _) => (minutes + MINUTES_OF_A_DAY - 1) / MINUTES_OF_A_DAY,
                (None, Some(end)) => (end.date_naive() - first).num_days() + 1,
                (None, None) => 1,
            };
            let last = first.checked_add_signed(TimeDelta::days(days.max(1) - 1))?;
            return Some(When::AllDay { first, last });
        }
        let start = self.start_date_time?;
        let end = self
            .end_date_time
            .or_else(|| start.checked_add_signed(TimeDelta::minutes(minutes?)));
        Some(When::Timed {
            start,
            end: end.unwrap_or(start).max(start),
        })
    }

    /// The record that stands for a series (the main one of Classic, the pattern of Lightning Experience), or an event
    /// like any other: each date of a series is a record of its own.
    fn place(&self) -> Place {
        match self.is_recurrence || self.group_event_type.as_deref() == Some(SERIES_PATTERN) {
            true => Place::Master,
            false => Place::Single,
        }
    }

    fn reminder(&self, when: &When) -> Option<u32> {
        let at = self.reminder_date_time.filter(|_| self.is_reminder_set)?;
        Some(u32::try_from((start(when) - at).num_minutes()).unwrap_or(0))
    }

    /// The people related to it, each once, without its owner.
    fn guests(&self) -> Vec<(&str, Response)> {
        let mut guests: Vec<(&str, Response)> = Vec::new();
        let related = self
            .event_relations
            .iter()
            .flat_map(|relations| &relations.records);
        let related = related.filter_map(|relation| {
            let response = match relation.status.as_deref() {
                Some("Accepted") => Response::Accepted,
                Some("Declined") => Response::Declined,
                Some("Maybe") => Response::Tentative,
                _ => Response::None,
            };
            Some((relation.relation_id.as_deref()?, response))
        });
        let first = self.who_id.as_deref().map(|id| (id, Response::None));
        for (id, response) in related.chain(first) {
            let known = guests.iter().any(|(known, _)| *known == id);
            if is_person(id) && !known && self.owner_id.as_deref() != Some(id) {
                guests.push((id, response));
            }
        }
        guests
    }
}

fn start(when: &When) -> DateTime<Utc> {
    match when {
        When::Timed { start, .. } => *start,
        When::AllDay { first, .. } => time::midnight(*first),
    }
}

/// The columns of an event, without its people.
pub(super) fn fill(sheet: &mut Sheet<'_>, event: &Event) {
    sheet.text(Field::Subject, "Subject", &event.subject);
    sheet.text(Field::Body, "Description", &event.body);
    sheet.text(Field::Location, "Location", &event.location);
    if sheet.wants(Field::When) {
        fill_when(sheet, &event.when);
    }
    if sheet.wants(Field::ShowAs) {
        sheet.put(
            "ShowAs",
            match event.show_as {
                ShowAs::Free => "Free",
                ShowAs::OutOfOffice => "OutOfOffice",
                ShowAs::Busy | ShowAs::Tentative => "Busy",
            },
        );
    }
    if sheet.wants(Field::Privacy) {
        sheet.put("IsPrivate", event.sensitivity.is_private());
    }
    if sheet.wants(Field::Reminder) {
        fill_reminder(sheet, &event.when, event.reminder_minutes);
    }
}

/// The columns of the reminder.
pub(in crate::crm::salesforce) fn fill_reminder(sheet: &mut Sheet<'_>, when: &When, minutes: Option<u32>) {
    let minutes = minutes.map(|minutes| TimeDelta::minutes(minutes.into()));
    let at = minutes.and_then(|minutes| start(when).checked_sub_signed(minutes));
    sheet.put("IsReminderSet", at.is_some());
    sheet.put("ReminderDateTime", at.map(time::instant));
}

fn fill_when(sheet: &mut Sheet<'_>, when: &When) {
    match when {
        When::Timed { start, end } => {
            sheet.put("IsAllDayEvent", false);
            sheet.put("StartDateTime", time::instant(*start));
            sheet.put("EndDateTime", time::instant(*end));
        }
        When::AllDay { first, last } => {
            let days = (*last - *first).num_days() + 1;
            sheet.put("IsAllDayEvent", true);
            sheet.put("ActivityDate", time::day(*first));
            sheet.put("StartDateTime", time::instant(time::midnight(*first)));
            sheet.put("DurationInMinutes", days.max(1) * MINUTES_OF_A_DAY);
        }
    }
}

/// The people of an event that are columns of its own: the first, and with shared activities all of them.
pub(in crate::crm::salesforce) fn fill_who<'a>(
    sheet: &mut Sheet<'_>,
    who: impl Iterator<Item = &'a str>,
    shared: bool,
) {
    let all: Vec<Value> = who.map(Value::from).collect();
    sheet.put("WhoId", all.first().cloned());
    if shared && (!all.is_empty() || !sheet.creating) {
        sheet.put("EventWhoIds", Value::Array(all));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(mut more: Value) -> EventRow {
        let base =
            json!({ "Id": "00U1", "SystemModstamp": "2026-03-01T09:30:00.000+0000", "OwnerId": "0051" });
        for (name, value) in base.as_object().expect("an object") {
            more[name] = value.clone();
        }
        serde_json::from_value(more).expect("a row")
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn the_length_of_an_event_of_whole_days_is_its_minutes_and_else_the_span_of_its_ends() {
        let by_minutes =
            row(json!({ "IsAllDayEvent": true, "ActivityDate": "2026-03-01", "DurationInMinutes": 2880 }));
        let by_ends = row(json!({
            "IsAllDayEvent": true,
            "StartDateTime": "2026-03-01T00:00:00.000+0000",
            "EndDateTime": "2026-03-02T00:00:00.000+0000"
        }));
        let expected = Some(When::AllDay {
            first: day("2026-03-01"),
            last: day("2026-03-02"),
        });
        assert_eq!(by_minutes.when(), expected);
        assert_eq!(by_ends.when(), expected);
    }

    #[test]
    fn a_series_is_told_from_its_dates_and_a_date_of_lightning_is_fixed() {
        let of = |fields| {
            let row = row(fields);
            (row.place(), row.head().fixed)
        };
        assert_eq!(of(json!({ "IsRecurrence": true })), (Place::Master, false));
        assert_eq!(
            of(json!({ "IsRecurrence2": true, "GroupEventType": "3" })),
            (Place::Master, true)
        );
        assert_eq!(
            of(json!({ "IsRecurrence2": true, "GroupEventType": "0" })),
            (Place::Single, true)
        );
        assert_eq!(of(json!({})), (Place::Single, false));
    }

    #[test]
    fn guests_beyond_the_first_page_of_an_event_are_asked_for() {
        let mut row = row(json!({
            "EventRelations": {
                "totalSize": 2, "done": false, "nextRecordsUrl": "/services/data/v62.0/query/01gD-1",
                "records": [{ "RelationId": "0031", "Status": "New" }]
            }
        }));
        assert_eq!(
            row.take_rest().as_deref(),
            Some("/services/data/v62.0/query/01gD-1")
        );
        row.add_rest(vec![Relation {
            relation_id: Some("0032".to_owned()),
            status: None,
        }]);
        assert_eq!(row.guests().len(), 2);
        assert_eq!(row.take_rest(), None, "they are here now");
    }

    #[test]
    fn a_guest_is_named_once_and_neither_owner_nor_account_is_a_guest() {
        let row = row(json!({
            "WhoId": "0031",
            "EventRelations": { "records": [
                { "RelationId": "0031", "Status": "Accepted" },
                { "RelationId": "0051", "Status": "New" },
                { "RelationId": "0011", "Status": "New" },
                { "RelationId": "00Q1", "Status": "Declined" }
            ] }
        }));
        assert_eq!(
            row.guests(),
            [("0031", Response::Accepted), ("00Q1", Response::Declined)]
        );
    }
}
