//! The lab's Exchange, written from Microsoft's documents.
//!
//! From the outside in: [`front`] signs in ([`auth`], [`ntlm`]), reads the envelope ([`soap`], [`xml`]), finds in
//! whose name the request runs ([`impersonate`]) and leads it to its operation ([`ops`]). Operations read elements
//! ([`read`]), change the [`world`] in one way only (a mutation in a transaction), and write answers ([`render`])
//! in the schema's order ([`layout`]). [`meeting`] and [`series`] know calendars, [`mime`] knows mail.

pub mod auth;
pub mod context;
pub mod defaults;
pub mod directory;
pub mod event;
pub mod extended;
pub mod field;
pub mod folder;
pub mod front;
pub mod groups;
pub mod ids;
pub mod impersonate;
pub mod item;
pub mod large;
pub mod layout;
pub mod mailbox;
pub mod mapi;
pub mod meeting;
pub mod messages;
pub mod mime;
pub mod mutation;
pub mod noticing;
pub mod ntlm;
pub mod ops;
pub mod paging;
pub mod read;
pub mod recurrence;
pub mod recurring;
pub mod refusal;
pub mod render;
pub mod restriction;
pub mod search;
pub mod seed;
pub mod series;
pub mod shape;
pub mod soap;
pub mod streaming;
pub mod subscription;
pub mod sync_state;
pub mod update;
pub mod value;
pub mod version;
pub mod world;
pub mod xml;
pub mod zone;

use crate::journal::{Durable, Journal};
use bytes::Bytes;
use field::Field;
use folder::{DistinguishedFolder, FolderKey};
use ids::{ItemKey, Target};
use serde_json::{Value, json};

pub use front::handle;
pub use world::World;

impl World {
    /// The whole content for GET /world: every mailbox with its items and what a person sees of them.
    pub fn content(&self) -> Value {
        let mailboxes = (0..self.count()).filter_map(|mailbox| {
            let owner = self.directory.owner(mailbox)?;
            let read = self.read(mailbox)?;
            let mut stored: Vec<_> = read.items.values().collect();
            stored.sort_by_key(|stored| stored.serial);
            let items: Vec<Value> = stored
                .into_iter()
                .map(|stored| {
                    let key = ItemKey {
                        mailbox,
                        serial: stored.serial,
                    };
                    let fields: serde_json::Map<String, Value> = stored
                        .item
                        .values()
                        .iter()
                        .map(|(field, value)| (field.uri().to_owned(), json!(value)))
                        .collect();
                    json!({
                        "id": self.ids.encode(Target::Item(key)), "kind": stored.item.kind.element(),
                        "folder": self.folder_name(&read, stored.folder), "fields": fields,
                        "attachments": stored.item.attachments.len(),
                        "files": stored.item.attachments.iter().map(|one| &one.name).collect::<Vec<_>>(),
                        "entries": stored.item.entry_texts().collect::<Vec<_>>(),
                    })
                })
                .collect();
            Some(json!({"address": owner.smtp, "items": items}))
        });
        mailboxes.collect()
    }

    /// The items in this mailbox that a person calls so, the oldest first; none that lie in Deleted Items.
    pub fn titled(&self, address: &str, title: &str) -> Vec<String> {
        let owner = |mailbox: &usize| self.directory.owner(*mailbox);
        let mailbox =
            (0..self.count()).find(|mailbox| owner(mailbox).is_some_and(|owner| owner.smtp == address));
        let Some((mailbox, read)) = mailbox.and_then(|mailbox| Some((mailbox, self.read(mailbox)?))) else {
            return Vec::new();
        };
        let bin = Some(DistinguishedFolder::DeletedItems);
        let called = |stored: &&mailbox::Stored| {
            let titles = [Field::Subject, Field::Surname].map(|field| stored.item.text(field));
            titles.contains(&title) && stored.folder.distinguished() != bin
        };
        let mut serials: Vec<_> = read
            .items
            .values()
            .filter(called)
            .map(|stored| stored.serial)
            .collect();
        serials.sort_unstable();
        let id = |serial| self.ids.encode(Target::Item(ItemKey { mailbox, serial }));
        serials.into_iter().map(id).collect()
    }

    /// The names of the files on an item.
    pub fn files_on(&self, item: &str) -> Vec<String> {
        let Some(Target::Item(key)) = self.ids.decode(item, self.count()) else {
            return Vec::new();
        };
        let stored = self.stored(key);
        let files = stored.iter().flat_map(|stored| &stored.item.attachments);
        files.map(|file| file.name.clone()).collect()
    }

