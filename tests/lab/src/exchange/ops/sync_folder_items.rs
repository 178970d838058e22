//! SyncFolderItems: what came, changed and went in a folder since a state, at most 512 a page.
//!
//! The first reading runs from the newest item to the oldest. What changes meanwhile comes after
//! it, so that an item may be created on one page and updated on a later one. Calendar folders
//! give single items and masters, never occurrences.

use crate::exchange::context::{Context, Found};
use crate::exchange::folder::FolderKey;
use crate::exchange::ids::{ItemKey, Target};
use crate::exchange::mailbox::{Folder, Mailbox};
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::render;
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::sync_state::SyncState;
use crate::exchange::version::Version;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Bound;

/// One change of a page.
enum Change {
    Create(Box<Found>),
    Update(Box<Found>),
    ReadFlag(Box<Found>),
    Delete(u64),
}

struct Page {
    state: SyncState,
    last: bool,
    changes: Vec<Change>,
}

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = request
        .m("ItemShape")
        .ok_or_else(|| Refusal::missing("ItemShape"))?;
    let shape = Shape::read(shape, Purpose::Sync, cx.version)?;
    let most = request
        .m_text("MaxChangesReturned")
        .ok_or_else(|| Refusal::missing("MaxChangesReturned"))?
        .trim();
    let most: usize = match most.parse() {
        Ok(most) if (1..=512).contains(&most) => most,
        _ => return Err(Refusal::invalid_value("MaxChangesReturned", most)),
    };
    if request.m("SyncScope").is_some() && cx.version < Version::E2010Sp1 {
        return Err(Refusal::schema(
            "The element 'SyncFolderItems' has invalid child element 'SyncScope'.",
        ));
    }
    let mut messages = Messages::new("SyncFolderItems");
    match page(cx, request, most) {
        Ok((mailbox, page)) => messages.success(|writer| write(writer, cx, mailbox, &page, &shape)),
        Err(refusal) => messages.refuse(&refusal),
    }
    Ok(messages.finish())
}

fn write(writer: &mut Writer, cx: &Context, mailbox: usize, page: &Page, shape: &Shape) {
    writer.leaf("m:SyncState", &page.state.encode(cx.world.cast.seed));
    writer.bool("m:IncludesLastItemInRange", page.last);
    writer.open("m:Changes");
    for change in &page.changes {
        match change {
            Change::Create(found) | Change::Update(found) => {
                let name = if matches!(change, Change::Create(_)) {
                    "t:Create"
                } else {
                    "t:Update"
                };
                writer.open(name);
                render::item(writer, cx, found, shape);
                writer.close(name);
            }
            Change::ReadFlag(found) => {
                writer.open("t:ReadFlagChange");
                render::item_id(writer, cx, found);
                writer.bool("t:IsRead", found.item.flag(crate::exchange::field::Field::IsRead));
                writer.close("t:ReadFlagChange");
            }
            Change::Delete(serial) => {
                writer.open("t:Delete");
                let id = cx.world.ids.encode(Target::Item(ItemKey {
                    mailbox,
                    serial: *serial,
                }));
                writer.empty("t:ItemId", &[("Id", &id)]);
                writer.close("t:Delete");
            }
        }
    }
    writer.close("m:Changes");
}

/// The state in a request, if it has one.
///
/// # Errors
/// It is not one of this server's, or of another folder, or counts as lost.
pub fn state(
    cx: &Context,
    request: &Element,
    mailbox: usize,
    folder: FolderKey,
) -> Result<Option<SyncState>, Refusal> {
    let text = request.m_text("SyncState").unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(None);
    }
    let restored = cx.world.read(mailbox).map_or(0, |mailbox| mailbox.restored);
    let known = SyncState::decode(text, cx.world.cast.seed)
        .filter(|state| state.mailbox == mailbox as u64 && state.folder == folder.0 && !cx.cursors_lost)
        .filter(|state| state.change >= restored);
    known.map(Some).ok_or_else(|| {
        Refusal::new(
            "ErrorInvalidSyncStateData",
            "Synchronization state data is corrupt or otherwise invalid.",
        )
    })
}

