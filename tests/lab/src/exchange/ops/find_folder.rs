//! FindFolder: the folders below others.

use super::{children, choice};
use crate::exchange::context::Context;
use crate::exchange::folder::FolderKey;
use crate::exchange::mailbox::{Folder, Mailbox};
use crate::exchange::messages::Messages;
use crate::exchange::paging::Page;
use crate::exchange::read::path::Path;
use crate::exchange::refusal::Refusal;
use crate::exchange::render::folder;
use crate::exchange::restriction;
use crate::exchange::search::{Comparable, typed};
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = request
        .m("FolderShape")
        .ok_or_else(|| Refusal::missing("FolderShape"))?;
    let shape = Shape::read(shape, Purpose::Find, cx.version)?;
    let traversal = choice(request, "Traversal", &["Shallow", "Deep", "SoftDeleted"])?;
    let page = Page::read(request)?;
    let restriction = match request.m("Restriction") {
        Some(element) => Some(restriction::read(element, cx.version)?),
        None => None,
    };
    let mut messages = Messages::new("FindFolder");
    for id in children(request, "ParentFolderIds")? {
        let found = cx.folder(id).map(|(mailbox, parent)| {
            let read = cx.world.read(mailbox);
            let keys = read.map(|read| match traversal {
                "SoftDeleted" => Vec::new(),
                deep_or_shallow => below(&read, parent, deep_or_shallow == "Deep")
                    .into_iter()
                    .filter(|key| {
                        let folder = read.folders.get(key);
                        restriction.as_ref().is_none_or(|restriction| {
                            folder.is_some_and(|folder| restriction.decide(&|path| values(folder, path)))
                        })
                    })
                    .collect(),
            });
            (mailbox, keys.unwrap_or_default())
        });
        messages.each(found, |writer, (mailbox, keys)| {
            page.open(writer, keys.len());
            writer.open("t:Folders");
            for key in keys.get(page.range(keys.len())).unwrap_or_default() {
                folder::write(writer, cx, mailbox, *key, &shape);
            }
            writer.close("t:Folders");
            writer.close("m:RootFolder");
        });
    }
    Ok(messages.finish())
}

/// The folders below one, each after its parent.
pub fn below(mailbox: &Mailbox, parent: FolderKey, deep: bool) -> Vec<FolderKey> {
    let mut found = Vec::new();
    for (key, folder) in &mailbox.folders {
        if folder.info.parent == parent && *key != parent {
            found.push(*key);
            if deep {
                found.extend(below(mailbox, *key, true));
            }
        }
    }
    found
}

fn values(folder: &Folder, path: &Path) -> Vec<Comparable> {
    match path {
        Path::Folder(name) => match name.as_str() {
            "DisplayName" => vec![Comparable::Text(folder.info.name.clone())],
            "FolderClass" => vec![Comparable::Text(folder.info.class.clone())],
            "TotalCount" => vec![Comparable::Number(folder.by_time.len() as f64)],
            "UnreadCount" => vec![Comparable::Number(folder.unread as f64)],
            _ => Vec::new(),
        },
        Path::Extended(key, kind) => crate::exchange::render::folder::extended(folder, key, kind)
            .iter()
            .flatten()
            .filter_map(|value| typed(kind, value))
            .collect(),
        _ => Vec::new(),
    }
}
