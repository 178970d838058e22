//! GetFolder: folders by id.

use super::children;
use crate::exchange::context::Context;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::render::folder;
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
    let shape = Shape::read(shape, Purpose::Get, cx.version)?;
    let mut messages = Messages::new("GetFolder");
    for id in children(request, "FolderIds")? {
        match cx.folder(id) {
            Ok((mailbox, key)) => messages.success(|writer| {
                writer.open("m:Folders");
                folder::write(writer, cx, mailbox, key, &shape);
                writer.close("m:Folders");
            }),
            Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Folders", &[])),
        }
    }
    Ok(messages.finish())
}
