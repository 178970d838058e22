//! Who is told of a write in the mailbox.
//!
//! Only of what people did in the CRM while both sides were in step: what a first reading brings, a changed policy or a
//! mailbox that is joined again, nobody did today.

use crate::foundation::failure::Class;
use crate::mailbox::model::ItemId;
use crate::record::Record;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::gather::read_items;
use crate::sync::invitations::Invitations;
use crate::sync::stream::Stream;
use crate::sync::told::{Reader, Told};
use std::collections::HashMap;

/// True where people may be told of what is written.
pub(super) fn invites(stream: &Stream) -> bool {
    stream.kind() == RecordKind::Calendar
        && stream.policy.calendar.invitations == Invitations::FromCrm
        && stream.live
        && stream.anchors.is_none()
}

fn reader(stream: &Stream) -> Reader<'_> {
    Reader {
        now: stream.now,
        owner: stream.owner(),
    }
}

/// Of a new item.
pub(super) fn of_create(stream: &Stream, record: &Record) -> Told {
    match invites(stream) {
        true => Told::of_create(record, reader(stream)),
        false => Told::default(),
    }
}

/// Of a change of these fields.
pub(super) fn of_update(stream: &Stream, before: Option<&Record>, after: &Record, fields: FieldSet) -> Told {
    match before {
        Some(before) if invites(stream) => Told::of_update(before, after, fields, reader(stream)),
        _ => Told::default(),
    }
}

/// Of deletions of these items, in order; `None` for one of which nobody is to be told. An item is read before it is called
/// off: its owner may be asked to it himself, and to delete his copy calls nothing off.
pub(super) async fn of_deletions(
    stream: &Stream,
    items: Vec<Option<ItemId>>,
) -> Result<Vec<Told>, SyncError> {
    let ids: Vec<ItemId> = items.iter().flatten().cloned().collect();
    if ids.is_empty() || !invites(stream) {
        return Ok(vec![Told::default(); items.len()]);
    }
    let mut called_off: HashMap<ItemId, Told> = HashMap::new();
    for (id, answer) in read_items(stream, ids).await? {
        match answer {
            Ok(item) => {
                called_off.insert(id, Told::of_deletion(&item.record, reader(stream)));
            }
            Err(error) if error.class() == Class::Gone => {}
            // Whether it is to be called off is not known: the next turn asks again.
            Err(error) => return Err(error.into()),
        }
    }
    let news = |item: &Option<ItemId>| item.as_ref().and_then(|id| called_off.get(id).copied());
    Ok(items.iter().map(|item| news(item).unwrap_or_default()).collect())
}
