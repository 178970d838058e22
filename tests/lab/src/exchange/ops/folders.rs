//! CreateFolder, UpdateFolder, MoveFolder, DeleteFolder and EmptyFolder.

use super::{children, choice};
use crate::exchange::context::Context;
use crate::exchange::folder::{DistinguishedFolder, FolderInfo, FolderKey};
use crate::exchange::mailbox::Mailbox;
use crate::exchange::messages::Messages;
use crate::exchange::read::item::{Reading, extended_property};
use crate::exchange::read::path::{self, Path};
use crate::exchange::refusal::Refusal;
use crate::exchange::render::folder;
use crate::exchange::shape::Shape;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;

const DISPOSALS: &[&str] = &["HardDelete", "SoftDelete", "MoveToDeletedItems"];

fn reading(cx: &Context) -> Reading {
    Reading {
        version: cx.version,
        rules: cx.rules(),
        at: cx.world.now(),
    }
}

/// CreateFolder.
///
/// # Errors
/// The request breaks the schema, or the parent cannot be used.
pub fn create(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let parent = request
        .m("ParentFolderId")
        .ok_or_else(|| Refusal::missing("ParentFolderId"))?;
    let parent = cx.target_folder(parent);
    let mut messages = Messages::new("CreateFolder");
    for element in cx.batch(children(request, "Folders")?) {
        let made = parent.clone().and_then(|(mailbox, parent)| {
            let info = new_info(element, parent, reading(cx))?;
            let mut transaction = cx
                .world
                .transaction(mailbox, &cx.user)
                .ok_or_else(Refusal::folder_not_found)?;
            check_name(transaction.mailbox(), &info, None)?;
            Ok((mailbox, transaction.create_folder(info)))
        });
        answer(cx, &mut messages, made);
    }
    Ok(messages.finish())
}

fn answer(cx: &Context, messages: &mut Messages, made: Result<(usize, FolderKey), Refusal>) {
    match made {
        Ok((mailbox, key)) => messages.success(|writer| {
            writer.open("m:Folders");
            folder::write(writer, cx, mailbox, key, &Shape::id_only(cx.version));
            writer.close("m:Folders");
        }),
        Err(refusal) => messages.refuse_with(&refusal, |writer: &mut Writer| writer.empty("m:Folders", &[])),
    }
}

fn new_info(element: &Element, parent: FolderKey, reading: Reading) -> Result<FolderInfo, Refusal> {
    let class = match element.name.as_str() {
        "Folder" => "IPF.Note",
        "CalendarFolder" => "IPF.Appointment",
        "ContactsFolder" => "IPF.Contact",
        "TasksFolder" => "IPF.Task",
        other => {
            return Err(Refusal::schema(format!(
                "Invalid child element '{other}' of Folders."
            )));
        }
    };
    let class = match (element.name.as_str(), element.t_text("FolderClass")) {
        ("Folder", Some(given)) => given.trim(),
        (_, Some(given)) if given.trim().starts_with(class) => given.trim(),
        (_, None) => class,
        _ => {
            return Err(Refusal::new(
                "ErrorFolderSavePropertyError",
                "The folder class does not fit the folder.",
            ));
        }
    };
    let name = element.t_text("DisplayName").unwrap_or_default();
    let mut extended = Vec::new();
    for property in element
        .children
        .iter()
        .filter(|child| child.is_t("ExtendedProperty"))
    {
        extended.push(extended_property(property, reading)?);
    }
    Ok(FolderInfo {
        parent,
        class: class.to_owned(),
        name: name.to_owned(),
        extended,
    })
}

/// Two folders of one parent may not share a name.
fn check_name(mailbox: &Mailbox, info: &FolderInfo, itself: Option<FolderKey>) -> Result<(), Refusal> {
    if info.name.trim().is_empty() {
        return Err(Refusal::new(
            "ErrorFolderSavePropertyError",
            "The folder could not be saved without a name.",
        ));
    }
    let taken = mailbox.folders.iter().any(|(key, folder)| {
        Some(*key) != itself
            && folder.info.parent == info.parent
            && folder.info.name.to_lowercase() == info.name.to_lowercase()
    });
    if taken {
        return Err(Refusal::new(
            "ErrorFolderExists",
            "A folder with the specified name already exists.",
        ));
    }
    Ok(())
}

/// UpdateFolder.
///
/// # Errors
/// The request breaks the schema.
pub fn update(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let mut messages = Messages::new("UpdateFolder");
    for change in cx.batch(children(request, "FolderChanges")?) {
        let made = change
            .children
            .first()
            .ok_or_else(|| Refusal::missing("FolderId"))
            .and_then(|id| cx.folder(id));
        let made = made.and_then(|(mailbox, key)| {
            let mut transaction = cx
                .world
                .transaction(mailbox, &cx.user)
                .ok_or_else(Refusal::folder_not_found)?;
            let folder = transaction
                .mailbox()
                .folders
                .get(&key)
                .ok_or_else(Refusal::folder_not_found)?;
            let mut info = folder.info.clone();
            for update in change
                .t("Updates")
                .map(|updates| updates.children.as_slice())
                .unwrap_or_default()
            {
                apply(&mut info, update, cx)?;
            }
            check_name(transaction.mailbox(), &info, Some(key))?;
            transaction.update_folder(key, info);
            Ok((mailbox, key))
        });
        answer(cx, &mut messages, made);
    }
    Ok(messages.finish())
}

