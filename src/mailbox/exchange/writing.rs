//! Writing items. The dates of series are found in `dates_writing` before they come here.
//!
//! Writes of one sort go in one request, and the answer tells item by item what became of them. Where Exchange
//! rejects a request as a whole, before it did anything, each of its writes is tried alone, so that one item
//! that breaks the schema does not hold up its neighbours.

use super::chosen_folders;
use super::client::{CallError, Client, Operation};
use super::convert;
use super::home_zone;
use super::known_folders::default_folder;
use super::reading;
use super::wire::answer::Fault;
use super::wire::create_item;
use super::wire::delete_item::{self, Of};
use super::wire::folder::FolderRef;
use super::wire::get_item::Name;
use super::wire::item::RawItem;
use super::wire::property::Property;
use super::wire::update_item::{self, Guard};
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{
    ItemId, ItemRef, ItemVersion, MailboxItem, MailboxRef, MailboxWrite, MailboxWritten, Notify,
};
use crate::record::Record;
use crate::record::field::Field;
use crate::record::kind::RecordKind;
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

/// Writes in one request; Exchange gives a request about a minute.
const BATCH: usize = 50;

pub(super) type Written = Result<MailboxWritten, MailboxError>;

/// Writes; each with its place in the caller's list, by which the answers are told apart.
///
/// # Errors
/// Those of the port.
pub async fn write(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    writes: &[(usize, &MailboxWrite)],
    notify: Notify,
) -> Result<Vec<(usize, Written)>, MailboxError> {
    let Some(mut writer) = Writer::new(client, mailbox, kind, notify) else {
        let unwritten = |(place, _): &(usize, &MailboxWrite)| (*place, Err(refused("MailIsNotWritten")));
        return Ok(writes.iter().map(unwritten).collect());
    };
    let home = if writes.iter().any(|(_, write)| needs_a_zone(write)) {
        home_zone::of(client, mailbox).await?
    } else {
        None
    };
    let creates = |(_, write): &(usize, &MailboxWrite)| matches!(write, MailboxWrite::Create { .. });
    let takes_default = mailbox.folders.of(kind).is_none_or(|choice| choice.default);
    if !takes_default && writes.iter().any(creates) {
        let chosen = chosen_folders::chosen(client, mailbox, kind).await?;
        writer.made_in = chosen.into_iter().next();
    }
    let mut plan = Plan::at_home(home);
    let mut done = Vec::with_capacity(writes.len());
    for (place, write) in writes {
        if let Err(error) = plan.add(*place, kind, write) {
            done.push((*place, Err(error)));
        }
    }
    done.extend(writer.carry_out(&plan).await?);
    Ok(done)
}

/// True for an event that the CRM knows no zone of, where its times are written.
pub(super) fn needs_a_zone(write: &MailboxWrite) -> bool {
    let (record, counts) = match write {
        MailboxWrite::Create { record, .. } => (record, true),
        MailboxWrite::Update { record, fields, .. } => (record, fields.has(Field::When)),
        MailboxWrite::Delete { .. } => return false,
    };
    counts && matches!(record, Record::Event(event) if event.zone.is_none())
}

fn refused(code: &str) -> MailboxError {
    MailboxError::Refused {
        code: code.to_owned(),
    }
}

/// The writes by sort, each with its place in the caller's list.
#[derive(Default)]
pub(super) struct Plan<'a> {
    home: Option<Tz>,
    creations: Vec<Creation>,
    updates: Vec<Update<'a>>,
    unguarded: Vec<Update<'a>>,
    deletions: Vec<Deletion<'a>>,
}

impl<'a> Plan<'a> {
    /// An empty one; `home` is the zone for events that name none.
    pub(super) fn at_home(home: Option<Tz>) -> Self {
        Self {
            home,
            ..Self::default()
        }
    }

    pub(super) fn add(
        &mut self,
        place: usize,
        kind: RecordKind,
        write: &'a MailboxWrite,
    ) -> Result<(), MailboxError> {
        match write {
            MailboxWrite::Create { stamp, record } => {
                let properties =
                    convert::new_properties(stamp, record, self.home).filter(|_| record.kind() == kind);
                self.creations
                    .push((place, properties.ok_or_else(|| refused("RecordOfAnotherKind"))?));
            }
            MailboxWrite::Update { item, fields, record } => {
                let properties =
                    convert::changed_properties(*fields, record, self.home).filter(|_| record.kind() == kind);
                let properties = properties.ok_or_else(|| refused("RecordOfAnotherKind"))?;
                if properties.is_empty() {
                    return Err(refused("UpdateOfNothing"));
                }
                let list = if item.version.0.is_empty() {
                    &mut self.unguarded
                } else {
                    &mut self.updates
                };
                list.push((place, item, properties));
            }
            MailboxWrite::Delete { item } => self.deletions.push((place, item)),
        }
        Ok(())
    }
}

pub(super) struct Writer<'a> {
    client: &'a Client,
    mailbox: &'a MailboxRef,
    kind: RecordKind,
    folder: &'static str,
    /// Where new items go, if the default folder is not the stream's.
    made_in: Option<String>,
    notify: Notify,
}

