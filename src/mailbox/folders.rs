//! Which folders a stream of calendar, contacts or tasks reads, and in which of them an item lies.

use crate::foundation::content::Content;
use crate::record::kind::RecordKind;

/// Which folders a stream reads. Names are settings: an administrator typed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderChoice {
    /// The mailbox's default folder of the kind.
    pub default: bool,
    /// Folders of the kind with these names, in any case, wherever they are but below the deleted items.
    pub also: Vec<String>,
    /// Say of each item [in which folder](ItemFolder) it lies, though the default folder alone is read.
    pub told: bool,
}

impl Default for FolderChoice {
    fn default() -> Self {
        Self {
            default: true,
            also: Vec::new(),
            told: false,
        }
    }
}

impl FolderChoice {
    /// True where nothing but the default folder is read.
    pub fn is_default_alone(&self) -> bool {
        self.default && self.also.is_empty()
    }

    /// Which of the names a folder bears; the first has the least number.
    pub fn place_of(&self, name: &Content<String>) -> Option<usize> {
        let name = comparable(name.expose());
        self.also.iter().position(|wanted| comparable(wanted) == name)
    }
}

fn comparable(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What the streams of a mailbox read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderChoices {
    /// Calendar.
    pub calendar: FolderChoice,
    /// Contacts.
    pub contacts: FolderChoice,
    /// Tasks.
    pub tasks: FolderChoice,
}

impl FolderChoices {
    /// What a stream reads; `None` for mail, whose folders are chosen otherwise.
    pub fn of(&self, kind: RecordKind) -> Option<&FolderChoice> {
        match kind {
            RecordKind::Calendar => Some(&self.calendar),
            RecordKind::Contacts => Some(&self.contacts),
            RecordKind::Tasks => Some(&self.tasks),
            RecordKind::Mail => None,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, kind: RecordKind) -> Option<&mut FolderChoice> {
        match kind {
            RecordKind::Calendar => Some(&mut self.calendar),
            RecordKind::Contacts => Some(&mut self.contacts),
            RecordKind::Tasks => Some(&mut self.tasks),
            RecordKind::Mail => None,
        }
    }
}

/// The folder in which an item lies.
#[derive(Clone)]
pub enum ItemFolder {
    /// The mailbox's default folder of its kind.
    Default,
    /// Another one, by its name; without one where it is no folder of the kind.
    Other(Content<String>),
}
