//! One mailbox in memory: folders, items, and the orders in which they are read. Changes only by
//! [`Mailbox::apply`].

use super::event::{Event, EventKind, EventLog};
use super::field::Field;
use super::folder::{DISTINGUISHED, FolderInfo, FolderKey};
use super::item::Item;
use super::mutation::{Change, Mutation};
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// An item with what the store knows of it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its number.
    pub serial: u64,
    /// Where it is.
    pub folder: FolderKey,
    /// The change that brought it into this folder.
    pub created_change: u64,
    /// Its last change that was more than the read flag.
    pub content_change: u64,
    /// Its last change; the change key is made from it.
    pub change: u64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it was changed last.
    pub modified: DateTime<Utc>,
    /// Whether the synchronising account made it.
    pub made_by_sync: bool,
    /// Who changed it last.
    pub modified_by: String,
    /// What newest-first orders go by: when it was received or made; stays the same.
    pub sort_time: i64,
    /// Octets that it takes.
    pub size: usize,
    /// The item.
    pub item: Arc<Item>,
}

/// An item that is no longer in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Tombstone {
    /// Its number.
    pub serial: u64,
    /// The change that had brought it.
    pub created_change: u64,
}

/// A folder with the orders of its items.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Name, class and place.
    pub info: FolderInfo,
    /// The change that made it.
    pub created_change: u64,
    /// The last change of its names.
    pub change: u64,
    /// Items newest first.
    pub by_time: BTreeSet<Reverse<(i64, u64)>>,
    /// Items by their last change.
    pub by_change: BTreeMap<u64, u64>,
    /// Items that left, by the change that took them.
    pub tombstones: BTreeMap<u64, Tombstone>,
    /// How many items are unread.
    pub unread: usize,
    /// When an item came, changed or left last.
    pub committed: Option<DateTime<Utc>>,
    /// The highest number that an item here ever had.
    pub highest: u64,
}

/// One mailbox.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Its folders.
    pub folders: BTreeMap<FolderKey, Folder>,
    /// Its items.
    pub items: HashMap<u64, Stored>,
    /// Folders that are gone, by the change that took them.
    pub folder_tombstones: BTreeMap<u64, (FolderKey, u64)>,
    /// The number of the last change.
    pub change: u64,
    /// The change with which it came back from a backup; states from before count no more.
    pub restored: u64,
    /// The next free number for items and folders.
    pub next_serial: u64,
    /// What subscribers are told.
    pub events: EventLog,
}

impl Mailbox {
    /// A mailbox with the well-known folders.
    pub fn new() -> Mailbox {
        let mut folders = BTreeMap::new();
        for distinguished in DISTINGUISHED {
            let info = FolderInfo {
                parent: distinguished.parent().into(),
                class: distinguished.class().to_owned(),
                name: distinguished.display_name().to_owned(),
                extended: Vec::new(),
            };
            folders.insert(FolderKey::from(*distinguished), Folder::new(info, 1));
        }
        Mailbox {
            folders,
            items: HashMap::new(),
            folder_tombstones: BTreeMap::new(),
            change: 1,
            restored: 0,
            next_serial: FolderKey::FIRST_FREE,
            events: EventLog::default(),
        }
    }

    /// Carries out one change.
    pub fn apply(&mut self, mutation: Mutation) {
        let Mutation {
            change,
            at,
            by,
            syncs,
            what,
            ..
        } = mutation;
        self.change = self.change.max(change);
        match what {
            Change::Create {
                serial,
                folder,
                delivered,
                copied_from,
                item,
            } => {
                let mut stored = Stored::new(serial, folder, change, at, by, *item);
                stored.made_by_sync = syncs;
                self.create(stored, at, delivered, copied_from);
            }
            Change::Update {
                serial,
                read_flag_only,
                item,
            } => {
                self.update(serial, change, at, by, read_flag_only, *item);
            }
            Change::Move {
                serial,
                new_serial,
                folder,
            } => {
                self.next_serial = self.next_serial.max(new_serial + 1);
                self.move_item(serial, new_serial, folder, change, at);
            }
            Change::Delete { serial } => {
                if let Some(gone) = self.leave(serial, change, at) {
                    self.events.push(Event {
                        change,
                        at,
                        folder: gone.folder,
                        serial,
                        kind: EventKind::Deleted,
                    });
                }
            }
            Change::Restore { first_serial } => self.restore(first_serial, change, at),
            Change::PutFolder { folder, info } => self.put_folder(folder, info, change, at),
            Change::DeleteFolder { folder } => self.delete_folder(folder, change, at),
        }
    }

