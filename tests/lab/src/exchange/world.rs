//! The organisation: all mailboxes, and the one way in which they change.
//!
//! [`World::transaction`] locks one mailbox; every change made inside goes to the journal first
//! and to the mailbox then, and wakes whoever streams notifications from it when the transaction
//! is dropped. Readers take [`World::read`] for a moment and carry `Arc<Item>` away.

use super::directory::{Directory, Principal};
use super::field::Field;
use super::folder::{DistinguishedFolder, FolderInfo, FolderKey};
use super::groups::Lists;
use super::ids::{Ids, ItemKey};
use super::item::Item;
use super::mailbox::{Mailbox, Stored};
use super::mutation::{Change, Mutation};
use super::ntlm::ExtendedProtection;
use super::subscription::Subscriptions;
use super::version::Build;
use super::{defaults, seed};
use crate::cast::Cast;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::lab::Options;
use crate::ledger::Ledger;
use chrono::{DateTime, SubsecRound, Utc};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// The organisation.
pub struct World {
    /// Who is in it.
    pub cast: Arc<Cast>,
    /// The accounts.
    pub directory: Directory,
    /// The distribution lists.
    pub lists: Lists,
    /// The lab's time.
    pub clock: Clock,
    /// What people would have noticed.
    pub ledger: Ledger,
    /// What goes wrong.
    pub faults: Faults,
    /// Makes and reads identifiers.
    pub ids: Ids,
    /// Who listens to what.
    pub subscriptions: Subscriptions,
    /// How channel bindings are judged.
    pub protection: ExtendedProtection,
    build: OnceLock<Build>,
    journal: OnceLock<Journal>,
    mailboxes: Vec<RwLock<Mailbox>>,
    wakers: Vec<watch::Sender<u64>>,
    cuts: watch::Sender<u64>,
}

impl World {
    /// The seeded organisation.
    pub fn new(cast: Arc<Cast>, clock: Clock, ledger: Ledger, faults: Faults, options: &Options) -> World {
        let directory = Directory::new(&cast);
        let count = directory.mailboxes();
        let world = World {
            ids: Ids::new(cast.seed),
            directory,
            lists: Lists::new(&cast),
            clock,
            ledger,
            faults,
            subscriptions: Subscriptions::default(),
            protection: super::auth::protection(options),
            build: OnceLock::new(),
            journal: OnceLock::new(),
            mailboxes: (0..count).map(|_| RwLock::new(Mailbox::new())).collect(),
            wakers: (0..count).map(|_| watch::Sender::new(0)).collect(),
            cuts: watch::Sender::new(0),
            cast,
        };
        seed::seed(&world, options.items_per_person);
        world
    }

    /// The build this server answers as.
    pub fn build(&self) -> Build {
        self.build.get().copied().unwrap_or_default()
    }

    /// Chooses the build; the first choice holds.
    pub fn set_build(&self, build: Build) {
        let _ = self.build.set(build);
    }

    /// From now on every change goes to this journal first.
    pub fn attach_journal(&self, journal: Journal) {
        let _ = self.journal.set(journal);
    }

    /// Now, in whole seconds as Exchange keeps times.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(0)
    }

    /// How many mailboxes there are.
    pub fn count(&self) -> usize {
        self.mailboxes.len()
    }

    /// A mailbox to read from; none for an index that is not one.
    pub fn read(&self, mailbox: usize) -> Option<RwLockReadGuard<'_, Mailbox>> {
        let lock = self.mailboxes.get(mailbox)?;
        Some(lock.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stored form of an item; none when it is gone.
    pub fn stored(&self, key: ItemKey) -> Option<Stored> {
        self.read(key.mailbox)?.items.get(&key.serial).cloned()
    }

    /// Opens a mailbox for changes in somebody's name.
    pub fn transaction(&self, mailbox: usize, by: &Principal) -> Option<Transaction<'_>> {
        let mut transaction = self.transaction_at(mailbox, by.display.clone(), self.now())?;
        transaction.syncs = by.syncs;
        Some(transaction)
    }

    fn transaction_at(&self, mailbox: usize, by: String, at: DateTime<Utc>) -> Option<Transaction<'_>> {
        let lock = self.mailboxes.get(mailbox)?;
        let guard = lock.write().unwrap_or_else(PoisonError::into_inner);
        Some(Transaction {
            world: self,
            index: mailbox,
            mailbox: guard,
            by,
            syncs: false,
            at,
            changed: false,
        })
    }

    /// Carries out a change that an earlier run had journaled.
    pub fn replay_mutation(&self, mutation: Mutation) {
        if let Some(lock) = self.mailboxes.get(mutation.mailbox) {
            lock.write()
                .unwrap_or_else(PoisonError::into_inner)
                .apply(mutation);
        }
    }

    /// Resolves whenever a mailbox has changed after this call.
    pub fn watch(&self, mailbox: usize) -> Option<watch::Receiver<u64>> {
        self.wakers.get(mailbox).map(watch::Sender::subscribe)
    }

    /// Every mailbox as it is now.
    pub fn past(&self) -> Vec<Mailbox> {
        let now = |lock: &RwLock<Mailbox>| lock.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.mailboxes.iter().map(now).collect()
    }

    /// Every mailbox is again as it was.
    pub fn go_back(&self, past: &[Mailbox]) {
        for (lock, mailbox) in self.mailboxes.iter().zip(past) {
            let mut now = lock.write().unwrap_or_else(PoisonError::into_inner);
            now.clone_from(mailbox);
        }
    }

    /// Cuts every open notification stream in the middle of its answer, as a failing balancer does.
    pub fn cut_streams(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Resolves whenever streams are cut after this call.
    pub fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// How many notification streams are open.
    pub fn open_streams(&self) -> usize {
        self.cuts.receiver_count()
    }

    /// Puts an item in a well-known folder while the world is made. Its times are those of its
    /// properties, else the world's start.
    pub fn seed_item(&self, mailbox: usize, folder: DistinguishedFolder, item: Item) -> ItemKey {
        self.seed_item_in(mailbox, folder.into(), item)
    }

    /// The same for any folder.
    ///
    /// # Panics
    /// When there is no such mailbox: the seed knows the cast.
    pub fn seed_item_in(&self, mailbox: usize, folder: FolderKey, mut item: Item) -> ItemKey {
        let at = item
            .time(Field::DateTimeCreated)
            .or(item.time(Field::DateTimeReceived))
            .unwrap_or(self.cast.start)
            .trunc_subsecs(0);
        let by = self
            .directory
            .owner(mailbox)
            .map(|owner| owner.display.clone())
            .unwrap_or_default();
        defaults::complete(&mut item, at, self.directory.owner(mailbox));
        let mut transaction = self
            .transaction_at(mailbox, by, at)
            .expect("the seed fills only mailboxes of the cast");
        transaction.create(folder, item)
    }

    /// Makes a folder while the world is made.
    ///
    /// # Panics
    /// When there is no such mailbox.
    pub fn seed_folder(&self, mailbox: usize, parent: FolderKey, class: &str, name: &str) -> FolderKey {
        let info = FolderInfo {
            parent,
            class: class.to_owned(),
            name: name.to_owned(),
            extended: Vec::new(),
        };
        let mut transaction = self
            .transaction_at(mailbox, String::new(), self.cast.start)
            .expect("the seed fills only mailboxes of the cast");
        transaction.create_folder(info)
    }
}

