//! Folders as response elements.

use super::computed::{effective_rights, folder_id};
use crate::exchange::context::Context;
use crate::exchange::folder::{FolderInfo, FolderKey};
use crate::exchange::shape::{Base, Shape};
use crate::exchange::version::Version;
use crate::exchange::xml::write::Writer;

/// A folder in the form a shape asks for. The caller holds no lock on the mailbox.
pub fn write(writer: &mut Writer, cx: &Context, mailbox: usize, key: FolderKey, shape: &Shape) {
    let Some(folder) = snapshot(cx, mailbox, key) else { return };
    let element = format!("t:{}", folder.info.element());
    let wants = |name: &str| {
        shape.folder_fields.iter().any(|field| field == name)
            || match shape.base {
                Base::IdOnly => false,
                Base::Default => matches!(name, "DisplayName" | "TotalCount" | "ChildFolderCount" | "UnreadCount"),
                Base::AllProperties => name != "PermissionSet",
            }
    };
    writer.open(&element);
    folder_id(writer, cx, mailbox, key, "t:FolderId");
    if wants("ParentFolderId") {
        folder_id(writer, cx, mailbox, folder.info.parent, "t:ParentFolderId");
    }
    if wants("FolderClass") && !folder.info.class.is_empty() {
        writer.leaf("t:FolderClass", &folder.info.class);
    }
    if wants("DisplayName") {
        writer.leaf("t:DisplayName", &folder.info.name);
    }
    if wants("TotalCount") {
        writer.number("t:TotalCount", folder.total);
    }
    if wants("ChildFolderCount") {
        writer.number("t:ChildFolderCount", folder.children);
    }
    for (property, kind) in &shape.extended {
        let set = folder.info.extended.iter().find(|known| known.key == *property && known.kind == *kind);
        if let Some(set) = set {
            super::extended_property(writer, property, kind, &set.values);
        }
    }
    if wants("EffectiveRights") {
        effective_rights(writer, cx.version, true);
    }
    if let (true, Some(distinguished)) = (wants("DistinguishedFolderId"), key.distinguished())
        && cx.version >= Version::E2013
    {
        writer.leaf("t:DistinguishedFolderId", distinguished.wire_name());
    }
    // Calendar and contacts folders have no such count in the schema.
    if wants("UnreadCount") && !matches!(folder.info.element(), "CalendarFolder" | "ContactsFolder") {
        writer.number("t:UnreadCount", folder.unread);
    }
    writer.close(&element);
}

/// What is shown of a folder, taken out from under the lock.
struct Shown {
    info: FolderInfo,
    total: usize,
    unread: usize,
    children: usize,
}

fn snapshot(cx: &Context, mailbox: usize, key: FolderKey) -> Option<Shown> {
    let read = cx.world.read(mailbox)?;
    let folder = read.folders.get(&key)?;
    Some(Shown {
        info: folder.info.clone(),
        total: folder.by_time.len(),
        unread: folder.unread,
        children: read.folders.iter().filter(|(other, f)| f.info.parent == key && **other != key).count(),
    })
}