    fn create(&mut self, stored: Stored, at: DateTime<Utc>, delivered: bool, copied_from: Option<u64>) {
        let Stored {
            serial,
            folder,
            change,
            ..
        } = stored;
        self.next_serial = self.next_serial.max(serial + 1);
        self.enter(stored, at);
        let kind = match copied_from {
            Some(old) => EventKind::Copied { old_serial: old },
            None => EventKind::Created,
        };
        for kind in [Some(kind), delivered.then_some(EventKind::NewMail)]
            .into_iter()
            .flatten()
        {
            self.events.push(Event {
                change,
                at,
                folder,
                serial,
                kind,
            });
        }
    }

    fn enter(&mut self, stored: Stored, at: DateTime<Utc>) {
        if let Some(folder) = self.folders.get_mut(&stored.folder) {
            folder.by_time.insert(Reverse((stored.sort_time, stored.serial)));
            folder.by_change.insert(stored.change, stored.serial);
            folder.unread += usize::from(stored.is_unread());
            folder.committed = folder.committed.max(Some(at));
            folder.highest = folder.highest.max(stored.serial);
        }
        self.items.insert(stored.serial, stored);
    }

    fn leave(&mut self, serial: u64, change: u64, at: DateTime<Utc>) -> Option<Stored> {
        let stored = self.items.remove(&serial)?;
        if let Some(folder) = self.folders.get_mut(&stored.folder) {
            folder.by_time.remove(&Reverse((stored.sort_time, serial)));
            folder.by_change.remove(&stored.change);
            folder.unread -= usize::from(stored.is_unread());
            folder.committed = folder.committed.max(Some(at));
            folder.tombstones.insert(
                change,
                Tombstone {
                    serial,
                    created_change: stored.created_change,
                },
            );
        }
        Some(stored)
    }

    fn update(
        &mut self,
        serial: u64,
        change: u64,
        at: DateTime<Utc>,
        by: String,
        read_flag_only: bool,
        item: Item,
    ) {
        let Some(stored) = self.items.get_mut(&serial) else {
            return;
        };
        let was_unread = stored.is_unread();
        let before = stored.change;
        stored.size = size_of_item(&item);
        stored.item = Arc::new(item);
        stored.change = change;
        stored.modified = at;
        stored.modified_by = by;
        if !read_flag_only {
            stored.content_change = change;
        }
        let folder_key = stored.folder;
        let is_unread = stored.is_unread();
        if let Some(folder) = self.folders.get_mut(&folder_key) {
            folder.by_change.remove(&before);
            folder.by_change.insert(change, serial);
            folder.committed = folder.committed.max(Some(at));
            folder.unread = folder.unread + usize::from(is_unread) - usize::from(was_unread);
        }
        self.events.push(Event {
            change,
            at,
            folder: folder_key,
            serial,
            kind: EventKind::Modified,
        });
    }

    fn move_item(&mut self, serial: u64, new_serial: u64, to: FolderKey, change: u64, at: DateTime<Utc>) {
        let Some(mut stored) = self.leave(serial, change, at) else {
            return;
        };
        let from = stored.folder;
        stored.serial = new_serial;
        stored.folder = to;
        stored.created_change = change;
        stored.content_change = change;
        stored.change = change;
        self.enter(stored, at);
        let kind = EventKind::Moved {
            old_serial: serial,
            old_folder: from,
        };
        self.events.push(Event {
            change,
            at,
            folder: to,
            serial: new_serial,
            kind,
        });
    }

    fn restore(&mut self, first_serial: u64, change: u64, at: DateTime<Utc>) {
        let mut serials: Vec<u64> = self.items.keys().copied().collect();
        serials.sort_unstable();
        self.next_serial = first_serial + serials.len() as u64;
        // A folder tells its items apart by their changes, so each has one of its own.
        for ((change, new), old) in (change..).zip(first_serial..).zip(serials) {
            let Some(mut stored) = self.leave(old, change, at) else {
                continue;
            };
            stored.serial = new;
            stored.created_change = change;
            stored.content_change = change;
            stored.change = change;
            self.enter(stored, at);
            self.change = change;
        }
        for folder in self.folders.values_mut() {
            folder.tombstones.clear();
        }
        self.restored = self.change;
    }

