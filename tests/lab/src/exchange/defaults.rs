//! What the server adds to an item that a client or the seed left out, and the rules that tie
//! properties to each other. Applied when an item is made ([`complete`]) and after each update
//! ([`settle`]).

use super::directory::Principal;
use super::extended;
use super::field::Field;
use super::item::{Attachment, AttachmentContent, Dictionary, Item, Kind};
use super::refusal::Refusal;
use super::series;
use super::value::{Address, Value};
use super::zone::Zone;
use chrono::{DateTime, Duration, NaiveTime, Utc};
use sha2::{Digest, Sha256};

/// Longer calendar items are refused.
const LONGEST_DAYS: i64 = 5 * 366;

/// Fills in what every stored item has. Never fails: what cannot be right is left as it is.
pub fn complete(item: &mut Item, at: DateTime<Utc>, owner: Option<&Principal>) {
    let mut serial = item
        .attachments
        .iter()
        .map(|attachment| attachment.serial)
        .max()
        .unwrap_or(0);
    number(&mut item.attachments, &mut serial);
    match item.kind {
        Kind::CalendarItem => complete_calendar(item, at, owner),
        Kind::Contact => complete_contact(item),
        Kind::Task => complete_task(item, owner),
        kind if kind.is_mail() => complete_mail(item),
        _ => {}
    }
}

/// Numbers new attachments, those of attached items included, so that each has its own within the
/// whole item.
fn number(attachments: &mut [Attachment], last: &mut u32) {
    for attachment in attachments {
        if attachment.serial == 0 {
            *last += 1;
            attachment.serial = *last;
        }
        if let AttachmentContent::Item(item) = &mut attachment.content {
            number(&mut item.attachments, last);
        }
    }
}

/// Numbers the attachments of an item that got new ones.
pub fn number_attachments(item: &mut Item) {
    let mut last = highest(&item.attachments);
    number(&mut item.attachments, &mut last);
}

fn highest(attachments: &[Attachment]) -> u32 {
    let inner = |attachment: &Attachment| match &attachment.content {
        AttachmentContent::Item(item) => highest(&item.attachments),
        _ => 0,
    };
    attachments
        .iter()
        .map(|attachment| attachment.serial.max(inner(attachment)))
        .max()
        .unwrap_or(0)
}

fn default(item: &mut Item, field: Field, value: impl Into<Value>) {
    if item.get(field).is_none() {
        item.set(field, value);
    }
}

fn complete_mail(item: &mut Item) {
    default(item, Field::IsRead, false);
    let topic = topic(item.text(Field::Subject)).to_owned();
    default(item, Field::ConversationTopic, topic);
}

/// A subject without its reply and forward prefixes.
pub fn topic(subject: &str) -> &str {
    let mut rest = subject.trim();
    loop {
        let stripped = ["re:", "fw:", "fwd:", "aw:", "wg:"]
            .into_iter()
            .find_map(|prefix| {
                let head = rest.get(..prefix.len())?;
                head.eq_ignore_ascii_case(prefix)
                    .then(|| rest[prefix.len()..].trim_start())
            });
        match stripped {
            Some(shorter) => rest = shorter,
            None => return rest,
        }
    }
}

fn complete_calendar(item: &mut Item, at: DateTime<Utc>, owner: Option<&Principal>) {
    if let (None, Some(Value::Zone(zone))) = (
        item.get(Field::StartTimeZone),
        item.get(Field::MeetingTimeZone).cloned(),
    ) {
        item.set(Field::StartTimeZone, zone);
    }
    default(item, Field::StartTimeZone, Zone::windows("UTC"));
    if let (None, Some(zone)) = (
        item.get(Field::EndTimeZone),
        item.get(Field::StartTimeZone).cloned(),
    ) {
        item.set(Field::EndTimeZone, zone);
    }
    let start = item.time(Field::Start).unwrap_or(at);
    default(item, Field::Start, start);
    default(item, Field::End, start + Duration::minutes(30));
    default(item, Field::LegacyFreeBusyStatus, "Busy");
    if item.get(Field::ReminderIsSet).is_none() {
        item.set(Field::ReminderIsSet, true);
        default(item, Field::ReminderMinutesBeforeStart, 15i64);
    }
    if let (None, Some(owner)) = (item.get(Field::Organizer), owner) {
        item.set(Field::Organizer, Address::new(&owner.display, &owner.smtp));
    }
    if item.text(Field::Uid).is_empty() {
        let uid = extended::new_uid(derived_guid(item, at, owner));
        item.set(Field::Uid, uid);
    }
    default(item, Field::DateTimeStamp, at);
    default(item, Field::IsCancelled, false);
    default(item, Field::AppointmentSequenceNumber, 0i64);
    let asked = has_attendees(item);
    if item.get(Field::MyResponseType).is_none() {
        item.set(Field::MyResponseType, if asked { "Organizer" } else { "Unknown" });
    }
    default(item, Field::IsMeeting, asked);
    default(item, Field::AppointmentState, i64::from(asked));
    // A calendar item that breaks these rules never gets here from a client; the seed keeps them.
    let _ = settle_calendar(item);
}

