//! Where a stream stands, as the engine keeps it for us: opaque to it, JSON to us.

use crate::mailbox::error::MailboxError;
use crate::mailbox::model::MailboxCursor;
use serde::{Deserialize, Serialize};

/// A stream's place.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cursor {
    /// Of a stream that is one folder: Exchange's SyncState.
    Folder {
        /// The state.
        state: String,
    },
    /// Of a stream that reads, or once read, folders that a policy names.
    Chosen(ChosenPlace),
    /// Of the mail stream.
    Mail(MailPlace),
}

/// Where a stream of calendar, contacts or tasks stands in each of its folders.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChosenPlace {
    /// The two folders that are known by what they are.
    pub roots: Roots,
    /// The stream's folders.
    pub folders: Vec<FolderPlace>,
}

/// Two folders that are known by what they are. Folder identifiers survive moves; empty for one that is not there.
#[derive(Clone, Serialize, Deserialize)]
pub struct Roots {
    /// The default folder of the kind.
    pub default: String,
    /// The deleted items.
    pub deleted: String,
}

/// Where the mail stream stands in each of its folders.
#[derive(Serialize, Deserialize)]
pub struct MailPlace {
    /// The inbox's identifier; folder identifiers survive moves.
    pub inbox: String,
    /// The sent items' identifier.
    pub sent: String,
    /// The inbox, the sent items, everything below them, and the folders for mail that is to be saved.
    pub folders: Vec<FolderPlace>,
}

/// Where the stream stands in one folder.
#[derive(Clone, Serialize, Deserialize)]
pub struct FolderPlace {
    /// Its identifier.
    pub id: String,
    /// True for the sent items and what is below them.
    #[serde(default)]
    pub sent: bool,
    /// True for a folder for mail that is to be saved; which one it is by name is not kept.
    #[serde(default)]
    pub dropped: bool,
    /// Exchange's SyncState; none before the first page.
    pub state: Option<String>,
    /// How the folder looked when it was last listed; empty where the server does not say.
    pub mark: String,
    /// When the mark was first seen, in milliseconds of our clock, while it may still hide a change; see
    /// [`folder_list`](super::folder_list).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_since: Option<i64>,
    /// True while pages are still to be read.
    pub due: bool,
}

impl Cursor {
    /// Reads what [`store`](Self::store) wrote.
    ///
    /// # Errors
    /// [`MailboxError::CursorLost`] for anything else.
    pub fn load(cursor: &MailboxCursor) -> Result<Self, MailboxError> {
        serde_json::from_slice(&cursor.0).map_err(|_| MailboxError::CursorLost)
    }

    /// As bytes.
    #[expect(clippy::expect_used, reason = "texts and flags always become JSON")]
    pub fn store(&self) -> MailboxCursor {
        MailboxCursor(serde_json::to_vec(self).expect("texts and flags always become JSON"))
    }
}
