//! Which stream a folder belongs to, for hints alone: a few hashes for each mailbox.
//!
//! The folders of calendar, contacts and tasks are known, and so are those in which nothing of interest happens.
//! Any other folder may hold mail: a subfolder of the inbox, or one that was made a moment ago.

use super::client::{CallError, Client, Messages, Operation, Route};
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::model::MailboxRef;
use crate::record::kind::RecordKind;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The folders that are asked for. Each of these names is known to every version of Exchange.
const FOLDERS: [(&str, Option<RecordKind>); 9] = [
    ("calendar", Some(RecordKind::Calendar)),
    ("contacts", Some(RecordKind::Contacts)),
    ("tasks", Some(RecordKind::Tasks)),
    ("drafts", None),
    ("deleteditems", None),
    ("junkemail", None),
    ("outbox", None),
    ("journal", None),
    ("notes", None),
];

/// The folders of one mailbox, by a hash of their identifiers.
pub struct FolderMap(Vec<(u64, Option<RecordKind>)>);

impl FolderMap {
    /// Asks for them.
    ///
    /// # Errors
    /// Those of the call. A folder that the mailbox does not have is none.
    pub async fn ask(client: &Client, route: &Route, mailbox: &MailboxRef) -> Result<Self, CallError> {
        let asked = FOLDERS.map(|(name, _)| FolderRef::Distinguished(name));
        let operation = Operation {
            name: "GetFolder",
            repeatable: true,
        };
        let answer: Messages<Vec<RawFolder>> = client
            .call_by(
                Some(route),
                mailbox,
                operation,
                |w, _| get_folder::identifiers(w, &asked),
                get_folder::read,
            )
            .await?;
        let found = FOLDERS.iter().zip(answer).filter_map(|((_, kind), message)| {
            let folder = message.ok()?.into_iter().next()?;
            Some((hash(&folder.id), *kind))
        });
        Ok(Self(found.collect()))
    }

    /// The stream that may have news when something happened in this folder.
    pub fn stream_of(&self, folder: &str) -> Option<RecordKind> {
        let wanted = hash(folder);
        let known = self.0.iter().find(|(hash, _)| *hash == wanted);
        known.map_or(Some(RecordKind::Mail), |(_, kind)| *kind)
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_nobody_knows_may_hold_mail_and_drafts_are_nobodys_business() {
        let map = FolderMap(vec![
            (hash("c"), Some(RecordKind::Calendar)),
            (hash("drafts"), None),
        ]);
        assert_eq!(map.stream_of("c"), Some(RecordKind::Calendar));
        assert_eq!(map.stream_of("drafts"), None);
        assert_eq!(map.stream_of("Projects"), Some(RecordKind::Mail));
    }
}