fn apply(info: &mut FolderInfo, update: &Element, cx: &Context) -> Result<(), Refusal> {
    let path = path::child_path(update, cx.version)?;
    let content = update
        .children
        .iter()
        .find(|child| child.name.ends_with("Folder"));
    let content = content.and_then(|folder| folder.children.first());
    match (update.name.as_str(), path, content) {
        ("SetFolderField", Path::Folder(name), Some(content)) if name == "DisplayName" => {
            info.name = content.text.clone();
        }
        ("SetFolderField", Path::Folder(name), Some(content)) if name == "FolderClass" => {
            info.class = content.text.trim().to_owned();
        }
        ("SetFolderField", Path::Extended(key, _), Some(content)) => {
            info.extended.retain(|property| property.key != key);
            info.extended.push(extended_property(content, reading(cx))?);
        }
        ("DeleteFolderField", Path::Extended(key, _), _) => {
            info.extended.retain(|property| property.key != key)
        }
        _ => {
            return Err(Refusal::new(
                "ErrorInvalidPropertySet",
                "Set action is invalid for property.",
            ));
        }
    }
    Ok(())
}

/// MoveFolder.
///
/// # Errors
/// The request breaks the schema.
pub fn move_folders(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let to = request
        .m("ToFolderId")
        .ok_or_else(|| Refusal::missing("ToFolderId"))?;
    let to = cx.target_folder(to);
    let mut messages = Messages::new("MoveFolder");
    for id in cx.batch(children(request, "FolderIds")?) {
        let moved = to.clone().and_then(|(to_mailbox, to)| {
            let (mailbox, key) = cx.folder(id)?;
            if mailbox != to_mailbox || key.distinguished().is_some() {
                return Err(Refusal::new(
                    "ErrorMoveDistinguishedFolder",
                    "Distinguished folders cannot be moved.",
                ));
            }
            relocate(cx, mailbox, key, to)?;
            Ok((mailbox, key))
        });
        answer(cx, &mut messages, moved);
    }
    Ok(messages.finish())
}

fn relocate(cx: &Context, mailbox: usize, key: FolderKey, to: FolderKey) -> Result<(), Refusal> {
    let mut transaction = cx
        .world
        .transaction(mailbox, &cx.user)
        .ok_or_else(Refusal::folder_not_found)?;
    if transaction.mailbox().is_within(to, key) {
        return Err(Refusal::new(
            "ErrorMoveCopyFailed",
            "A folder cannot be moved into itself.",
        ));
    }
    let folder = transaction
        .mailbox()
        .folders
        .get(&key)
        .ok_or_else(Refusal::folder_not_found)?;
    let info = FolderInfo {
        parent: to,
        ..folder.info.clone()
    };
    check_name(transaction.mailbox(), &info, Some(key))?;
    transaction.update_folder(key, info);
    Ok(())
}

/// DeleteFolder.
///
/// # Errors
/// The request breaks the schema.
pub fn delete(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let disposal = choice(request, "DeleteType", DISPOSALS)?;
    let mut messages = Messages::new("DeleteFolder");
    for id in cx.batch(children(request, "FolderIds")?) {
        let done = cx.folder(id).and_then(|(mailbox, key)| {
            if key.distinguished().is_some() {
                return Err(Refusal::new(
                    "ErrorDeleteDistinguishedFolder",
                    "Distinguished folders cannot be deleted.",
                ));
            }
            if disposal == "MoveToDeletedItems" {
                return relocate(cx, mailbox, key, DistinguishedFolder::DeletedItems.into());
            }
            let transaction = cx.world.transaction(mailbox, &cx.user);
            transaction
                .ok_or_else(Refusal::folder_not_found)?
                .delete_folder(key);
            Ok(())
        });
        messages.each(done, |_, ()| {});
    }
    Ok(messages.finish())
}

/// EmptyFolder.
///
/// # Errors
/// The request breaks the schema.
pub fn empty(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let disposal = choice(request, "DeleteType", DISPOSALS)?;
    let sub_folders = request.attribute("DeleteSubFolders") == Some("true");
    let mut messages = Messages::new("EmptyFolder");
    for id in cx.batch(children(request, "FolderIds")?) {
        let done = cx.folder(id).and_then(|(mailbox, key)| {
            let mut transaction = cx
                .world
                .transaction(mailbox, &cx.user)
                .ok_or_else(Refusal::folder_not_found)?;
            let folder = transaction
                .mailbox()
                .folders
                .get(&key)
                .ok_or_else(Refusal::folder_not_found)?;
            let serials: Vec<u64> = folder.by_time.iter().map(|entry| entry.0.1).collect();
            for serial in serials {
                if disposal == "MoveToDeletedItems" {
                    transaction.move_item(serial, DistinguishedFolder::DeletedItems.into());
                } else {
                    transaction.delete(serial);
                }
            }
            if sub_folders {
                for child in super::find_folder::below(transaction.mailbox(), key, false) {
                    transaction.delete_folder(child);
                }
            }
            Ok(())
        });
        messages.each(done, |_, ()| {});
    }
    Ok(messages.finish())
}
