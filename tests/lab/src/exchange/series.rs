//! Series of calendar items: occurrences made out of the master's rule, its exceptions and its
//! deletions. An occurrence is identified by the start that the rule gives it.

use super::field::Field;
use super::item::{Item, Kind};
use super::recurrence::Recurrence;
use super::refusal::Refusal;
use super::value::Value;
use super::zone::{Rules, Zone};
use chrono::{DateTime, Duration, Utc};

/// CalendarItemType.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the schema's value")]
pub enum Role {
    Single,
    Occurrence,
    Exception,
    RecurringMaster,
}

impl Role {
    /// The schema's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Single => "Single",
            Role::Occurrence => "Occurrence",
            Role::Exception => "Exception",
            Role::RecurringMaster => "RecurringMaster",
        }
    }
}

/// The role of a stored item.
pub fn role(item: &Item) -> Role {
    if rule(item).is_some() {
        Role::RecurringMaster
    } else {
        Role::Single
    }
}

/// The rule of a calendar series.
pub fn rule(item: &Item) -> Option<&Recurrence> {
    match item.get(Field::Recurrence) {
        Some(Value::Recurrence(rule)) if item.kind == Kind::CalendarItem => Some(rule),
        _ => None,
    }
}

/// The zone rules of a calendar item; UTC when it names none.
pub fn zone_rules(item: &Item) -> Rules {
    let zone = [Field::StartTimeZone, Field::EndTimeZone, Field::MeetingTimeZone]
        .into_iter()
        .find_map(|field| match item.get(field) {
            Some(Value::Zone(zone)) => Some(zone),
            _ => None,
        });
    zone.and_then(Zone::rules)
        .unwrap_or(Rules::Named(chrono_tz::Tz::UTC))
}

/// Starts that the rule gives within `from..until`, deleted and changed ones included.
pub fn originals(
    item: &Item,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> Vec<DateTime<Utc>> {
    let (Some(rule), Some(start)) = (rule(item), item.time(Field::Start)) else {
        return Vec::new();
    };
    let rules = zone_rules(item);
    rule.starts(rules, rules.to_local(start).time(), from, until)
}

/// The start of the occurrence with this index, counted from 1, deleted ones included.
///
/// # Errors
/// The item is no series, has fewer occurrences, or that one was deleted.
pub fn nth(item: &Item, index: usize) -> Result<DateTime<Utc>, Refusal> {
    if rule(item).is_none() {
        return Err(Refusal::new(
            "ErrorCalendarIsNotRecurringMaster",
            "The specified item is not a recurring master.",
        ));
    }
    let all = originals(item, None, None);
    let start = index.checked_sub(1).and_then(|at| all.get(at)).copied();
    let start = start.ok_or_else(|| {
        Refusal::new(
            "ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange",
            "Occurrence index is out of recurrence range.",
        )
    })?;
    if item.deleted.contains(&start) {
        Err(deleted())
    } else {
        Ok(start)
    }
}

fn deleted() -> Refusal {
    Refusal::new(
        "ErrorCalendarOccurrenceIsDeletedFromRecurrence",
        "Occurrence with this index was previously deleted from the recurrence.",
    )
}

/// One occurrence as an item of its own.
///
/// # Errors
/// It was deleted or never was.
pub fn occurrence(master: &Item, original: DateTime<Utc>) -> Result<(Item, Role), Refusal> {
    if master.deleted.contains(&original) {
        return Err(deleted());
    }
    if let Some(exception) = master
        .exceptions
        .iter()
        .find(|exception| exception.original == original)
    {
        return Ok((exception.item.clone(), Role::Exception));
    }
    let until = original + Duration::seconds(1);
    if originals(master, Some(original), Some(until)).is_empty() {
        return Err(Refusal::item_not_found());
    }
    Ok((plain_occurrence(master, original), Role::Occurrence))
}

/// An unchanged occurrence: the master with its own start and end.
fn plain_occurrence(master: &Item, original: DateTime<Utc>) -> Item {
    let mut item = master.clone();
    item.unset(Field::Recurrence);
    item.exceptions.clear();
    item.deleted.clear();
    item.set(Field::Start, original);
    item.set(Field::End, end_of(master, original));
    item.set(Field::OriginalStart, original);
    item.set(Field::RecurrenceId, original);
    item
}

/// The end of the occurrence with this start, as long on the clock as the master is.
fn end_of(master: &Item, start: DateTime<Utc>) -> DateTime<Utc> {
    let rules = zone_rules(master);
    let length = match (master.time(Field::Start), master.time(Field::End)) {
        (Some(first), Some(end)) => rules.to_local(end) - rules.to_local(first),
        _ => Duration::zero(),
    };
    rules.to_utc(rules.to_local(start) + length)
}

/// Occurrences, changed ones included, that touch `from..until`: original start, item and role,
/// by start.
pub fn expand(master: &Item, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<(DateTime<Utc>, Item, Role)> {
    let length = match (master.time(Field::Start), master.time(Field::End)) {
        (Some(start), Some(end)) => end - start,
        _ => Duration::zero(),
    };
    let mut found: Vec<(DateTime<Utc>, Item, Role)> =
        originals(master, Some(from - length - Duration::days(1)), Some(until))
            .into_iter()
            .filter(|original| !master.deleted.contains(original))
            .filter(|original| {
                !master
                    .exceptions
                    .iter()
                    .any(|exception| exception.original == *original)
            })
            .filter(|original| touches(*original, end_of(master, *original), from, until))
            .map(|original| (original, plain_occurrence(master, original), Role::Occurrence))
            .collect();
    for exception in &master.exceptions {
        let (Some(start), Some(end)) = (exception.item.time(Field::Start), exception.item.time(Field::End))
        else {
            continue;
        };
        if touches(start, end, from, until) {
            found.push((exception.original, exception.item.clone(), Role::Exception));
        }
    }
    found.sort_by_key(|(_, item, _)| item.time(Field::Start));
    found
}

/// Whether an item lies at least partly in a window; one without length counts at its start.
pub fn touches(start: DateTime<Utc>, end: DateTime<Utc>, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    start < until && (end > from || (start == end && start >= from))
}
