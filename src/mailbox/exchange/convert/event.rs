//! Meetings and appointments.

use super::definition::{self, Reach};
use super::parts::{body, person, sensitivity};
use super::{series, time, zone};
use crate::foundation::content::Content;
use crate::mailbox::error::MailboxError;
use crate::mailbox::exchange::wire::appointment::{RawAppointment, RawAttendee};
use crate::mailbox::exchange::wire::item::RawItem;
use crate::mailbox::exchange::wire::path::Path;
use crate::mailbox::exchange::wire::property::{Property, Value};
use crate::record::event::{Attendance, Attendee, Event, Group, Place, Response, Sensitivity, ShowAs, When};
use crate::record::field::{Field, FieldSet};
use crate::record::person::address_key;
use chrono_tz::Tz;

/// The record of a calendar item; `home` is preferred where the rules of its zone leave a choice.
///
/// # Errors
/// [`MailboxError::Refused`] for one without a start or an end.
pub fn read(raw: &mut RawItem, home: Option<Tz>) -> Result<Event, MailboxError> {
    let appointment = std::mem::take(&mut raw.appointment);
    let (Some(start), Some(end)) = (appointment.start, appointment.end) else {
        return Err(MailboxError::Refused {
            code: "CalendarItemWithoutTimes".to_owned(),
        });
    };
    let reach = Reach::of(start, end, appointment.series.recurrence.as_ref());
    let made_in = definition::made_in(&appointment.zone, &appointment.end_zone, reach, home);
    let original = appointment.original.map(|original| {
        let foreign = made_in.is_none() && !appointment.all_day;
        let day = foreign.then(|| definition::local_day(&appointment.zone, original));
        let by_zone = || series::day_of(original, appointment.all_day, made_in, None);
        day.flatten().unwrap_or_else(by_zone)
    });
    let when = if appointment.all_day {
        let (first, last) = time::days(start, end, made_in);
        When::AllDay { first, last }
    } else {
        When::Timed {
            start,
            end: end.max(start),
        }
    };
    let groups = groups(&appointment);
    let attendees = attendees(appointment.required, Attendance::Required)
        .chain(attendees(appointment.optional, Attendance::Optional))
        .chain(attendees(appointment.resources, Attendance::Resource))
        .collect();
    Ok(Event {
        meeting_id: raw.meeting_id.take(),
        place: match appointment.item_type.as_str() {
            "RecurringMaster" => Place::Master,
            "Occurrence" | "Exception" => original.map_or(Place::Occurrence, Place::Dated),
            _ => Place::Single,
        },
        subject: Content::new(std::mem::take(&mut raw.subject)),
        body: Content::new(std::mem::take(&mut raw.body)),
        location: Content::new(appointment.location),
        when,
        zone: made_in,
        show_as: match appointment.free_busy.as_str() {
            "Free" | "WorkingElsewhere" => ShowAs::Free,
            "Tentative" => ShowAs::Tentative,
            "OOF" => ShowAs::OutOfOffice,
            _ => ShowAs::Busy,
        },
        sensitivity: sensitivity(&raw.sensitivity),
        reminder_minutes: raw.reminder_minutes.filter(|_| raw.reminder_is_set),
        is_organizer: !appointment.is_meeting || appointment.my_response == "Organizer",
        // Exchange names the owner as the organiser of an appointment that nobody else was asked to.
        organizer: appointment
            .organizer
            .filter(|_| appointment.is_meeting)
            .and_then(person),
        attendees,
        groups,
        cancelled: appointment.is_cancelled,
    })
}

/// The distribution lists among the attendees; who is behind them is asked for later.
fn groups(appointment: &RawAppointment) -> Vec<Group> {
    let asked = [
        &appointment.required,
        &appointment.optional,
        &appointment.resources,
    ];
    let lists = asked.into_iter().flatten().map(|raw| &raw.mailbox);
    let lists = lists.filter(|raw| raw.is_list() && !raw.address.is_empty());
    lists
        .map(|raw| Group {
            key: address_key(&raw.address),
            members: Vec::new(),
            hidden: 1,
        })
        .collect()
}

fn attendees(raw: Vec<RawAttendee>, attendance: Attendance) -> impl Iterator<Item = Attendee> {
    raw.into_iter().filter_map(move |raw| {
        let response = match raw.response.as_str() {
            "Accept" | "Organizer" => Response::Accepted,
            "Tentative" => Response::Tentative,
            "Decline" => Response::Declined,
            _ => Response::None,
        };
        Some(Attendee {
            person: person(raw.mailbox)?,
            attendance,
            response,
        })
    })
}

