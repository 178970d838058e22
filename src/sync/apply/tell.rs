//! Who is told of a write in the mailbox.
//!
//! Only of what people did in the CRM while both sides were in step: what a first reading brings, a changed policy or a
//! mailbox that is joined again, nobody did today.

use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemId, Notify};
use crate::record::Record;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::gather::read_items;
use crate::sync::invitations::{Invitations, concerns_somebody, is_news};
use crate::sync::stream::Stream;
use std::collections::HashSet;

fn invites(stream: &Stream) -> bool {
    stream.kind() == RecordKind::Calendar
        && stream.policy.calendar.invitations == Invitations::FromCrm
        && stream.live
        && stream.anchors.is_none()
}

fn told(yes: bool) -> Notify {
    match yes {
        true => Notify::Attendees,
        false => Notify::Nobody,
    }
}

/// Of a new item.
pub(super) fn of_create(stream: &Stream, record: &Record) -> Notify {
    told(invites(stream) && concerns_somebody(record, stream.now))
}

/// Of a change of these fields.
pub(super) fn of_update(
    stream: &Stream,
    before: Option<&Record>,
    after: &Record,
    fields: FieldSet,
) -> Notify {
    let news = before.is_some_and(|before| is_news(before, after, fields, stream.now));
    told(invites(stream) && news)
}

/// Of deletions of these items, in order; `None` for one of which nobody is to be told. An item is read before it is called
/// off: its owner may be asked to it himself, and to delete his copy calls nothing off.
pub(super) async fn of_deletions(
    stream: &Stream,
    items: Vec<Option<ItemId>>,
) -> Result<Vec<Notify>, SyncError> {
    let ids: Vec<ItemId> = items.iter().flatten().cloned().collect();
    if ids.is_empty() || !invites(stream) {
        return Ok(vec![Notify::Nobody; items.len()]);
    }
    let mut called_off: HashSet<ItemId> = HashSet::new();
    for (id, answer) in read_items(stream, ids).await? {
        match answer {
            Ok(item) if concerns_somebody(&item.record, stream.now) => {
                called_off.insert(id);
            }
            Ok(_) => {}
            Err(error) if error.class() == Class::Gone => {}
            // Whether it is to be called off is not known: the next turn asks again.
            Err(error) => return Err(error.into()),
        }
    }
    let is = |item: &Option<ItemId>| item.as_ref().is_some_and(|id| called_off.contains(id));
    Ok(items.iter().map(|item| told(is(item))).collect())
}