/// A mailbox opened for changes.
pub struct Transaction<'a> {
    world: &'a World,
    index: usize,
    mailbox: RwLockWriteGuard<'a, Mailbox>,
    by: String,
    syncs: bool,
    at: DateTime<Utc>,
    changed: bool,
}

impl Transaction<'_> {
    /// The mailbox as it is now.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The time that changes carry.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn apply(&mut self, what: Change) -> u64 {
        let change = self.mailbox.change + 1;
        let mutation = Mutation {
            mailbox: self.index,
            change,
            at: self.at,
            by: self.by.clone(),
            syncs: self.syncs,
            what,
        };
        if let Some(journal) = self.world.journal.get() {
            journal.append("exchange", &mutation);
        }
        self.mailbox.apply(mutation);
        self.changed = true;
        change
    }

    fn key(&self, serial: u64) -> ItemKey {
        ItemKey {
            mailbox: self.index,
            serial,
        }
    }

    /// The mailbox comes back from a backup: what it holds is the same, and every id is another one.
    pub fn restore(&mut self) {
        let first_serial = self.mailbox.next_serial;
        self.apply(Change::Restore { first_serial });
    }

    /// A new item.
    pub fn create(&mut self, folder: FolderKey, item: Item) -> ItemKey {
        self.enter(folder, item, false, None)
    }

    /// A new item that arrives as mail.
    pub fn deliver(&mut self, folder: FolderKey, item: Item) -> ItemKey {
        self.enter(folder, item, true, None)
    }

    /// A copy of an item.
    pub fn copy(&mut self, folder: FolderKey, item: Item, from: u64) -> ItemKey {
        self.enter(folder, item, false, Some(from))
    }

    fn enter(&mut self, folder: FolderKey, item: Item, delivered: bool, copied_from: Option<u64>) -> ItemKey {
        let serial = self.mailbox.next_serial;
        self.apply(Change::Create {
            serial,
            folder,
            delivered,
            copied_from,
            item: Box::new(item),
        });
        self.key(serial)
    }

    /// Another version of an item.
    pub fn update(&mut self, serial: u64, item: Item, read_flag_only: bool) {
        self.apply(Change::Update {
            serial,
            read_flag_only,
            item: Box::new(item),
        });
    }

    /// Takes an item to another folder; its number, and so its id, is another one then.
    pub fn move_item(&mut self, serial: u64, folder: FolderKey) -> ItemKey {
        let new_serial = self.mailbox.next_serial;
        self.apply(Change::Move {
            serial,
            new_serial,
            folder,
        });
        self.key(new_serial)
    }

    /// Removes an item for good.
    pub fn delete(&mut self, serial: u64) {
        self.apply(Change::Delete { serial });
    }

    /// A new folder.
    pub fn create_folder(&mut self, info: FolderInfo) -> FolderKey {
        let folder = FolderKey(self.mailbox.next_serial);
        self.apply(Change::PutFolder { folder, info });
        folder
    }

    /// Other names for a folder, or another place.
    pub fn update_folder(&mut self, folder: FolderKey, info: FolderInfo) {
        self.apply(Change::PutFolder { folder, info });
    }

    /// Removes a folder and all that it holds.
    pub fn delete_folder(&mut self, folder: FolderKey) {
        self.apply(Change::DeleteFolder { folder });
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.changed
            && let Some(waker) = self.world.wakers.get(self.index)
        {
            waker.send_replace(self.mailbox.change);
        }
    }
}
