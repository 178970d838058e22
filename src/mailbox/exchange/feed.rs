//! The change feed: `changes()`.
//!
//! Calendar, contacts and tasks are one folder each, and Exchange's SyncState is the cursor. Mail is many
//! folders; they are read one after the other, and a new round begins when none is due.

use super::client::{Client, Operation};
use super::cursor::{Cursor, MailPlace};
use super::mail_folders;
use super::wire::folder::FolderRef;
use super::wire::sync_folder_items::{self, MAX_CHANGES, Synced};
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ChangePage, ItemChange, ItemId, MailboxCursor, MailboxRef};
use crate::record::kind::RecordKind;
use std::collections::HashMap;

/// Folders read for one page: a page shall not take longer because a mailbox has many quiet folders.
const FOLDERS_A_PAGE: usize = 16;

/// See [`MailboxServer::changes`](crate::mailbox::port::MailboxServer::changes).
///
/// # Errors
/// Those of the port.
pub async fn changes(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    cursor: Option<&MailboxCursor>,
    page_size: usize,
) -> Result<ChangePage, MailboxError> {
    let page_size = page_size.clamp(1, MAX_CHANGES);
    match (cursor.map(Cursor::load).transpose()?, default_folder(kind)) {
        (None, Some((folder, element))) => {
            one_folder(client, mailbox, folder, element, None, page_size).await
        }
        (Some(Cursor::Folder { state }), Some((folder, element))) => {
            one_folder(client, mailbox, folder, element, Some(state), page_size).await
        }
        (None, None) => mail(client, mailbox, None, page_size).await,
        (Some(Cursor::Mail(place)), None) => mail(client, mailbox, Some(place), page_size).await,
        _ => Err(MailboxError::CursorLost),
    }
}

/// The one folder of a stream, and the element of the items in it that count; none for mail.
pub fn default_folder(kind: RecordKind) -> Option<(&'static str, &'static str)> {
    match kind {
        RecordKind::Calendar => Some(("calendar", "CalendarItem")),
        RecordKind::Contacts => Some(("contacts", "Contact")),
        RecordKind::Tasks => Some(("tasks", "Task")),
        RecordKind::Mail => None,
    }
}

async fn one_folder(
    client: &Client,
    mailbox: &MailboxRef,
    folder: &'static str,
    element: &'static str,
    state: Option<String>,
    page_size: usize,
) -> Result<ChangePage, MailboxError> {
    let folder = FolderRef::Distinguished(folder);
    let synced = sync(
        client,
        mailbox,
        folder,
        Some(element),
        state.as_deref(),
        page_size,
    )
    .await
    .map_err(no_folder)?;
    let more = !is_last(&synced, state.as_deref());
    let cursor = Cursor::Folder { state: synced.state }.store();
    Ok(ChangePage {
        changes: once_each(synced.changes),
        cursor,
        more,
    })
}

/// A default folder that is not there is no item that is gone.
fn no_folder(error: MailboxError) -> MailboxError {
    match error {
        MailboxError::Gone => MailboxError::Refused {
            code: "ErrorFolderNotFound".to_owned(),
        },
        error => error,
    }
}

async fn mail(
    client: &Client,
    mailbox: &MailboxRef,
    place: Option<MailPlace>,
    page_size: usize,
) -> Result<ChangePage, MailboxError> {
    let mut place = match place {
        Some(place) if place.folders.iter().any(|folder| folder.due) => {
            mail_folders::remember(client, mailbox, &place.folders);
            place
        }
        place => mail_folders::begin_round(client, mailbox, place).await?,
    };
    let mut changes = Vec::new();
    for folder in place
        .folders
        .iter_mut()
        .filter(|folder| folder.due)
        .take(FOLDERS_A_PAGE)
    {
        let room = page_size - changes.len();
        let state = folder.state.as_deref();
        let synced = match sync(client, mailbox, FolderRef::Id(&folder.id), None, state, room).await {
            Ok(synced) => synced,
            // Removed since it was listed: the next round will not list it.
            Err(MailboxError::Gone) => {
                folder.due = false;
                continue;
            }
            Err(error) => return Err(error),
        };
        folder.due = !is_last(&synced, state);
        folder.state = Some(synced.state);
        changes.extend(synced.changes);
        if changes.len() >= page_size {
            break;
        }
    }
    let more = place.folders.iter().any(|folder| folder.due);
    Ok(ChangePage {
        changes: once_each(changes),
        cursor: Cursor::Mail(place).store(),
        more,
    })
}

async fn sync(
    client: &Client,
    mailbox: &MailboxRef,
    folder: FolderRef<'_>,
    element: Option<&'static str>,
    state: Option<&str>,
    max: usize,
) -> Result<Synced, MailboxError> {
    let operation = Operation {
        name: "SyncFolderItems",
        repeatable: true,
    };
    let answer: Vec<_> = client
        .call(
            mailbox,
            operation,
            |w, _| sync_folder_items::request(w, folder, state, max),
            |synced: &mut Synced, found, doc| sync_folder_items::read(synced, element, found, doc),
        )
        .await?;
    let synced = answer.into_iter().next().ok_or(MailboxError::Unintelligible {
        what: "an answer without messages",
    })??;
    if synced.state.is_empty() {
        return Err(MailboxError::Unintelligible {
            what: "a change feed without its state",
        });
    }
    Ok(synced)
}

/// An absent word counts as the end; so does a state that does not move, or a turn would never end.
fn is_last(synced: &Synced, before: Option<&str>) -> bool {
    synced.last.unwrap_or(true) || (synced.changes.is_empty() && before == Some(synced.state.as_str()))
}

/// An item that is created and changed within one page is named twice; the last word counts.
fn once_each(changes: Vec<ItemChange>) -> Vec<ItemChange> {
    let mut places: HashMap<ItemId, usize> = HashMap::with_capacity(changes.len());
    let mut kept: Vec<ItemChange> = Vec::with_capacity(changes.len());
    for change in changes {
        let id = match &change {
            ItemChange::Upserted(item) => &item.id,
            ItemChange::Deleted(id) => id,
        };
        match places.get(id).and_then(|place| kept.get_mut(*place)) {
            Some(earlier) => *earlier = change,
            None => {
                places.insert(id.clone(), kept.len());
                kept.push(change);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::model::{ItemRef, ItemVersion};

    #[test]
    fn an_item_that_is_named_twice_is_reported_once_with_the_last_word() {
        let id = ItemId("a".to_owned());
        let upserted = |version: &str| {
            ItemChange::Upserted(ItemRef {
                id: id.clone(),
                version: ItemVersion(version.to_owned()),
            })
        };
        assert_eq!(once_each(vec![upserted("1"), upserted("2")]), [upserted("2")]);
        assert_eq!(
            once_each(vec![upserted("1"), ItemChange::Deleted(id.clone())]),
            [ItemChange::Deleted(id.clone())]
        );
    }
}
