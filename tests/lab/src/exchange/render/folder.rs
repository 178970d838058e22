//! Folders as response elements.

use super::computed::{effective_rights, folder_id};
use crate::exchange::context::Context;
use crate::exchange::folder::{FolderInfo, FolderKey};
use crate::exchange::item::PropertyKey;
use crate::exchange::mailbox::Folder;
use crate::exchange::shape::{Base, Shape};
use crate::exchange::version::Version;
use crate::exchange::xml::write::{Writer, format_time};

/// A folder in the form a shape asks for. The caller holds no lock on the mailbox.
pub fn write(writer: &mut Writer, cx: &Context, mailbox: usize, key: FolderKey, shape: &Shape) {
    let Some(folder) = snapshot(cx, mailbox, key, shape) else {
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
    for (property, kind, values) in &folder.extended {
        super::extended_property(writer, property, kind, values);
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
    extended: Vec<(PropertyKey, String, Vec<String>)>,
}

fn snapshot(cx: &Context, mailbox: usize, key: FolderKey, shape: &Shape) -> Option<Shown> {
    let read = cx.world.read(mailbox)?;
    let folder = read.folders.get(&key)?;
    let children = read
        .folders
        .iter()
        .filter(|(other, f)| f.info.parent == key && **other != key)
        .count();
    let extended = shape.extended.iter().filter_map(|(property, kind)| {
        let values = match property {
            // PidTagSubfolders
            PropertyKey::Tag(0x360a) if kind == "Boolean" => vec![(children > 0).to_string()],
            _ => extended(folder, property, kind)?,
        };
        Some((property.clone(), kind.clone(), values))
    });
    Some(Shown {
        extended: extended.collect(),
        info: folder.info.clone(),
        total: folder.by_time.len(),
        unread: folder.unread,
        children,
    })
}

/// An extended property of a folder: what a client set, or what the server makes.
///
/// Source: \[MS-OXPROPS\], \[MS-OXCFOLD\].
pub fn extended(folder: &Folder, property: &PropertyKey, kind: &str) -> Option<Vec<String>> {
    let set = folder
        .info
        .extended
        .iter()
        .find(|known| known.key == *property && known.kind == kind);
    if let Some(set) = set {
        return Some(set.values.clone());
    }
    let PropertyKey::Tag(tag) = property else {
        return None;
    };
    let (made, value) = match tag {
        0x3001 => ("String", folder.info.name.clone()),
        0x3613 if folder.info.class.is_empty() => return None,
        0x3613 => ("String", folder.info.class.clone()),
        0x3602 => ("Integer", folder.by_time.len().to_string()),
        0x3603 => ("Integer", folder.unread.to_string()),
        // PidTagLocalCommitTimeMax and PidTagLastModificationTime move with whatever comes, changes or goes.
        0x670a | 0x3008 => ("SystemTime", format_time(folder.committed?)),
        // PidTagDeletedCountTotal
        0x670b => ("Integer", folder.tombstones.len().to_string()),
        // PidTagArticleNumberNext: beyond every item that the folder ever held.
        0x6751 => ("Integer", (folder.highest + 1).to_string()),
        _ => return None,
    };
    (made == kind).then(|| vec![value])
}