fn page(cx: &Context, request: &Element, most: usize) -> Result<(usize, Page), Refusal> {
    let folder = request
        .m("SyncFolderId")
        .ok_or_else(|| Refusal::missing("SyncFolderId"))?;
    let (mailbox, key) = cx.target_folder(folder).map_err(|refusal| match refusal.code {
        "ErrorFolderNotFound" => Refusal::new(
            "ErrorSyncFolderNotFound",
            "Synchronization failed because the folder could not be found.",
        ),
        _ => refusal,
    })?;
    let before = state(cx, request, mailbox, key)?;
    let ignored: HashSet<u64> = request
        .m("Ignore")
        .map(|ignore| ignore.children.as_slice())
        .unwrap_or_default()
        .iter()
        .filter_map(|id| match cx.target(id.attribute("Id")?) {
            Ok(Target::Item(key)) => Some(key.serial),
            _ => None,
        })
        .collect();
    let read = cx.world.read(mailbox).ok_or_else(Refusal::folder_not_found)?;
    let folder = read.folders.get(&key).ok_or_else(Refusal::folder_not_found)?;
    let start = SyncState {
        mailbox: mailbox as u64,
        folder: key.0,
        change: read.change,
        first: Some((i64::MAX, u64::MAX)),
    };
    let mut page = Page {
        state: before.unwrap_or(start),
        last: false,
        changes: Vec::new(),
    };
    let reader = Reader {
        mailbox,
        read: &read,
        folder,
        ignored: &ignored,
        most,
    };
    reader.first_reading(&mut page);
    reader.later_changes(&mut page);
    drop(read);
    Ok((mailbox, page))
}

struct Reader<'a> {
    mailbox: usize,
    read: &'a Mailbox,
    folder: &'a Folder,
    ignored: &'a HashSet<u64>,
    most: usize,
}

impl Reader<'_> {
    fn found(&self, serial: u64) -> Option<Box<Found>> {
        let stored = self.read.items.get(&serial)?.clone();
        Some(Box::new(Found::whole(
            ItemKey {
                mailbox: self.mailbox,
                serial,
            },
            stored,
        )))
    }

    fn first_reading(&self, page: &mut Page) {
        let Some(reached) = page.state.first else { return };
        let rest = self
            .folder
            .by_time
            .range((Bound::Excluded(Reverse(reached)), Bound::Unbounded));
        for Reverse((time, serial)) in rest {
            if page.changes.len() == self.most {
                return;
            }
            page.state.first = Some((*time, *serial));
            let Some(found) = self.found(*serial) else {
                continue;
            };
            // What came after the reading began is brought by the later changes.
            if found.stored.created_change <= page.state.change && !self.ignored.contains(serial) {
                page.changes.push(Change::Create(found));
            }
        }
        page.state.first = None;
    }

    fn later_changes(&self, page: &mut Page) {
        if page.state.first.is_some() {
            return;
        }
        let known = page.state.change;
        let mut living = self.folder.by_change.range(known + 1..).peekable();
        let mut gone = self.folder.tombstones.range(known + 1..).peekable();
        loop {
            if page.changes.len() == self.most {
                page.last = living.peek().is_none() && gone.peek().is_none();
                return;
            }
            let next_living = living.peek().map(|(change, _)| **change);
            let next_gone = gone.peek().map(|(change, _)| **change);
            match (next_living, next_gone) {
                (Some(change), gone_change) if gone_change.is_none_or(|other| change <= other) => {
                    let serial = living.next().map(|(_, serial)| *serial);
                    page.state.change = change;
                    page.changes
                        .extend(serial.and_then(|serial| self.living(serial, known)));
                }
                (_, Some(change)) => {
                    let tombstone = gone.next().map(|(_, tombstone)| *tombstone);
                    page.state.change = change;
                    let told = tombstone.filter(|stone| {
                        stone.created_change <= known && !self.ignored.contains(&stone.serial)
                    });
                    page.changes
                        .extend(told.map(|stone| Change::Delete(stone.serial)));
                }
                _ => break,
            }
        }
        page.state.change = self.read.change;
        page.last = true;
    }

    fn living(&self, serial: u64, known: u64) -> Option<Change> {
        if self.ignored.contains(&serial) {
            return None;
        }
        let found = self.found(serial)?;
        Some(if found.stored.created_change > known {
            Change::Create(found)
        } else if found.stored.content_change > known {
            Change::Update(found)
        } else {
            Change::ReadFlag(found)
        })
    }
}
