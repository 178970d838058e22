//! Recurring tasks. The item stands for the occurrence whose turn it is; once that is completed, whoever did it, the
//! item stands for the next one and the completed one is a task of its own. The record goes along: it is the current
//! occurrence in the CRM as well, and each completed one leaves a record behind.

use super::work::Work;
use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use crate::sync::fingerprint::Prints;
use crate::sync::model::{Change, Pair};

/// What belongs to one occurrence and says nothing of the next.
const OF_ONE: FieldSet = FieldSet::of(&[Field::Status, Field::Due, Field::Reminder]);

/// Where the item of a recurring task stands for another occurrence than the record, the record takes over what
/// belongs to the occurrence. What the CRM says of it was said of the one before: taken for a change, a completion
/// that was carried out right before a crash would complete the next occurrence too.
pub(super) fn goes_along(work: &mut Work) {
    let recurs = matches!(&work.item_record, Some(Record::Task(task)) if task.is_recurring);
    let Pair {
        base: Some(base),
        mailbox: Some(Change::Upserted(mailbox)),
        crm: Some(Change::Upserted(crm)),
    } = &mut work.pair
    else {
        return;
    };
    if !recurs || base.get(Field::Due) == mailbox.prints.get(Field::Due) {
        return;
    }
    let pairs = base.pairs().map(|(field, print)| match OF_ONE.has(field) {
        true => (field, crm.prints.get(field)),
        false => (field, print),
    });
    *base = Prints::from_pairs(pairs.collect::<Vec<_>>());
}