type Creation = (usize, Vec<Property>);
type Update<'a> = (usize, &'a ItemRef, Vec<Property>);
type Deletion<'a> = (usize, &'a ItemId);

/// Writes that go in one request.
#[derive(Clone, Copy)]
enum Batch<'a> {
    Creations(&'a [Creation]),
    Updates(Guard, &'a [Update<'a>]),
    Deletions(&'a [Deletion<'a>]),
}

impl<'a> Batch<'a> {
    fn places(self) -> Vec<usize> {
        match self {
            Self::Creations(list) => list.iter().map(|(place, _)| *place).collect(),
            Self::Updates(_, list) => list.iter().map(|(place, ..)| *place).collect(),
            Self::Deletions(list) => list.iter().map(|(place, _)| *place).collect(),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Creations(list) => list.len(),
            Self::Updates(_, list) => list.len(),
            Self::Deletions(list) => list.len(),
        }
    }

    /// The part from `start` on, `length` writes at most.
    fn part(self, start: usize, length: usize) -> Self {
        fn cut<T>(list: &[T], start: usize, length: usize) -> &[T] {
            let start = start.min(list.len());
            list.get(start..start.saturating_add(length).min(list.len()))
                .unwrap_or_default()
        }
        match self {
            Self::Creations(list) => Self::Creations(cut(list, start, length)),
            Self::Updates(guard, list) => Self::Updates(guard, cut(list, start, length)),
            Self::Deletions(list) => Self::Deletions(cut(list, start, length)),
        }
    }
}

impl<'a> Writer<'a> {
    /// None for mail, which is not written.
    pub(super) fn new(
        client: &'a Client,
        mailbox: &'a MailboxRef,
        kind: RecordKind,
        notify: Notify,
    ) -> Option<Self> {
        let (folder, _) = default_folder(kind)?;
        Some(Self {
            client,
            mailbox,
            kind,
            folder,
            made_in: None,
            notify,
        })
    }

    pub(super) async fn carry_out(&self, plan: &Plan<'_>) -> Result<Vec<(usize, Written)>, MailboxError> {
        let creations = plan.creations.chunks(BATCH).map(Batch::Creations);
        let updates = plan
            .updates
            .chunks(BATCH)
            .map(|list| Batch::Updates(Guard::SameVersion, list));
        let unguarded = plan
            .unguarded
            .chunks(BATCH)
            .map(|list| Batch::Updates(Guard::None, list));
        let deletions = plan.deletions.chunks(BATCH).map(Batch::Deletions);
        let batches: Vec<Batch<'_>> = creations
            .chain(updates)
            .chain(unguarded)
            .chain(deletions)
            .collect();
        let mut done = Vec::new();
        for batch in batches {
            done.extend(batch.places().into_iter().zip(self.each(batch).await?));
        }
        Ok(done)
    }

