//! SyncFolderHierarchy: which folders came, changed and went since a state. Counts of items do not
//! show here, and there are no pages.

use super::find_folder::below;
use crate::exchange::context::Context;
use crate::exchange::folder::{DistinguishedFolder, FolderKey};
use crate::exchange::ids::Target;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::render::folder;
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::sync_state::SyncState;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;

enum Change {
    Create(FolderKey),
    Update(FolderKey),
    Delete(FolderKey),
}

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = request
        .m("FolderShape")
        .ok_or_else(|| Refusal::missing("FolderShape"))?;
    let shape = Shape::read(shape, Purpose::Sync, cx.version)?;
    let mut messages = Messages::new("SyncFolderHierarchy");
    let result = changes(cx, request);
    messages.each(result, |writer, (mailbox, state, changes)| {
        writer.leaf("m:SyncState", &state);
        writer.bool("m:IncludesLastFolderInRange", true);
        writer.open("m:Changes");
        for change in changes {
            write(writer, cx, mailbox, &change, &shape);
        }
        writer.close("m:Changes");
    });
    Ok(messages.finish())
}

fn write(writer: &mut Writer, cx: &Context, mailbox: usize, change: &Change, shape: &Shape) {
    let (name, key) = match change {
        Change::Create(key) => ("t:Create", key),
        Change::Update(key) => ("t:Update", key),
        Change::Delete(key) => ("t:Delete", key),
    };
    writer.open(name);
    if matches!(change, Change::Delete(_)) {
        let id = cx.world.ids.encode(Target::Folder(mailbox, *key));
        writer.empty("t:FolderId", &[("Id", &id)]);
    } else {
        folder::write(writer, cx, mailbox, *key, shape);
    }
    writer.close(name);
}

fn changes(cx: &Context, request: &Element) -> Result<(usize, String, Vec<Change>), Refusal> {
    let (mailbox, root) = match request.m("SyncFolderId") {
        Some(id) => cx.target_folder(id)?,
        None => (cx.own_mailbox()?, DistinguishedFolder::Root.into()),
    };
    let before = super::sync_folder_items::state(cx, request, mailbox, root)?;
    let read = cx.world.read(mailbox).ok_or_else(Refusal::folder_not_found)?;
    let known = before.map_or(0, |state| state.change);
    let mut changes: Vec<Change> = below(&read, root, true)
        .into_iter()
        .filter_map(|key| {
            let folder = read.folders.get(&key)?;
            if before.is_none() || folder.created_change > known {
                Some(Change::Create(key))
            } else {
                (folder.change > known).then_some(Change::Update(key))
            }
        })
        .collect();
    if before.is_some() {
        let gone = read.folder_tombstones.range((known + 1) << 16..);
        changes.extend(
            gone.filter(|(_, (_, created))| *created <= known)
                .map(|(_, (key, _))| Change::Delete(*key)),
        );
    }
    let state = SyncState {
        mailbox: mailbox as u64,
        folder: root.0,
        change: read.change,
        first: None,
    };
    Ok((mailbox, state.encode(cx.world.cast.seed), changes))
}
