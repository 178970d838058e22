//! Reminders of events that move. Ours count back from the start; Salesforce's are instants of their own and
//! stay where they were when the event moves. So a change of the time alone takes the reminder along.

use super::client::Client;
use super::convert::event::EventRow;
use super::convert::row::{People, Row};
use super::soql;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, CrmWrite};
use crate::record::Record;
use crate::record::field::Field;
use std::collections::HashMap;

/// Minutes before the start, of the events that are about to move and have a reminder.
pub(super) type Reminders = HashMap<CrmId, u32>;

/// Asks for the reminders that the writes would leave behind.
pub(super) async fn of_moved(
    client: &Client,
    user: &CrmUser,
    writes: &[CrmWrite],
) -> Result<Reminders, CrmError> {
    let moved = writes.iter().filter_map(|write| match write {
        CrmWrite::Update {
            id,
            fields,
            record: Record::Event(_),
            ..
        } if fields.has(Field::When) && !fields.has(Field::Reminder) => Some(id.0.as_str()),
        _ => None,
    });
    let select = "SELECT Id, SystemModstamp, StartDateTime, EndDateTime, ActivityDate, DurationInMinutes, \
        IsAllDayEvent, IsReminderSet, ReminderDateTime FROM Event WHERE IsReminderSet = true AND ";
    let queries = soql::in_lists(select, "Id", moved, "");
    let rows: Vec<EventRow> = client.queries(&user.username, &queries).await?;
    let reminders = rows.into_iter().filter_map(|row| {
        let id = CrmId(row.head().id);
        match row.record(&People::new())? {
            Record::Event(event) => Some((id, event.reminder_minutes?)),
            _ => None,
        }
    });
    Ok(reminders.collect())
}