    fn put_folder(&mut self, key: FolderKey, info: FolderInfo, change: u64, at: DateTime<Utc>) {
        self.next_serial = self.next_serial.max(key.0 + 1);
        let parent = info.parent;
        let kind = match self.folders.get_mut(&key) {
            Some(folder) => {
                folder.info = info;
                folder.change = change;
                EventKind::FolderModified
            }
            None => {
                self.folders.insert(key, Folder::new(info, change));
                EventKind::FolderCreated
            }
        };
        self.events.push(Event {
            change,
            at,
            folder: parent,
            serial: key.0,
            kind,
        });
    }

    fn delete_folder(&mut self, key: FolderKey, change: u64, at: DateTime<Utc>) {
        let children: Vec<FolderKey> = self
            .folders
            .iter()
            .filter(|(child, f)| f.info.parent == key && **child != key)
            .map(|(k, _)| *k)
            .collect();
        for child in children {
            self.delete_folder(child, change, at);
        }
        let Some(folder) = self.folders.remove(&key) else {
            return;
        };
        for Reverse((_, serial)) in &folder.by_time {
            self.items.remove(serial);
        }
        // Several folders may go with one change; the key keeps their entries apart.
        let slot = (0..)
            .map(|n| (change << 16) + n)
            .find(|slot| !self.folder_tombstones.contains_key(slot));
        if let Some(slot) = slot {
            self.folder_tombstones.insert(slot, (key, folder.created_change));
        }
        let parent = folder.info.parent;
        self.events.push(Event {
            change,
            at,
            folder: parent,
            serial: key.0,
            kind: EventKind::FolderDeleted,
        });
    }

    /// Whether `folder` is `ancestor` or lies below it.
    pub fn is_within(&self, folder: FolderKey, ancestor: FolderKey) -> bool {
        let mut at = folder;
        loop {
            if at == ancestor {
                return true;
            }
            match self.folders.get(&at) {
                Some(found) if found.info.parent != at => at = found.info.parent,
                _ => return false,
            }
        }
    }
}

impl Default for Mailbox {
    fn default() -> Mailbox {
        Mailbox::new()
    }
}

impl Folder {
    fn new(info: FolderInfo, change: u64) -> Folder {
        Folder {
            info,
            created_change: change,
            change,
            by_time: BTreeSet::new(),
            by_change: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            unread: 0,
            committed: None,
            highest: 0,
        }
    }
}

impl Stored {
    fn new(serial: u64, folder: FolderKey, change: u64, at: DateTime<Utc>, by: String, item: Item) -> Stored {
        let created = item.time(Field::DateTimeCreated).unwrap_or(at);
        let sort_time = item.time(Field::DateTimeReceived).unwrap_or(created).timestamp();
        Stored {
            serial,
            folder,
            created_change: change,
            content_change: change,
            change,
            created,
            modified: at,
            made_by_sync: false,
            modified_by: by,
            sort_time,
            size: size_of_item(&item),
            item: Arc::new(item),
        }
    }

    fn is_unread(&self) -> bool {
        self.item.kind.is_mail() && !self.item.flag(Field::IsRead)
    }
}

/// Octets an item takes, about as Exchange counts them: content plus a fixed overhead.
pub fn size_of_item(item: &Item) -> usize {
    use super::item::AttachmentContent;
    use super::value::Value;
    let values: usize = item
        .values()
        .iter()
        .map(|(_, value)| match value {
            Value::Text(text) => text.len(),
            Value::Body(body) => body.text.len(),
            Value::Binary(octets) => octets.0.len(),
            _ => 32,
        })
        .sum();
    let attachments: usize = item
        .attachments
        .iter()
        .map(|attachment| match &attachment.content {
            AttachmentContent::File(octets) => octets.0.len(),
            AttachmentContent::Large(size) => *size as usize,
            AttachmentContent::Item(item) => size_of_item(item),
            AttachmentContent::Reference { .. } => 512,
        })
        .sum();
    values + attachments + 1024
}
