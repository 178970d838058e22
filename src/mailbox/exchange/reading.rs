//! Reading items by what names them, and `find_stamped()`. The dates of series are found in `dates`.
//!
//! Items are read in batches. A batch that fails as a whole, because one item in it breaks the server or the
//! parser or is too large, is halved until the culprit stands alone; alone it is asked for without its body,
//! and if that does not help either, it is refused and the others go on.

use super::chosen_folders;
use super::client::{CallError, Client, Operation};
use super::convert;
use super::fault;
use super::groups;
use super::known_folders::default_folder;
use super::mail_folders;
use super::wire::find_item::{self, MAX_STAMPS};
use super::wire::folder::FolderRef;
use super::wire::get_item::{self, Extent, Name};
use super::wire::item::RawItem;
use crate::foundation::content::Content;
use crate::mailbox::error::MailboxError;
use crate::mailbox::folders::{FolderChoice, ItemFolder};
use crate::mailbox::model::{ItemRef, MailboxItem, MailboxRef, Stamp};
use crate::record::Record;
use crate::record::email::Direction;
use crate::record::kind::RecordKind;
use std::collections::HashMap;
use std::ops::Range;

/// Items without bodies to speak of are asked for by so many more at once.
const LIGHT: usize = 2;

pub(super) type Read = Result<MailboxItem, MailboxError>;

