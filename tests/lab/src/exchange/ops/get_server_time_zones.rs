//! GetServerTimeZones: the zones that the server knows, by name. Their transitions are not told.

use crate::exchange::context::Context;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;
use crate::exchange::zone::Zone;

/// The zones of the cast and of the best-known places.
const KNOWN: &[&str] = &[
    "UTC",
    "GMT Standard Time",
    "W. Europe Standard Time",
    "Central European Standard Time",
    "Romance Standard Time",
    "E. Europe Standard Time",
    "Russian Standard Time",
    "India Standard Time",
    "China Standard Time",
    "Tokyo Standard Time",
    "AUS Eastern Standard Time",
    "E. South America Standard Time",
    "Eastern Standard Time",
    "Central Standard Time",
    "Mountain Standard Time",
    "Pacific Standard Time",
];

/// Carries out the operation.
///
/// # Errors
/// None: unknown ids are left out.
pub fn run(_: &Context, request: &Element) -> Result<String, Refusal> {
    let asked: Option<Vec<&str>> = request
        .m("Ids")
        .map(|ids| ids.children.iter().map(|id| id.text.trim()).collect());
    let mut messages = Messages::new("GetServerTimeZones");
    messages.success(|writer| {
        writer.open("m:TimeZoneDefinitions");
        for id in KNOWN
            .iter()
            .filter(|id| asked.as_ref().is_none_or(|asked| asked.contains(id)))
        {
            let zone = Zone::windows(*id);
            writer.empty(
                "t:TimeZoneDefinition",
                &[("Id", id), ("Name", &zone.display_name())],
            );
        }
        writer.close("m:TimeZoneDefinitions");
    });
    Ok(messages.finish())
}
