//! ConvertId: one identifier in other spellings. Here all of them hold the same octets.

use super::{children, choice};
use crate::exchange::context::Context;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

const FORMATS: &[&str] = &[
    "EwsLegacyId",
    "EwsId",
    "EntryId",
    "HexEntryId",
    "StoreId",
    "OwaId",
];

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let wanted = choice(request, "DestinationFormat", FORMATS)?;
    let mut messages = Messages::new("ConvertId");
    for source in children(request, "SourceIds")? {
        let converted = one(cx, source, wanted);
        messages.each(converted, |writer, (id, mailbox)| {
            writer.empty(
                "m:AlternateId",
                &[
                    ("xmlns:t", crate::exchange::xml::TYPES),
                    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
                    ("xsi:type", "t:AlternateIdType"),
                    ("Format", wanted),
                    ("Id", &id),
                    ("Mailbox", &mailbox),
                ],
            );
        });
    }
    Ok(messages.finish())
}

fn one(cx: &Context, source: &Element, wanted: &str) -> Result<(String, String), Refusal> {
    let text = |name: &str| {
        source
            .attribute(name)
            .ok_or_else(|| Refusal::missing_attribute(name))
    };
    let (format, id, mailbox) = (text("Format")?, text("Id")?, text("Mailbox")?);
    let octets = match format {
        "HexEntryId" => unhex(id),
        "OwaId" => URL_SAFE.decode(id).ok(),
        _ => STANDARD.decode(id).ok(),
    };
    let octets = octets.ok_or_else(Refusal::malformed_id)?;
    cx.target(&STANDARD.encode(&octets))?;
    let id = match wanted {
        "HexEntryId" => octets.iter().map(|octet| format!("{octet:02X}")).collect(),
        "OwaId" => URL_SAFE.encode(&octets),
        _ => STANDARD.encode(&octets),
    };
    Ok((id, mailbox.to_owned()))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if text.len() % 2 == 1 {
        return None;
    }
    (0..text.len()).step_by(2).map(pair).collect()
}
