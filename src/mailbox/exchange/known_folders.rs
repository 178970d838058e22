//! Which folders are whose: what a list of a mailbox's folders says of a stream of calendar, contacts or tasks. Pure.
//!
//! A folder is one of a stream's by its name and its class, wherever it lies; what lies below the deleted items was
//! thrown away, and so is every item in it.

use super::cursor::Roots;
use super::wire::folder::RawFolder;
use crate::foundation::content::Content;
use crate::mailbox::folders::{FolderChoice, ItemFolder};
use crate::record::kind::RecordKind;
use std::collections::{HashMap, HashSet};

/// The default folder of a stream, and the element of the items in it that count; none for mail.
pub fn default_folder(kind: RecordKind) -> Option<(&'static str, &'static str)> {
    match kind {
        RecordKind::Calendar => Some(("calendar", "CalendarItem")),
        RecordKind::Contacts => Some(("contacts", "Contact")),
        RecordKind::Tasks => Some(("tasks", "Task")),
        RecordKind::Mail => None,
    }
}

/// What is known of the folders of one stream.
pub struct KnownFolders {
    default: String,
    others: HashMap<String, Other>,
    chosen: Vec<String>,
    choice: FolderChoice,
    /// False where nobody listed more than the default folder.
    listed: bool,
}

/// A folder that is not the default one.
enum Other {
    /// Of the kind, by its name.
    OfKind(Content<String>),
    /// In the deleted items, of any kind.
    ThrownAway,
}

impl KnownFolders {
    /// Where an item lies that carries this identifier of its folder; `None` where it was thrown away with it.
    pub fn lies_in(&self, folder: &str) -> Option<ItemFolder> {
        if folder == self.default {
            return Some(ItemFolder::Default);
        }
        match self.others.get(folder) {
            Some(Other::OfKind(name)) => Some(ItemFolder::Other(name.clone())),
            Some(Other::ThrownAway) => None,
            None => Some(ItemFolder::Other(Content::default())),
        }
    }

    /// The stream's folders, the one into which new items go first.
    pub fn chosen(&self) -> &[String] {
        &self.chosen
    }

    /// True where all folders were listed, for this choice.
    pub fn answers(&self, choice: &FolderChoice) -> bool {
        self.listed && self.choice.default == choice.default && self.choice.also == choice.also
    }

    /// What a list of all folders says; an empty list says which folder is the default one.
    pub fn of(all: &[RawFolder], roots: &Roots, kind: RecordKind, choice: &FolderChoice) -> Self {
        let thrown_away = below(all, &roots.deleted);
        let others = all.iter().filter(|folder| folder.id != roots.default);
        let others = others.filter_map(|folder| {
            let other = match thrown_away.contains(folder.id.as_str()) {
                true => Other::ThrownAway,
                false if fits(kind, &folder.class) => Other::OfKind(folder.name.clone()),
                false => return None,
            };
            Some((folder.id.clone(), other))
        });
        Self {
            default: roots.default.clone(),
            others: others.collect(),
            chosen: of_stream(all, roots, kind, choice)
                .into_iter()
                .map(|folder| folder.id.clone())
                .collect(),
            choice: choice.clone(),
            listed: !all.is_empty(),
        }
    }
}

