//! GetItem: items by id.

use super::children;
use crate::exchange::context::{Context, Found};
use crate::exchange::field::Field;
use crate::exchange::item::Kind;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::render;
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = request
        .m("ItemShape")
        .ok_or_else(|| Refusal::missing("ItemShape"))?;
    let shape = Shape::read(shape, Purpose::Get, cx.version)?;
    let mut messages = Messages::new("GetItem");
    for id in children(request, "ItemIds")? {
        match cx.item(id).and_then(|found| check(found, &shape)) {
            Ok(found) => messages.success(|writer| {
                writer.open("m:Items");
                render::item(writer, cx, &found, &shape);
                writer.close("m:Items");
            }),
            Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Items", &[])),
        }
    }
    Ok(messages.finish())
}

/// Items without a conversation have no unique body; Exchange fails on the question.
fn check(found: Found, shape: &Shape) -> Result<Found, Refusal> {
    let none = matches!(
        found.item.kind,
        Kind::Contact | Kind::DistributionList | Kind::Task
    );
    if none && shape.fields.contains(&Field::UniqueBody) {
        return Err(Refusal::new(
            "ErrorItemPropertyRequestFailed",
            "Failed to retrieve one or more properties.",
        ));
    }
    Ok(found)
}
