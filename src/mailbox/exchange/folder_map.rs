//! Which stream a folder belongs to, for hints alone: a few hashes for each mailbox.
//!
//! The folders of calendar, contacts and tasks are known, and so are those in which nothing of interest happens. Any
//! other folder may hold mail: a subfolder of the inbox, or one that was made a moment ago. Where a policy names folders,
//! all are listed, and one that was made a moment ago may be any of the streams' that have named ones.

use super::client::{CallError, Client, Messages, Operation, Route};
use super::cursor::Roots;
use super::folder_list;
use super::known_folders::{is_for_mail, of_stream};
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::folders::FolderChoices;
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
pub struct FolderMap {
    known: Vec<(u64, Option<RecordKind>)>,
    /// By which choice of folders.
    choices: FolderChoices,
}

impl FolderMap {
    /// Asks for them.
    ///
    /// # Errors
    /// Those of the calls. A folder that the mailbox does not have is none.
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
        let found = FOLDERS.iter().zip(answer).filter_map(|((name, kind), message)| {
            let folder = message.ok()?.into_iter().next()?;
            Some((*name, *kind, folder.id))
        });
        let found: Vec<Found> = found.collect();
        let choices = mailbox.folders.clone();
        let all = match naming(&choices).next() {
            Some(_) => folder_list::of(client, Some(route), mailbox).await?,
            None => Vec::new(),
        };
        Ok(Self::of(&found, &all, choices))
    }

    fn of(found: &[Found], all: &[RawFolder], choices: FolderChoices) -> Self {
        let id_of = |wanted: &dyn Fn(&Found) -> bool| {
            let folder = found.iter().find(|folder| wanted(folder));
            folder.map(|(_, _, id)| id.clone()).unwrap_or_default()
        };
        let mut known = Vec::with_capacity(all.len() + found.len());
        for kind in naming(&choices) {
            let roots = Roots {
                default: id_of(&|(_, of, _)| *of == Some(kind)),
                deleted: id_of(&|(name, ..)| *name == "deleteditems"),
            };
            let choice = choices.of(kind).cloned().unwrap_or_default();
            let chosen = of_stream(all, &roots, kind, &choice);
            known.extend(chosen.into_iter().map(|folder| (hash(&folder.id), Some(kind))));
        }
        known.extend(found.iter().map(|(_, kind, id)| (hash(id), *kind)));
        let rest = all.iter().map(|folder| {
            let mail = is_for_mail(folder).then_some(RecordKind::Mail);
            (hash(&folder.id), mail)
        });
        known.extend(rest);
        Self { known, choices }
    }

    /// True where the mailbox's choice of folders is still the one that was asked for.
    pub fn is_of(&self, mailbox: &MailboxRef) -> bool {
        self.choices == mailbox.folders
    }

    /// The streams that may have news when something happened in this folder.
    pub fn streams_of(&self, folder: &str) -> Vec<RecordKind> {
        let wanted = hash(folder);
        match self.known.iter().find(|(hash, _)| *hash == wanted) {
            Some((_, kind)) => kind.iter().copied().collect(),
            None => naming(&self.choices).chain([RecordKind::Mail]).collect(),
        }
    }
}

/// A folder that is known by what it is: its name among those, its stream, its identifier.
type Found = (&'static str, Option<RecordKind>, String);

/// The streams for which folders are named.
fn naming(choices: &FolderChoices) -> impl Iterator<Item = RecordKind> {
    let named = move |kind: &RecordKind| choices.of(*kind).is_some_and(|choice| !choice.is_default_alone());
    RecordKind::ALL.into_iter().filter(named)
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, name: &str, class: &str) -> RawFolder {
        RawFolder {
            id: id.to_owned(),
            name: name.into(),
            class: class.to_owned(),
            ..RawFolder::default()
        }
    }

    #[test]
    fn a_folder_that_nobody_knows_may_hold_mail_and_drafts_are_nobodys_business() {
        let found = [
            ("calendar", Some(RecordKind::Calendar), "c".to_owned()),
            ("drafts", None, "drafts".to_owned()),
        ];
        let map = FolderMap::of(&found, &[], FolderChoices::default());
        assert_eq!(map.streams_of("c"), [RecordKind::Calendar]);
        assert_eq!(map.streams_of("drafts"), []);
        assert_eq!(map.streams_of("Projects"), [RecordKind::Mail]);
    }

    #[test]
    fn where_folders_are_named_each_leads_to_its_stream_and_a_new_one_to_all_that_it_may_be_of() {
        let found = [
            ("contacts", Some(RecordKind::Contacts), "contacts".to_owned()),
            ("deleteditems", None, "bin".to_owned()),
        ];
        let all = [
            folder("bin", "Deleted Items", "IPF.Note"),
            folder("customers", "Customers", "IPF.Contact"),
            folder("friends", "Friends", "IPF.Contact"),
            folder("projects", "Projects", "IPF.Note"),
        ];
        let mut choices = FolderChoices::default();
        choices.contacts.also = vec!["Customers".to_owned()];
        let map = FolderMap::of(&found, &all, choices);
        for (folder, streams) in [
            ("contacts", vec![RecordKind::Contacts]),
            ("customers", vec![RecordKind::Contacts]),
            ("projects", vec![RecordKind::Mail]),
            ("friends", vec![]),
            ("bin", vec![]),
            ("made since", vec![RecordKind::Contacts, RecordKind::Mail]),
        ] {
            assert_eq!(map.streams_of(folder), streams, "{folder}");
        }
    }
}
