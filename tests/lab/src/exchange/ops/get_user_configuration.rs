//! GetUserConfiguration: nobody here has stored any.

use crate::exchange::context::Context;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(_: &Context, request: &Element) -> Result<String, Refusal> {
    request
        .m("UserConfigurationName")
        .ok_or_else(|| Refusal::missing("UserConfigurationName"))?;
    let mut messages = Messages::new("GetUserConfiguration");
    messages.refuse(&Refusal::item_not_found());
    Ok(messages.finish())
}
