//! Recurring tasks: one item that stands for the occurrence whose turn it is. Completing it leaves that occurrence
//! behind as a copy that recurs no more, and the item itself moves on to the next.
//!
//! Source: "Tasks and EWS in Exchange"; \[MS-OXOTASK\] 3.1.4.6 and "PidLidTaskDeadOccurrence" (the copy is the completed
//! instance); \[MS-OXORMDR\] 3.1.4.8 for reminders; "Task.DeleteCurrentOccurrence" (the task then represents the next
//! occurrence).

use super::field::Field;
use super::item::{Item, Kind};
use super::recurrence::{Ends, Pattern, Recurrence, Unit};
use super::value::Value;
use super::zone::Rules;
use chrono::{DateTime, Duration, Months, NaiveTime, Utc};

/// When `after` is the completion of a recurring task `before` that goes on: moves `after` on to the next occurrence,
/// and gives the copy that is the completed one.
pub fn complete(before: &Item, after: &mut Item) -> Option<Item> {
    let done = |item: &Item| item.text(Field::Status) == "Completed";
    if after.kind != Kind::Task || done(before) || !done(after) {
        return None;
    }
    let completed = after.time(Field::CompleteDate);
    let next = next(after, completed)?;
    let mut copy = std::mem::replace(after, next);
    copy.unset(Field::TaskRecurrence);
    copy.unset(Field::DateTimeCreated);
    copy.set(Field::ReminderIsSet, false);
    Some(copy)
}

/// A recurring task as it stands for the occurrence after this one; none for a task that does not recur, or after the
/// last one. `completed` is when this one was done; that it was due on its day is taken for it otherwise.
pub fn next(item: &Item, completed: Option<DateTime<Utc>>) -> Option<Item> {
    let Some(Value::Recurrence(rule)) = item.get(Field::TaskRecurrence).cloned() else {
        return None;
    };
    let due = item.time(Field::DueDate).or(item.time(Field::StartDate))?;
    let (day, rest) = following(&rule, due, completed.unwrap_or(due))?;
    let mut task = item.clone();
    task.set(Field::TaskRecurrence, rest);
    for field in [Field::StartDate, Field::DueDate, Field::ReminderDueBy] {
        if let Some(time) = item.time(field) {
            task.set(field, day + (time - due));
        }
    }
    task.set(Field::Status, "NotStarted");
    task.set(Field::PercentComplete, 0.0);
    task.unset(Field::CompleteDate);
    Some(task)
}

/// The day of the next occurrence, and the rule that is left.
fn following(
    rule: &Recurrence,
    due: DateTime<Utc>,
    completed: DateTime<Utc>,
) -> Option<(DateTime<Utc>, Recurrence)> {
    let mut rest = rule.clone();
    if let Ends::After(count) = rule.ends {
        rest.ends = Ends::After(count.checked_sub(1).filter(|left| *left > 0)?);
    }
    let next = match &rule.pattern {
        Pattern::Regeneration { unit, interval } => {
            let interval = u32::from(*interval);
            match unit {
                Unit::Daily => completed + Duration::days(i64::from(interval)),
                Unit::Weekly => completed + Duration::weeks(i64::from(interval)),
                Unit::Monthly => completed.checked_add_months(Months::new(interval))?,
                Unit::Yearly => completed.checked_add_months(Months::new(12 * interval))?,
            }
        }
        _ => {
            let rules = Rules::Named(chrono_tz::Tz::UTC);
            let from = due + Duration::days(1);
            let until = from + Duration::days(5 * 366);
            let forever = Recurrence {
                ends: match rule.ends {
                    Ends::After(_) => Ends::Never,
                    ends => ends,
                },
                ..rule.clone()
            };
            *forever
                .starts(rules, NaiveTime::MIN, Some(from), Some(until))
                .first()?
        }
    };
    rest.start = next.date_naive();
    Some((next, rest))
}