    /// Somebody outside answers this meeting by mail, and the organiser's server notes it.
    ///
    /// # Errors
    /// No such meeting, as a sentence for the caller.
    pub fn answer(&self, meeting: &str, smtp: &str, answer: meeting::Answer) -> Result<(), String> {
        let missing = || format!("there is no meeting {meeting}");
        let Some(Target::Item(key)) = self.ids.decode(meeting, self.count()) else {
            return Err(missing());
        };
        let organizer = self.directory.owner(key.mailbox).ok_or_else(missing)?;
        meeting::track(self, organizer, key, smtp, answer);
        Ok(())
    }

    fn folder_name(&self, read: &mailbox::Mailbox, folder: FolderKey) -> String {
        match (folder.distinguished(), read.folders.get(&folder)) {
            (Some(known), _) => known.wire_name().to_owned(),
            (None, Some(folder)) => folder.info.name.clone(),
            (None, None) => String::new(),
        }
    }

    /// What GET /stats adds for this side: items per mailbox.
    pub fn stats(&self) -> Value {
        let items: serde_json::Map<String, Value> = (0..self.count())
            .filter_map(|mailbox| {
                let owner = self.directory.owner(mailbox)?;
                Some((owner.smtp.clone(), json!(self.read(mailbox)?.items.len())))
            })
            .collect();
        json!({"items": items})
    }

    /// Puts raw MIME bytes as a mail into a folder (a distinguished name such as `inbox`) and gives its id.
    ///
    /// # Errors
    /// No such mailbox or folder, as a sentence for the caller.
    pub fn import_eml(&self, mailbox: &str, folder: &str, mime: Bytes) -> Result<String, String> {
        let owner = self
            .directory
            .by_smtp(mailbox)
            .ok_or_else(|| format!("there is no mailbox {mailbox}"))?;
        let known = DistinguishedFolder::from_wire_name(folder);
        let folder = known.ok_or_else(|| format!("there is no folder {folder}"))?;
        let mut item = mime::read(mime);
        let mut transaction = owner
            .mailbox
            .and_then(|index| self.transaction(index, owner))
            .ok_or_else(|| format!("{mailbox} has no mailbox"))?;
        defaults::complete(&mut item, transaction.at(), Some(owner));
        let key = transaction.deliver(folder.into(), item);
        Ok(self.ids.encode(Target::Item(key)))
    }
}

impl World {
    /// Brings a mailbox back from a backup, as an administrator does by New-MailboxRestoreRequest into a mailbox that was
    /// made anew ("Restore a soft-deleted mailbox", "EWS identifiers in Exchange": an item id is unique to its mailbox
    /// store). Its items are what they were, under other ids; synchronisation states from before are invalid.
    ///
    /// # Errors
    /// No such mailbox, as a sentence for the caller.
    pub fn restore(&self, mailbox: &str) -> Result<(), String> {
        let missing = || format!("there is no mailbox {mailbox}");
        let owner = self.directory.by_smtp(mailbox).ok_or_else(missing)?;
        let transaction = owner.mailbox.and_then(|index| self.transaction(index, owner));
        transaction.ok_or_else(missing)?.restore();
        Ok(())
    }

    /// Attaches something to an item, as its owner would in Outlook.
    ///
    /// # Errors
    /// No such item, as a sentence for the caller.
    pub fn attach_file(
        &self,
        item: &str,
        name: &str,
        content: item::AttachmentContent,
    ) -> Result<(), String> {
        let missing = || format!("there is no item {item}");
        let Some(Target::Item(key)) = self.ids.decode(item, self.count()) else {
            return Err(missing());
        };
        let owner = self.directory.owner(key.mailbox).ok_or_else(missing)?;
        let mut transaction = self.transaction(key.mailbox, owner).ok_or_else(missing)?;
        let modified = transaction.at();
        let stored = transaction.mailbox().items.get(&key.serial).ok_or_else(missing)?;
        let mut changed = stored.item.as_ref().clone();
        changed.attachments.push(item::Attachment {
            serial: 0,
            name: name.to_owned(),
            content_type: Some("application/octet-stream".to_owned()),
            content_id: None,
            inline: false,
            contact_photo: false,
            modified,
            content,
        });
        changed.mime = None;
        defaults::number_attachments(&mut changed);
        transaction.update(key.serial, changed, false);
        Ok(())
    }
}

impl Durable for World {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn replay(&self, entry: Value) {
        if let Ok(mutation) = serde_json::from_value(entry) {
            self.replay_mutation(mutation);
        }
    }

    fn attach(&self, journal: Journal) {
        self.attach_journal(journal);
    }
}
