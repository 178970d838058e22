//! What changed in folders, page by page.

use super::client::{Client, Operation};
use super::cursor::FolderPlace;
use super::wire::folder::FolderRef;
use super::wire::sync_folder_items::{self, Synced};
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemChange, ItemId, MailboxRef};
use std::collections::HashMap;

/// Folders read for one page: a page shall not take longer because a mailbox has many quiet folders.
const FOLDERS_A_PAGE: usize = 16;

/// Reads the folders that are due until a page is full. True where an item came or went.
///
/// # Errors
/// Those of the calls.
pub async fn due(
    client: &Client,
    mailbox: &MailboxRef,
    folders: &mut [FolderPlace],
    element: Option<&'static str>,
    page_size: usize,
    changes: &mut Vec<ItemChange>,
) -> Result<bool, MailboxError> {
    let mut stirred = false;
    for folder in folders
        .iter_mut()
        .filter(|folder| folder.due)
        .take(FOLDERS_A_PAGE)
    {
        let room = page_size.saturating_sub(changes.len());
        let state = folder.state.as_deref();
        let synced = match sync(client, mailbox, FolderRef::Id(&folder.id), element, state, room).await {
            Ok(synced) => synced,
            // Removed since it was listed: the next round will not list it.
            Err(MailboxError::Gone) => {
                folder.due = false;
                continue;
            }
            Err(error) => return Err(error),
        };
        stirred |= synced.stirred;
        folder.due = !is_last(&synced, state);
        folder.state = Some(synced.state);
        changes.extend(synced.changes);
        if changes.len() >= page_size {
            break;
        }
    }
    Ok(stirred)
}

/// What changed in one folder.
///
/// # Errors
/// Those of the call.
pub async fn sync(
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
pub fn is_last(synced: &Synced, before: Option<&str>) -> bool {
    synced.last.unwrap_or(true) || (synced.changes.is_empty() && before == Some(synced.state.as_str()))
}

/// An item that is created and changed within one page is named twice; the last word counts.
pub fn once_each(changes: Vec<ItemChange>) -> Vec<ItemChange> {
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
