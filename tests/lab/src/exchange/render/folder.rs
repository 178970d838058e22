//! Folders as response elements.

use super::computed::{effective_rights, folder_id};
use crate::exchange::context::Context;
use crate::exchange::folder::{FolderInfo, FolderKey};
use crate::exchange::item::PropertyKey;
use crate::exchange::mailbox::Folder;
use crate::exchange::shape::{Base, Shape};
use crate::exchange::version::Version;
use crate::exchange::xml::write::{Writer, format_time};
use chrono::{DateTime, Utc};

/// A folder in the form a shape asks for. The caller holds no lock on the mailbox.
pub fn write(writer: &mut Writer, cx: &Context, mailbox: usize, key: FolderKey, shape: &Shape) {
    let Some(folder) = snapshot(cx, mailbox, key) else {
        return;
    };
    let element = format!("t:{}", folder.info.element());
    let wants = |name: &str| {
        shape.folder_fields.iter().any(|field| field == name)
            || match shape.base {
                Base::IdOnly => false,
                Base::Default => matches!(
                    name,
                    "DisplayName" | "TotalCount" | "ChildFolderCount" | "UnreadCount"
                ),
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
        let values = folder
            .computed(property)
            .or_else(|| set_by_client(&folder.info, property, kind));
        if let Some(values) = values {
            super::extended_property(writer, property, kind, &values);
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
    /// PR_LOCAL_COMMIT_TIME_MAX: when its content changed last.
    committed: Option<DateTime<Utc>>,
    /// PR_DELETED_COUNT_TOTAL: how many items ever left.
    deleted: usize,
    info: FolderInfo,
    total: usize,
    unread: usize,
    children: usize,
}

impl Shown {
    fn computed(&self, property: &PropertyKey) -> Option<Vec<String>> {
        match property {
            PropertyKey::Tag(0x670A) => Some(vec![format_time(self.committed?)]),
            PropertyKey::Tag(0x670B) => Some(vec![self.deleted.to_string()]),
            _ => None,
        }
    }
}

fn set_by_client(info: &FolderInfo, property: &PropertyKey, kind: &str) -> Option<Vec<String>> {
    let set = info
        .extended
        .iter()
        .find(|known| known.key == *property && known.kind == kind)?;
    Some(set.values.clone())
}

/// An extended property that a client has set on a folder.
pub fn extended(folder: &Folder, property: &PropertyKey, kind: &str) -> Option<Vec<String>> {
    set_by_client(&folder.info, property, kind)
}

fn snapshot(cx: &Context, mailbox: usize, key: FolderKey) -> Option<Shown> {
    let read = cx.world.read(mailbox)?;
    let folder = read.folders.get(&key)?;
    let last = folder
        .by_change
        .last_key_value()
        .and_then(|(_, serial)| read.items.get(serial));
    Some(Shown {
        committed: last.map(|stored| stored.modified),
        deleted: folder.tombstones.len(),
        info: folder.info.clone(),
        total: folder.by_time.len(),
        unread: folder.unread,
        children: read
            .folders
            .iter()
            .filter(|(other, f)| f.info.parent == key && **other != key)
            .count(),
    })
}