    /// Carries out a batch. What Exchange did not get to is sent again as long as it gets further; a request
    /// that it rejects unread is taken apart.
    async fn each(&self, batch: Batch<'_>) -> Result<Vec<Written>, MailboxError> {
        let mut done: Vec<Written> = Vec::with_capacity(batch.len());
        // Set once the batch was rejected as a whole.
        let mut at_once = batch.len();
        while done.len() < batch.len() {
            let part = batch.part(done.len(), at_once);
            let before = done.len();
            match self.send(part).await {
                Ok(answers) if answers.len() == part.len() => {
                    let answered = answers.into_iter().take_while(|answer| !is_unread(answer));
                    done.extend(answered.map(|answer| answer.unwrap_or_else(|fault| Err(fault.into()))));
                }
                Ok(_) => {
                    let what = "an answer of another length than the request";
                    return Err(MailboxError::Unintelligible { what });
                }
                Err(CallError::Fault(fault)) if is_rejected_unread(&fault) && part.len() == 1 => {
                    done.push(Err(fault.into()));
                }
                Err(CallError::Fault(fault)) if is_rejected_unread(&fault) => {
                    at_once = 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if done.len() == before {
                let stopped = || MailboxError::Passing {
                    code: "ErrorBatchProcessingStopped".to_owned(),
                };
                done.extend((before..batch.len()).map(|_| Err(stopped())));
            }
        }
        Ok(done)
    }

    async fn send(&self, batch: Batch<'_>) -> Result<Vec<Result<Written, Fault>>, CallError> {
        match batch {
            Batch::Creations(list) => self.create(list).await,
            Batch::Updates(guard, list) => self.update(guard, list).await,
            Batch::Deletions(list) => self.delete(list).await,
        }
    }

    async fn create(&self, list: &[Creation]) -> Result<Vec<Result<Written, Fault>>, CallError> {
        let operation = Operation {
            name: "CreateItem",
            repeatable: false,
        };
        let named = self.made_in.as_deref().map(FolderRef::Id);
        let folder = named.unwrap_or(FolderRef::Distinguished(self.folder));
        let answer: Vec<Result<Vec<RawItem>, _>> = self
            .client
            .call(
                self.mailbox,
                operation,
                |w, _| {
                    let items = list.iter().map(|(_, properties)| properties.as_slice());
                    create_item::request(w, self.kind, folder, self.notify, items);
                },
                create_item::read,
            )
            .await?;
        Ok(answer.into_iter().map(made).collect())
    }

    async fn update(
        &self,
        guard: Guard,
        list: &[Update<'_>],
    ) -> Result<Vec<Result<Written, Fault>>, CallError> {
        // The same values twice are the same values; but the version in a guarded update is spent.
        let operation = Operation {
            name: "UpdateItem",
            repeatable: guard == Guard::None,
        };
        let answer: Vec<Result<Vec<RawItem>, _>> = self
            .client
            .call(
                self.mailbox,
                operation,
                |w, version| {
                    let items = list
                        .iter()
                        .map(|(_, item, properties)| (*item, properties.as_slice()));
                    update_item::request(w, version, self.kind, guard, self.notify, items);
                },
                create_item::read,
            )
            .await?;
        Ok(answer.into_iter().map(|message| message.map(written)).collect())
    }

    /// Deletes. Of a recurring task goes the occurrence whose turn it is, never the whole: that is all that a record in
    /// the CRM stands for.
    async fn delete(&self, list: &[Deletion<'_>]) -> Result<Vec<Result<Written, Fault>>, CallError> {
        let items: Vec<&ItemId> = list.iter().map(|(_, item)| *item).collect();
        let recurring = match self.kind {
            RecordKind::Tasks => self.recurring(&items).await?,
            _ => return self.delete_of(Of::Whole, &items).await,
        };
        let (again, once): (Vec<&ItemId>, Vec<&ItemId>) =
            items.iter().copied().partition(|item| recurring.contains(*item));
        let mut fates: HashMap<&ItemId, Result<Written, Fault>> = HashMap::new();
        let mut whole = once;
        if !again.is_empty() {
            for (item, answer) in again
                .iter()
                .copied()
                .zip(self.delete_of(Of::Occurrence, &again).await?)
            {
                match answer {
                    Err(fault) if fault.code == delete_item::LAST_OCCURRENCE => whole.push(item),
                    answer => drop(fates.insert(item, answer)),
                }
            }
        }
        if !whole.is_empty() {
            let answers = self.delete_of(Of::Whole, &whole).await?;
            fates.extend(whole.into_iter().zip(answers));
        }
        let unanswered = || {
            Err(Fault {
                code: "ErrorBatchProcessingStopped".to_owned(),
                ..Fault::default()
            })
        };
        let fates = items
            .iter()
            .map(|item| fates.remove(*item).unwrap_or_else(unanswered));
        Ok(fates.collect())
    }

    /// Those of these tasks that recur.
    async fn recurring(&self, items: &[&ItemId]) -> Result<HashSet<ItemId>, MailboxError> {
        let names: Vec<Name> = items.iter().map(|item| Name::Item((*item).clone())).collect();
        let read = reading::read(self.client, self.mailbox, self.kind, &names).await?;
        let recurs = |item: &MailboxItem| matches!(&item.record, Record::Task(task) if task.is_recurring);
        let recurring = read.into_iter().flatten().filter(recurs);
        Ok(recurring.map(|item| item.item.id).collect())
    }

    async fn delete_of(&self, of: Of, items: &[&ItemId]) -> Result<Vec<Result<Written, Fault>>, CallError> {
        // An occurrence that is deleted twice is two.
        let operation = Operation {
            name: "DeleteItem",
            repeatable: of == Of::Whole,
        };
        let answer = self
            .client
            .call(
                self.mailbox,
                operation,
                |w, version| delete_item::request(w, version, self.notify, of, items),
                delete_item::read,
            )
            .await?;
        let deleted = |item: &ItemId| MailboxWritten {
            item: ItemRef {
                id: item.clone(),
                version: ItemVersion(String::new()),
            },
        };
        Ok(answer
            .into_iter()
            .zip(items)
            .map(|(message, item)| message.map(|()| Ok(deleted(item))))
            .collect())
    }
}

fn written(items: Vec<RawItem>) -> Written {
    let item = items.into_iter().next().and_then(|raw| raw.item);
    item.map(|item| MailboxWritten { item })
        .ok_or(MailboxError::Unintelligible {
            what: "an item without its identifier",
        })
}

/// A folder that went meanwhile is no item that is gone: the next turn looks for the folders anew.
fn made(message: Result<Vec<RawItem>, Fault>) -> Result<Written, Fault> {
    match message {
        Err(fault) if fault.code == "ErrorFolderNotFound" => {
            Ok(Err(MailboxError::Passing { code: fault.code }))
        }
        message => message.map(written),
    }
}

fn is_unread(answer: &Result<Written, Fault>) -> bool {
    answer
        .as_ref()
        .is_err_and(|fault| fault.code == "ErrorBatchProcessingStopped")
}

/// The schema is looked at before anything is done.
fn is_rejected_unread(fault: &Fault) -> bool {
    matches!(
        fault.code.as_str(),
        "ErrorSchemaValidation" | "ErrorInvalidRequest"
    )
}
