//! Recurring tasks: completing one ends that occurrence and brings the next as a task of its own.
//!
//! Source: "Tasks and EWS in Exchange", \[MS-OXOTASK\] 3.1.4.6.

use super::field::Field;
use super::item::{Item, Kind};
use super::recurrence::{Ends, Pattern, Recurrence, Unit};
use super::value::Value;
use super::zone::Rules;
use chrono::{DateTime, Duration, Months, NaiveTime, Utc};

/// When `after` is the completion of a recurring task `before`: takes the rule from the completed
/// task and gives the next one, if there is one.
pub fn complete(before: &Item, after: &mut Item) -> Option<Item> {
    let done = |item: &Item| item.text(Field::Status) == "Completed";
    if after.kind != Kind::Task || done(before) || !done(after) {
        return None;
    }
    let Some(Value::Recurrence(rule)) = after.get(Field::TaskRecurrence).cloned() else {
        return None;
    };
    let due = after.time(Field::DueDate).or(after.time(Field::StartDate))?;
    let completed = after.time(Field::CompleteDate).unwrap_or(due);
    let (next, rule) = following(&rule, due, completed)?;
    let mut task = before.clone();
    task.set(Field::TaskRecurrence, rule);
    if let Some(start) = before.time(Field::StartDate) {
        task.set(Field::StartDate, next - (due - start));
    }
    if before.time(Field::DueDate).is_some() {
        task.set(Field::DueDate, next);
    }
    task.set(Field::Status, "NotStarted");
    task.set(Field::PercentComplete, 0.0);
    task.unset(Field::DateTimeCreated);
    task.extended.clear();
    after.unset(Field::TaskRecurrence);
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
