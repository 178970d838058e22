//! One file an operation, each a function of the request's context and element that gives the
//! response's element or refuses the whole request. [`run`] is the table of them all.

mod attachments;
mod convert_id;
mod create_item;
mod delete_item;
mod directory;
mod find_folder;
mod find_item;
mod folders;
mod get_folder;
mod get_item;
pub mod get_server_time_zones;
mod get_user_configuration;
mod mark_all_items_as_read;
mod move_item;
pub mod notifications;
mod send_item;
mod sync_folder_hierarchy;
mod sync_folder_items;
mod update_item;
mod writing;

use super::context::Context;
use super::refusal::Refusal;
use super::xml::read::Element;

/// Carries out the operation of an element.
///
/// # Errors
/// There is no such operation, or it refuses the whole request.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    match request.name.as_str() {
        "GetFolder" => get_folder::run(cx, request),
        "FindFolder" => find_folder::run(cx, request),
        "CreateFolder" => folders::create(cx, request),
        "UpdateFolder" => folders::update(cx, request),
        "MoveFolder" => folders::move_folders(cx, request),
        "DeleteFolder" => folders::delete(cx, request),
        "EmptyFolder" => folders::empty(cx, request),
        "SyncFolderHierarchy" => sync_folder_hierarchy::run(cx, request),
        "SyncFolderItems" => sync_folder_items::run(cx, request),
        "FindItem" => find_item::run(cx, request),
        "GetItem" => get_item::run(cx, request),
        "CreateItem" => create_item::run(cx, request),
        "UpdateItem" => update_item::run(cx, request),
        "DeleteItem" => delete_item::run(cx, request),
        "MoveItem" => move_item::run(cx, request, "MoveItem"),
        "CopyItem" => move_item::run(cx, request, "CopyItem"),
        "SendItem" => send_item::run(cx, request),
        "MarkAllItemsAsRead" => mark_all_items_as_read::run(cx, request),
        "CreateAttachment" => attachments::create(cx, request),
        "GetAttachment" => attachments::get(cx, request),
        "DeleteAttachment" => attachments::delete(cx, request),
        "Subscribe" => notifications::subscribe(cx, request),
        "GetEvents" => notifications::get_events(cx, request),
        "Unsubscribe" => notifications::unsubscribe(cx, request),
        "ResolveNames" => directory::resolve_names(cx, request),
        "ExpandDL" => directory::expand_dl(cx, request),
        "ConvertId" => convert_id::run(cx, request),
        "GetServerTimeZones" => get_server_time_zones::run(cx, request),
        "GetUserConfiguration" => get_user_configuration::run(cx, request),
        other => Err(Refusal::schema(format!(
            "The element 'Body' in namespace '{}' has invalid child element '{other}'.",
            super::xml::SOAP
        ))),
    }
}

/// The children of a request's child in the messages namespace.
///
/// # Errors
/// The child is missing or empty.
fn children<'a>(request: &'a Element, name: &str) -> Result<&'a [Element], Refusal> {
    let list = request.m(name).ok_or_else(|| Refusal::missing(name))?;
    if list.children.is_empty() {
        Err(Refusal::missing(name))
    } else {
        Ok(&list.children)
    }
}

/// An attribute that must be one of these values.
///
/// # Errors
/// It is missing or another.
fn choice<'a>(request: &'a Element, name: &str, values: &[&str]) -> Result<&'a str, Refusal> {
    let value = request
        .attribute(name)
        .ok_or_else(|| Refusal::missing_attribute(name))?;
    if values.contains(&value) {
        Ok(value)
    } else {
        Err(Refusal::invalid_value(name, value))
    }
}