/// The folders of a stream: the default one first, then by the order of the names.
pub fn of_stream<'a>(
    all: &'a [RawFolder],
    roots: &Roots,
    kind: RecordKind,
    choice: &FolderChoice,
) -> Vec<&'a RawFolder> {
    let thrown_away = below(all, &roots.deleted);
    let mut found: Vec<(Option<usize>, &RawFolder)> = all
        .iter()
        .filter_map(|folder| match folder.id == roots.default {
            true => choice.default.then_some((None, folder)),
            false if !fits(kind, &folder.class) || thrown_away.contains(folder.id.as_str()) => None,
            false => Some((Some(choice.place_of(&folder.name)?), folder)),
        })
        .collect();
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// Folders are of the kind by their class or one that is derived from it ("FolderClass" in the EWS reference).
fn fits(kind: RecordKind, class: &str) -> bool {
    let wanted = match kind {
        RecordKind::Calendar => "IPF.Appointment",
        RecordKind::Contacts => "IPF.Contact",
        RecordKind::Tasks => "IPF.Task",
        RecordKind::Mail => "IPF.Note",
    };
    let rest = class.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// True for a folder that may hold mail; one without a class may hold anything.
pub fn is_for_mail(folder: &RawFolder) -> bool {
    folder.class.is_empty() || folder.class.starts_with("IPF.Note")
}

/// A folder and everything below it.
fn below<'a>(all: &'a [RawFolder], top: &'a str) -> HashSet<&'a str> {
    let mut found = HashSet::from([top]);
    let mut before = 0;
    while found.len() > before {
        before = found.len();
        let children = all.iter().filter(|folder| !folder.parent.is_empty());
        let children: Vec<&str> = children
            .filter(|folder| found.contains(folder.parent.as_str()))
            .map(|folder| folder.id.as_str())
            .collect();
        found.extend(children);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, parent: &str, name: &str, class: &str) -> RawFolder {
        RawFolder {
            id: id.to_owned(),
            parent: parent.to_owned(),
            name: name.into(),
            class: class.to_owned(),
            ..RawFolder::default()
        }
    }

    fn mailbox() -> (Vec<RawFolder>, Roots) {
        let all = vec![
            folder("bin", "top", "Deleted Items", "IPF.Note"),
            folder("thrown", "bin", "Customers", "IPF.Contact"),
            folder("deep", "thrown", "Private", "IPF.Contact"),
            folder("mail", "top", "Customers", "IPF.Note"),
            folder("default", "top", "Contacts", "IPF.Contact"),
            folder("private", "default", "Private", "IPF.Contact"),
            folder("partners", "mail", " PARTNERS", "IPF.Contact.Partners"),
            folder("customers", "default", "customers", "IPF.Contact"),
            folder("other", "top", "Partners", "IPF.Contacts"),
        ];
        let roots = Roots {
            default: "default".to_owned(),
            deleted: "bin".to_owned(),
        };
        (all, roots)
    }

    fn choice(default: bool, also: &[&str]) -> FolderChoice {
        FolderChoice {
            default,
            also: also.iter().map(|name| (*name).to_owned()).collect(),
            told: false,
        }
    }

    #[test]
    fn folders_are_found_by_name_and_class_wherever_they_are_and_not_among_what_was_thrown_away() {
        let (all, roots) = mailbox();
        let found = |choice: &FolderChoice| {
            let found = of_stream(&all, &roots, RecordKind::Contacts, choice);
            found
                .into_iter()
                .map(|folder| folder.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&choice(true, &[])), ["default"]);
        assert_eq!(
            found(&choice(true, &["partners", "Customers "])),
            ["default", "partners", "customers"]
        );
        assert_eq!(found(&choice(false, &["CUSTOMERS"])), ["customers"]);
        // The default folder is no folder of a name.
        assert_eq!(found(&choice(false, &["Contacts"])), Vec::<String>::new());
    }

    #[test]
    fn an_item_lies_in_the_default_folder_in_a_named_one_elsewhere_or_was_thrown_away() {
        let (all, roots) = mailbox();
        let known = KnownFolders::of(&all, &roots, RecordKind::Contacts, &choice(true, &["Customers"]));
        let name = |id: &str| match known.lies_in(id) {
            Some(ItemFolder::Default) => Some("(default)".to_owned()),
            Some(ItemFolder::Other(name)) => Some(name.expose().clone()),
            None => None,
        };
        assert_eq!(name("default").as_deref(), Some("(default)"));
        assert_eq!(name("private").as_deref(), Some("Private"));
        assert_eq!(name("mail").as_deref(), Some(""));
        assert_eq!(name("deep"), None);
        assert_eq!(name("bin"), None);
    }
}