/// A GUID that comes out the same whenever the same item is made, as the seed needs it.
fn derived_guid(item: &Item, at: DateTime<Utc>, owner: Option<&Principal>) -> uuid::Uuid {
    let mut digest = Sha256::new_with_prefix(b"uid");
    digest.update(owner.map_or("", |owner| owner.smtp.as_str()));
    digest.update(at.timestamp().to_be_bytes());
    digest.update(item.text(Field::Subject));
    digest.update(item.time(Field::Start).unwrap_or(at).timestamp().to_be_bytes());
    let digest = digest.finalize();
    let mut octets = [0; 16];
    octets.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(octets).into_uuid()
}

/// Whether anybody is asked to a meeting.
pub fn has_attendees(item: &Item) -> bool {
    [
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::Resources,
    ]
    .into_iter()
    .any(|field| !item.attendees(field).is_empty())
}

/// Applies the rules that tie an item's properties to each other after a client wrote some.
/// `written` are the properties it wrote, in its order.
///
/// # Errors
/// The item cannot be as the client wants it.
pub fn settle(item: &mut Item, written: &[Field]) -> Result<(), Refusal> {
    match item.kind {
        Kind::CalendarItem => {
            if has_attendees(item) && !item.flag(Field::IsMeeting) {
                item.set(Field::IsMeeting, true);
                item.set(Field::MyResponseType, "Organizer");
                item.set(
                    Field::AppointmentState,
                    item.int(Field::AppointmentState).unwrap_or(0) | 1,
                );
            }
            settle_calendar(item)
        }
        Kind::Task => settle_task(item, written),
        Kind::Contact => {
            settle_file_as(item, written);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn settle_calendar(item: &mut Item) -> Result<(), Refusal> {
    let (Some(mut start), Some(mut end)) = (item.time(Field::Start), item.time(Field::End)) else {
        return Ok(());
    };
    if end < start {
        return Err(Refusal::new(
            "ErrorCalendarEndDateIsEarlierThanStartDate",
            "EndDate is earlier than StartDate",
        ));
    }
    if end - start > Duration::days(LONGEST_DAYS) {
        return Err(Refusal::new(
            "ErrorCalendarDurationIsTooLong",
            "Duration of calendar item is too long.",
        ));
    }
    let rules = series::zone_rules(item);
    if item.flag(Field::IsAllDayEvent) {
        let first = rules.to_local(start).date();
        let last = rules.to_local(end).date();
        // The end is the beginning of the day after the last one, which is not midnight where the clocks skip
        // that; an end within a day means the whole day.
        let last_day = if end == rules.to_utc(last.and_time(NaiveTime::MIN)) {
            last
        } else {
            last + Duration::days(1)
        };
        let last_day = last_day.max(first + Duration::days(1));
        start = rules.to_utc(first.and_time(NaiveTime::MIN));
        end = rules.to_utc(last_day.and_time(NaiveTime::MIN));
    }
    if series::rule(item).is_some() {
        item.set(Field::Start, start);
        let first = series::originals(item, None, None).first().copied();
        let first = first.ok_or_else(|| {
            Refusal::new(
                "ErrorRecurrenceHasNoOccurrence",
                "The recurrence has no occurrences.",
            )
        })?;
        end = rules.to_utc(rules.to_local(first) + (rules.to_local(end) - rules.to_local(start)));
        start = first;
    }
    item.set(Field::Start, start);
    item.set(Field::End, end);
    if item.flag(Field::ReminderIsSet) {
        item.set(Field::ReminderDueBy, start);
    } else {
        item.unset(Field::ReminderDueBy);
    }
    Ok(())
}

fn complete_contact(item: &mut Item) {
    settle_file_as(item, &[]);
    let full = [
        item.text(Field::GivenName),
        item.text(Field::MiddleName),
        item.text(Field::Surname),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" ");
    if !full.is_empty() {
        default(item, Field::DisplayName, full);
    }
    let subject = [
        item.text(Field::DisplayName),
        item.text(Field::ContactFileAs),
        item.text(Field::CompanyName),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .unwrap_or_default()
    .to_owned();
    default(item, Field::Subject, subject);
    for key in ["EmailAddress1", "EmailAddress2", "EmailAddress3"] {
        if let (Some(address), None) = (
            item.entry(Dictionary::EmailAddress, key),
            item.entry(Dictionary::EmailName, key),
        ) {
            let name = address.to_owned();
            item.set_entry(Dictionary::EmailName, key, name);
        }
    }
}

/// FileAs follows its mapping until somebody sets it outright.
fn settle_file_as(item: &mut Item, written: &[Field]) {
    if written.contains(&Field::ContactFileAs) && !written.contains(&Field::FileAsMapping) {
        item.set(Field::FileAsMapping, "None");
        return;
    }
    let (given, family) = (item.text(Field::GivenName), item.text(Field::Surname));
    let company = item.text(Field::CompanyName);
    let joined = |parts: [&str; 2], with: &str| {
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(with)
    };
    let last_first = joined([family, given], ", ");
    let file_as = match item.text(Field::FileAsMapping) {
        "LastCommaFirst" => last_first,
        "FirstSpaceLast" => joined([given, family], " "),
        "LastSpaceFirst" => joined([family, given], " "),
        "LastFirst" => joined([family, given], ""),
        "Company" => company.to_owned(),
        "LastCommaFirstCompany" => joined([&last_first, company], "\r\n"),
        "CompanyLastCommaFirst" => joined([company, &last_first], "\r\n"),
        "FirstName" => given.to_owned(),
        "LastName" => family.to_owned(),
        "DisplayName" => item.text(Field::DisplayName).to_owned(),
        "Empty" => String::new(),
        _ => return,
    };
    item.set(Field::ContactFileAs, file_as);
}

fn complete_task(item: &mut Item, owner: Option<&Principal>) {
    if let Some(owner) = owner {
        default(item, Field::Owner, owner.display.as_str());
    }
    let written: Vec<Field> = item.values().iter().map(|(field, _)| *field).collect();
    default(item, Field::Status, "NotStarted");
    default(item, Field::PercentComplete, 0.0);
    default(item, Field::ChangeCount, 1i64);
    default(item, Field::IsTeamTask, false);
    let _ = settle_task(item, &written);
}

/// Midnight of the day that an instant is on, in UTC: tasks have days, no times.
fn day(time: DateTime<Utc>) -> DateTime<Utc> {
    time.date_naive().and_time(NaiveTime::MIN).and_utc()
}

fn settle_task(item: &mut Item, written: &[Field]) -> Result<(), Refusal> {
    for field in [Field::StartDate, Field::DueDate, Field::CompleteDate] {
        if let Some(time) = item.time(field) {
            item.set(field, day(time));
        }
    }
    if let (Some(start), Some(due)) = (item.time(Field::StartDate), item.time(Field::DueDate))
        && due < start
    {
        return Err(Refusal::new(
            "ErrorPropertyValidationFailure",
            "The due date is before the start date.",
        )
        .with("FieldURI", Field::DueDate.uri()));
    }
    // The last of the three that the request wrote says whether the task is done.
    let deciding = written.iter().rev().find(|field| {
        matches!(
            field,
            Field::Status | Field::PercentComplete | Field::CompleteDate
        )
    });
    let percent = match item.get(Field::PercentComplete) {
        Some(Value::Double(percent)) => *percent,
        _ => 0.0,
    };
    let done = match deciding {
        Some(Field::PercentComplete) => percent >= 100.0,
        Some(Field::CompleteDate) => item.time(Field::CompleteDate).is_some(),
        _ => item.text(Field::Status) == "Completed",
    };
    if done {
        item.set(Field::Status, "Completed");
        item.set(Field::PercentComplete, 100.0);
        return Ok(());
    }
    item.unset(Field::CompleteDate);
    if item.text(Field::Status) == "Completed" {
        item.set(
            Field::Status,
            if percent > 0.0 && percent < 100.0 {
                "InProgress"
            } else {
                "NotStarted"
            },
        );
    }
    if percent >= 100.0 {
        item.set(Field::PercentComplete, 0.0);
    } else if deciding == Some(&Field::PercentComplete)
        && percent > 0.0
        && item.text(Field::Status) == "NotStarted"
    {
        item.set(Field::Status, "InProgress");
    }
    Ok(())
}

/// The day on which a task was completed, where the request did not say.
pub fn stamp_completion(item: &mut Item, at: DateTime<Utc>) {
    if item.kind == Kind::Task && item.text(Field::Status) == "Completed" {
        default(item, Field::CompleteDate, day(at));
    }
}
