//! Folders: the well-known ones that every mailbox has, with the numbers and names they carry, and
//! the classes that decide what may be created in a folder.
//!
//! Source: "DistinguishedFolderId" in the EWS reference.

use super::item::{Extended, Kind};
use serde::{Deserialize, Serialize};

macro_rules! distinguished {
    ($($variant:ident $name:literal $display:literal $parent:ident $class:literal;)*) => {
        /// A folder that has a name of its own in every mailbox.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is documented by its wire name")]
        pub enum DistinguishedFolder { $($variant),* }

        /// All of them, parents before children.
        pub const DISTINGUISHED: &[DistinguishedFolder] = &[$(DistinguishedFolder::$variant),*];

        impl DistinguishedFolder {
            /// The name on the wire, such as `inbox`.
            pub fn wire_name(self) -> &'static str {
                match self { $(DistinguishedFolder::$variant => $name),* }
            }

            /// The English display name.
            pub fn display_name(self) -> &'static str {
                match self { $(DistinguishedFolder::$variant => $display),* }
            }

            /// The folder that holds it; the root holds itself.
            pub fn parent(self) -> DistinguishedFolder {
                match self { $(DistinguishedFolder::$variant => DistinguishedFolder::$parent),* }
            }

            /// Its folder class, such as `IPF.Note`.
            pub fn class(self) -> &'static str {
                match self { $(DistinguishedFolder::$variant => $class),* }
            }

            /// The folder of a wire name.
            pub fn from_wire_name(name: &str) -> Option<DistinguishedFolder> {
                match name { $($name => Some(DistinguishedFolder::$variant),)* _ => None }
            }
        }
    };
}

distinguished! {
    Root "root" "" Root "";
    MsgFolderRoot "msgfolderroot" "Top of Information Store" Root "IPF.Note";
    Inbox "inbox" "Inbox" MsgFolderRoot "IPF.Note";
    Drafts "drafts" "Drafts" MsgFolderRoot "IPF.Note";
    SentItems "sentitems" "Sent Items" MsgFolderRoot "IPF.Note";
    DeletedItems "deleteditems" "Deleted Items" MsgFolderRoot "IPF.Note";
    Outbox "outbox" "Outbox" MsgFolderRoot "IPF.Note";
    JunkEmail "junkemail" "Junk Email" MsgFolderRoot "IPF.Note";
    Calendar "calendar" "Calendar" MsgFolderRoot "IPF.Appointment";
    Contacts "contacts" "Contacts" MsgFolderRoot "IPF.Contact";
    Tasks "tasks" "Tasks" MsgFolderRoot "IPF.Task";
    Notes "notes" "Notes" MsgFolderRoot "IPF.StickyNote";
    Journal "journal" "Journal" MsgFolderRoot "IPF.Journal";
    SearchFolders "searchfolders" "Finder" Root "IPF.Note";
    RecoverableItemsRoot "recoverableitemsroot" "Recoverable Items" Root "IPF.Note";
    RecoverableItemsDeletions "recoverableitemsdeletions" "Deletions" RecoverableItemsRoot "IPF.Note";
}

/// Identifies a folder within its mailbox and never changes; well-known folders have the low numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FolderKey(pub u64);

impl From<DistinguishedFolder> for FolderKey {
    fn from(folder: DistinguishedFolder) -> FolderKey {
        FolderKey(folder as u64 + 1)
    }
}

impl FolderKey {
    /// The first number that is not a well-known folder's.
    pub const FIRST_FREE: u64 = 100;

    /// The well-known folder with this key.
    pub fn distinguished(self) -> Option<DistinguishedFolder> {
        let at = usize::try_from(self.0.checked_sub(1)?).ok()?;
        DISTINGUISHED.get(at).copied()
    }
}

/// What a folder is called and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderInfo {
    /// The folder that holds it.
    pub parent: FolderKey,
    /// Its class, such as `IPF.Note`.
    pub class: String,
    /// Its display name.
    pub name: String,
    /// Extended properties that a client has set.
    #[serde(default)]
    pub extended: Vec<Extended>,
}

impl FolderInfo {
    /// The element that it is written as.
    pub fn element(&self) -> &'static str {
        if self.is_class("IPF.Appointment") {
            "CalendarFolder"
        } else if self.is_class("IPF.Contact") {
            "ContactsFolder"
        } else if self.is_class("IPF.Task") {
            "TasksFolder"
        } else {
            "Folder"
        }
    }

    /// Whether its class is this one or a class derived from it.
    pub fn is_class(&self, class: &str) -> bool {
        self.class
            .strip_prefix(class)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// The response code for an item that may not be created here; none when it may.
    pub fn refuses(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::CalendarItem if !self.is_class("IPF.Appointment") => {
                Some("ErrorCannotCreateCalendarItemInNonCalendarFolder")
            }
            Kind::Contact | Kind::DistributionList if !self.is_class("IPF.Contact") => {
                Some("ErrorCannotCreateContactInNonContactFolder")
            }
            Kind::Task if !self.is_class("IPF.Task") => Some("ErrorCannotCreateTaskInNonTaskFolder"),
            _ => None,
        }
    }
}