/// Reads items by whatever names them.
///
/// # Errors
/// Those of the port.
pub async fn read(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    items: &[Name],
) -> Result<Vec<Read>, MailboxError> {
    let reader = Reader {
        client,
        mailbox,
        kind,
    };
    let size = if kind == RecordKind::Mail {
        client.read_batch()
    } else {
        client.read_batch() * LIGHT
    };
    let mut waiting: Vec<Range<usize>> = (0..items.len())
        .step_by(size)
        .map(|start| start..(start + size).min(items.len()))
        .rev()
        .collect();
    if kind == RecordKind::Mail && !items.is_empty() && client.session(mailbox).mail_folders().is_none() {
        mail_folders::begin_round(client, mailbox, None).await?;
    }
    if !items.is_empty() {
        chosen_folders::known(client, mailbox, kind).await?;
    }
    let mut read = Vec::with_capacity(items.len());
    while let Some(range) = waiting.pop() {
        let Some(batch) = items.get(range.clone()) else {
            continue;
        };
        match reader.batch(batch, Extent::Whole).await {
            Ok(answers) => read.extend(answers),
            Err(error) if is_the_items_fault(&error) && batch.len() > 1 => {
                let middle = range.start + batch.len() / 2;
                waiting.push(middle..range.end);
                waiting.push(range.start..middle);
            }
            Err(error) if is_the_items_fault(&error) => match batch {
                [item] => read.push(reader.alone(item, error.into()).await?),
                _ => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
    if kind == RecordKind::Calendar {
        for read in &mut read {
            let filled = match read {
                Ok(item) => groups::fill(client, mailbox, item).await?,
                Err(_) => Ok(()),
            };
            if let Err(error) = filled {
                *read = Err(error);
            }
        }
    }
    Ok(read)
}

/// True where asking for fewer items may help.
pub(super) fn is_the_items_fault(error: &CallError) -> bool {
    match error {
        CallError::Damaged(_) | CallError::TooMuch(_) => true,
        CallError::Fault(fault) => fault.inner.is_none() && fault::spares_the_rest(&fault.code),
        CallError::Other(_) => false,
    }
}

pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) mailbox: &'a MailboxRef,
    pub(super) kind: RecordKind,
}

impl Reader<'_> {
    /// One request. Items that Exchange can give in part are asked for again without their bodies.
    async fn batch(&self, items: &[Name], extent: Extent) -> Result<Vec<Read>, CallError> {
        let answers = self.request(items, extent).await?;
        let mut read = Vec::with_capacity(items.len());
        for (item, answer) in items.iter().zip(answers) {
            read.push(match answer {
                Ok(raw) => self.item(raw, extent),
                Err(fault)
                    if extent == Extent::Whole
                        && fault.inner.is_none()
                        && fault::spares_the_rest(&fault.code) =>
                {
                    self.alone(item, fault.into()).await?
                }
                Err(fault) => Err(fault.into()),
            });
        }
        Ok(read)
    }

    /// The last try: one item, without its body. `whole` is why it could not be had whole.
    async fn alone(&self, item: &Name, whole: MailboxError) -> Result<Read, MailboxError> {
        match self
            .request(std::slice::from_ref(item), Extent::WithoutBody)
            .await
        {
            Ok(answers) => Ok(match answers.into_iter().next() {
                Some(Ok(raw)) => self.item(raw, Extent::WithoutBody),
                Some(Err(fault)) => Err(fault.into()),
                None => Err(whole),
            }),
            Err(CallError::Damaged(_)) => Ok(Err(MailboxError::Refused {
                code: "AnswerUnreadable".to_owned(),
            })),
            Err(CallError::TooMuch(_)) => Ok(Err(MailboxError::Refused {
                code: "AnswerTooLarge".to_owned(),
            })),
            Err(CallError::Fault(fault)) if fault.inner.is_none() && fault::spares_the_rest(&fault.code) => {
                Ok(Err(MailboxError::Refused { code: fault.code }))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn request(
        &self,
        items: &[Name],
        extent: Extent,
    ) -> Result<Vec<Result<RawItem, super::wire::answer::Fault>>, CallError> {
        let operation = Operation {
            name: "GetItem",
            repeatable: true,
        };
        let answer: Vec<Result<Vec<RawItem>, _>> = self
            .client
            .call(
                self.mailbox,
                operation,
                |w, _| get_item::request(w, self.kind, extent, items),
                get_item::read,
            )
            .await?;
        if answer.len() != items.len() {
            return Err(MailboxError::Unintelligible {
                what: "an answer of another length than the request",
            }
            .into());
        }
        let none = || super::wire::answer::Fault {
            code: "ErrorItemNotFound".to_owned(),
            ..Default::default()
        };
        Ok(answer
            .into_iter()
            .map(|message| message.and_then(|items| items.into_iter().next().ok_or_else(none)))
            .collect())
    }

    pub(super) fn item(&self, mut raw: RawItem, extent: Extent) -> Read {
        // An id may lead to anything: what is no item of the stream is not there for it.
        if default_folder(self.kind).is_some_and(|(_, element)| element != raw.element) {
            return Err(MailboxError::Gone);
        }
        let item = raw.item.take().ok_or(MailboxError::Unintelligible {
            what: "an item without its identifier",
        })?;
        // An id may have been typed by a person, who need not know what the item is.
        if default_folder(self.kind).is_some_and(|(_, element)| element != raw.element) {
            return Err(MailboxError::Refused {
                code: "AnotherKindOfItem".to_owned(),
            });
        }
        let folder = self.folder(&raw)?;
        let record = match self.kind {
            RecordKind::Calendar => {
                let home = self.client.session(self.mailbox).home_zone().flatten();
                Record::Event(convert::event::read(&mut raw, home)?)
            }
            RecordKind::Contacts => Record::Contact(convert::contact::read(&mut raw)),
            RecordKind::Tasks => Record::Task(convert::task::read(&mut raw)),
            RecordKind::Mail => {
                let (direction, dropped) = self.lies_in(&raw);
                Record::Email(Box::new(convert::email::read(&mut raw, direction, dropped)?))
            }
        };
        Ok(MailboxItem {
            item,
            modified: raw.modified,
            stamp: raw.stamp.map(Stamp),
            record,
            categories: raw.categories.into_iter().map(Content::new).collect(),
            folder,
            degraded: extent == Extent::WithoutBody,
            has_attachments: raw.has_attachments || !raw.attachments.is_empty(),
        })
    }

    /// In which folder an item lies, where that matters. One in a folder that was thrown away is gone, as it would be
    /// had it been thrown away alone.
    fn folder(&self, raw: &RawItem) -> Result<Option<ItemFolder>, MailboxError> {
        match self.client.session(self.mailbox).chosen_folders(self.kind) {
            Some(known) if !raw.parent.is_empty() => {
                known.lies_in(&raw.parent).map(Some).ok_or(MailboxError::Gone)
            }
            _ => Ok(None),
        }
    }

    /// Which way a mail went, and whether it was put where mail is saved: by the folder that it is in. In a folder
    /// for mail of both ways, or made a moment ago, its author tells the way.
    fn lies_in(&self, raw: &RawItem) -> (Direction, bool) {
        let folders = self.client.session(self.mailbox).mail_folders();
        let folder = folders.as_deref().and_then(|folders| folders.get(&raw.parent));
        let by_author = || {
            let author = raw.message.from.as_ref().or(raw.message.sender.as_ref());
            author.is_some_and(|author| author.address.eq_ignore_ascii_case(&self.mailbox.address))
        };
        let sent = match folder {
            Some(folder) if folder.sent || !folder.dropped => folder.sent,
            _ => by_author(),
        };
        let direction = match sent {
            true => Direction::Sent,
            false => Direction::Received,
        };
        (direction, folder.is_some_and(|folder| folder.dropped))
    }
}

/// See [`MailboxServer::find_stamped`](crate::mailbox::port::MailboxServer::find_stamped). Where people copied
/// a stamped item, the oldest one is ours.
///
/// # Errors
/// Those of the port.
pub async fn find_stamped(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    stamps: &[Stamp],
) -> Result<Vec<Option<ItemRef>>, MailboxError> {
    // Nothing is ever written to the mail stream, so nothing there bears a stamp.
    let Some((folder, _)) = default_folder(kind) else {
        return Ok(vec![None; stamps.len()]);
    };
    let choice = mailbox.folders.of(kind);
    let named = match choice.is_none_or(FolderChoice::is_default_alone) {
        true => Vec::new(),
        false => chosen_folders::chosen(client, mailbox, kind).await?,
    };
    let folders: Vec<FolderRef<'_>> = match named.is_empty() {
        true => vec![FolderRef::Distinguished(folder)],
        false => named.iter().map(|id| FolderRef::Id(id)).collect(),
    };
    let mut found: HashMap<String, RawItem> = HashMap::new();
    for batch in stamps.chunks(MAX_STAMPS) {
        let operation = Operation {
            name: "FindItem",
            repeatable: true,
        };
        let answer: Vec<Result<Vec<RawItem>, _>> = client
            .call(
                mailbox,
                operation,
                |w, _| find_item::request(w, &folders, batch),
                find_item::read,
            )
            .await?;
        for message in answer {
            for item in message? {
                let Some(stamp) = item.stamp.clone() else { continue };
                let is_older = found.get(&stamp).is_none_or(|other| item.created < other.created);
                if is_older {
                    found.insert(stamp, item);
                }
            }
        }
    }
    Ok(stamps
        .iter()
        .map(|stamp| found.get(&stamp.0).and_then(|item| item.item.clone()))
        .collect())
}