/// These fields of an event as properties, with the stamp in its place; only a new item has one. `home` is the
/// zone for whole days, and for a new item, that name none.
pub fn properties(
    event: &Event,
    fields: FieldSet,
    stamp: Option<Property>,
    home: Option<Tz>,
) -> Vec<Property> {
    let zone = Zones {
        own: event.zone,
        home,
        is_new: stamp.is_some(),
    };
    let mut list = of_any_item(event, fields);
    list.extend(stamp);
    let zone = if fields.has(Field::When) {
        times(event, zone, &mut list)
    } else {
        None
    };
    if fields.has(Field::ShowAs) {
        let word = match event.show_as {
            ShowAs::Free => "Free",
            ShowAs::Tentative => "Tentative",
            ShowAs::Busy => "Busy",
            ShowAs::OutOfOffice => "OOF",
        };
        list.push(Property::word("calendar:LegacyFreeBusyStatus", word));
    }
    if fields.has(Field::Location) {
        list.push(Property::text(
            Path::Field("calendar:Location"),
            event.location.expose(),
        ));
    }
    if fields.has(Field::Attendees) {
        list.push(asked(event, "calendar:RequiredAttendees", Attendance::Required));
        list.push(asked(event, "calendar:OptionalAttendees", Attendance::Optional));
        list.push(asked(event, "calendar:Resources", Attendance::Resource));
    }
    if let Some(id) = zone {
        for uri in ["calendar:StartTimeZone", "calendar:EndTimeZone"] {
            list.push(Property {
                path: Path::Field(uri),
                value: Some(Value::Zone(id.to_owned())),
            });
        }
    }
    list
}

/// What the schema has for every item and lists first.
fn of_any_item(event: &Event, fields: FieldSet) -> Vec<Property> {
    let mut list = Vec::new();
    if fields.has(Field::Subject) {
        list.push(Property::text(
            Path::Field("item:Subject"),
            event.subject.expose(),
        ));
    }
    if fields.has(Field::Privacy) {
        let word = match event.sensitivity {
            Sensitivity::Normal => "Normal",
            Sensitivity::Personal => "Personal",
            Sensitivity::Private => "Private",
            Sensitivity::Confidential => "Confidential",
        };
        list.push(Property::word("item:Sensitivity", word));
    }
    if fields.has(Field::Body) {
        list.push(body(event.body.expose()));
    }
    if fields.has(Field::Reminder) {
        list.push(Property::word(
            "item:ReminderIsSet",
            event.reminder_minutes.is_some().to_string(),
        ));
        if let Some(minutes) = event.reminder_minutes {
            list.push(Property::word(
                "item:ReminderMinutesBeforeStart",
                minutes.to_string(),
            ));
        }
    }
    list
}

/// Where an event's zone may come from.
struct Zones {
    own: Option<Tz>,
    home: Option<Tz>,
    is_new: bool,
}

/// Start, end and whole days; gives the zone to name with them. Whole days are midnights of the very zone that
/// is named, or they would cover a part of a day more. An item that has a zone keeps it where the record
/// brings none, for its instants are the same in any.
fn times(event: &Event, zones: Zones, list: &mut Vec<Property>) -> Option<&'static str> {
    let known = |tz: Option<Tz>| tz.and_then(|tz| Some((tz, zone::to_windows(tz)?)));
    let at_home = known(zones.own).or(known(zones.home));
    let (start, end, all_day, named) = match event.when {
        When::Timed { start, end } => {
            let zone = if zones.is_new { at_home } else { known(zones.own) };
            (start, end, false, zone.map(|(_, windows)| windows))
        }
        When::AllDay { first, last } => {
            let (tz, windows) = at_home.unwrap_or((Tz::UTC, "UTC"));
            let (start, end) = time::span(first, last, tz);
            (start, end, true, Some(windows))
        }
    };
    list.push(Property::word("calendar:Start", time::literal(start)));
    list.push(Property::word("calendar:End", time::literal(end)));
    list.push(Property::word("calendar:IsAllDayEvent", all_day.to_string()));
    named
}

fn asked(event: &Event, uri: &'static str, attendance: Attendance) -> Property {
    let asked: Vec<_> = event
        .attendees
        .iter()
        .filter(|attendee| attendee.attendance == attendance)
        .map(|attendee| {
            let name = attendee.person.name.as_ref().map(|name| name.expose().clone());
            (name, attendee.person.address.expose().clone())
        })
        .collect();
    Property {
        path: Path::Field(uri),
        value: (!asked.is_empty()).then_some(Value::Attendees(asked)),
    }
}
