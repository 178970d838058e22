//! The change feed: `changes()`.
//!
//! Calendar, contacts and tasks are one folder each, and Exchange's SyncState is the cursor; where a policy names
//! folders, they are some. Mail is many. Folders are read one after the other, and a new round begins when none is due.

use super::chosen_folders;
use super::client::Client;
use super::cursor::{ChosenPlace, Cursor, MailPlace};
use super::folder_pages::{due, is_last, once_each, sync};
use super::known_folders::default_folder;
use super::mail_folders;
use super::wire::folder::FolderRef;
use super::wire::sync_folder_items::MAX_CHANGES;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ChangePage, MailboxCursor, MailboxRef};
use crate::record::kind::RecordKind;

/// Looks at chosen folders for one page; somebody who moves items for longer is met again by the next turn.
const LOOKS: usize = 4;

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
    let cursor = cursor.map(Cursor::load).transpose()?;
    let Some(stream) = Chosen::of(client, mailbox, kind) else {
        return match cursor {
            None => mail(client, mailbox, None, page_size).await,
            Some(Cursor::Mail(place)) => mail(client, mailbox, Some(place), page_size).await,
            Some(_) => Err(MailboxError::CursorLost),
        };
    };
    match cursor {
        None if stream.is_one_folder() => stream.one_folder(None, page_size).await,
        None => stream.page(None, page_size).await,
        Some(Cursor::Folder { state }) if stream.is_one_folder() => {
            stream.one_folder(Some(state), page_size).await
        }
        Some(Cursor::Folder { state }) => {
            let place = chosen_folders::go_on(client, mailbox, kind, state).await?;
            stream.page(Some(place), page_size).await
        }
        Some(Cursor::Chosen(place)) => stream.page(Some(place), page_size).await,
        Some(Cursor::Mail(_)) => Err(MailboxError::CursorLost),
    }
}

/// A stream of calendar, contacts or tasks.
struct Chosen<'a> {
    client: &'a Client,
    mailbox: &'a MailboxRef,
    kind: RecordKind,
    default: &'static str,
    element: &'static str,
}

impl<'a> Chosen<'a> {
    fn of(client: &'a Client, mailbox: &'a MailboxRef, kind: RecordKind) -> Option<Self> {
        let (default, element) = default_folder(kind)?;
        Some(Self {
            client,
            mailbox,
            kind,
            default,
            element,
        })
    }

    /// True where nothing but the default folder is read, and nobody has to know where an item lies.
    fn is_one_folder(&self) -> bool {
        let choice = self.mailbox.folders.of(self.kind);
        let known = self.client.session(self.mailbox).chosen_folders(self.kind);
        choice.is_none_or(|choice| choice.is_default_alone() && !choice.told) && known.is_none()
    }

    async fn one_folder(&self, state: Option<String>, page_size: usize) -> Result<ChangePage, MailboxError> {
        let folder = FolderRef::Distinguished(self.default);
        let synced = sync(
            self.client,
            self.mailbox,
            folder,
            Some(self.element),
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

    /// A page of folders that were chosen. An item that is moved between two of them shows as gone in one and as new in
    /// the other; while it is moved, it may be seen in one of the two and not in the other. So whoever saw items come or
    /// go looks at all folders again, until nothing does: both ends of the move are in one page then, and the item keeps
    /// its record.
    async fn page(&self, place: Option<ChosenPlace>, page_size: usize) -> Result<ChangePage, MailboxError> {
        let (client, mailbox) = (self.client, self.mailbox);
        let mut place = match place {
            Some(place) if place.folders.iter().any(|folder| folder.due) => place,
            place => chosen_folders::begin_round(client, mailbox, self.kind, place).await?,
        };
        chosen_folders::recall(client, mailbox, self.kind, &place.roots);
        let mut changes = Vec::new();
        for again in (0..LOOKS).rev() {
            let element = Some(self.element);
            let stirred = due(
                client,
                mailbox,
                &mut place.folders,
                element,
                page_size,
                &mut changes,
            )
            .await?;
            let is_full = place.folders.iter().any(|folder| folder.due);
            if again == 0 || !stirred || is_full || changes.len() >= page_size || place.folders.len() < 2 {
                break;
            }
            place.folders.iter_mut().for_each(|folder| folder.due = true);
        }
        let more = place.folders.iter().any(|folder| folder.due);
        Ok(ChangePage {
            changes: once_each(changes),
            cursor: Cursor::Chosen(place).store(),
            more,
        })
    }
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
    due(client, mailbox, &mut place.folders, None, page_size, &mut changes).await?;
    let more = place.folders.iter().any(|folder| folder.due);
    Ok(ChangePage {
        changes: once_each(changes),
        cursor: Cursor::Mail(place).store(),
        more,
    })
}
