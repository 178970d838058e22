//! ResolveNames and ExpandDL: the address book.

use crate::exchange::context::Context;
use crate::exchange::directory::Principal;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::render::value::mailbox as mailbox_element;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;

/// Most entries of one answer, as on a real server.
const LIMIT: usize = 100;

/// ResolveNames.
///
/// # Errors
/// The request breaks the schema.
pub fn resolve_names(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let entry = request
        .m_text("UnresolvedEntry")
        .ok_or_else(|| Refusal::missing("UnresolvedEntry"))?
        .trim();
    let full = request.attribute("ReturnFullContactData") == Some("true");
    let wanted = entry
        .trim_start_matches("smtp:")
        .trim_start_matches("SMTP:")
        .to_lowercase();
    let matches = |person: &&Principal| {
        let (given, family) = &person.names;
        [&person.display, &person.smtp, given, family, &person.login]
            .into_iter()
            .any(|text| text.to_lowercase().starts_with(&wanted))
    };
    let found: Vec<&Principal> = match wanted.is_empty() {
        true => Vec::new(),
        false => cx.world.directory.people().filter(matches).take(LIMIT).collect(),
    };
    let mut messages = Messages::new("ResolveNames");
    let content = |writer: &mut Writer| resolution_set(writer, &found, full);
    match found.len() {
        0 => messages.refuse(&Refusal::new(
            "ErrorNameResolutionNoResults",
            "No results were found.",
        )),
        1 => messages.success(content),
        _ => messages.warn(
            &Refusal::new(
                "ErrorNameResolutionMultipleResults",
                "Multiple results were found.",
            ),
            content,
        ),
    }
    Ok(messages.finish())
}

fn resolution_set(writer: &mut Writer, found: &[&Principal], full: bool) {
    let total = found.len().to_string();
    writer.open_with(
        "m:ResolutionSet",
        &[("TotalItemsInView", &total), ("IncludesLastItemInRange", "true")],
    );
    for person in found {
        writer.open("t:Resolution");
        writer.open("t:Mailbox");
        writer.leaf("t:Name", &person.display);
        writer.leaf("t:EmailAddress", &person.smtp);
        writer.leaf("t:RoutingType", "SMTP");
        writer.leaf("t:MailboxType", "Mailbox");
        writer.close("t:Mailbox");
        if full {
            writer.open("t:Contact");
            writer.leaf("t:DisplayName", &person.display);
            writer.leaf("t:GivenName", &person.names.0);
            writer.open("t:EmailAddresses");
            writer.leaf_with("t:Entry", &[("Key", "EmailAddress1")], &person.smtp);
            writer.close("t:EmailAddresses");
            writer.leaf("t:ContactSource", "ActiveDirectory");
            writer.leaf("t:Surname", &person.names.1);
            writer.close("t:Contact");
        }
        writer.close("t:Resolution");
    }
    writer.close("m:ResolutionSet");
}

/// ExpandDL: one level of a list. A list whose membership is hidden gives no member.
///
/// # Errors
/// The request breaks the schema.
pub fn expand_dl(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let mailbox = request.m("Mailbox").ok_or_else(|| Refusal::missing("Mailbox"))?;
    let address = mailbox.t_text("EmailAddress").unwrap_or_default();
    let mut messages = Messages::new("ExpandDL");
    let Some(list) = cx.world.lists.find(address.trim()) else {
        messages.refuse(&Refusal::new(
            "ErrorNameResolutionNoResults",
            "No results were found.",
        ));
        return Ok(messages.finish());
    };
    let members = match list.hidden {
        true => Vec::new(),
        false => list.members,
    };
    messages.success(|writer| {
        let total = members.len().to_string();
        writer.open_with(
            "m:DLExpansion",
            &[("TotalItemsInView", &total), ("IncludesLastItemInRange", "true")],
        );
        for member in &members {
            mailbox_element(writer, cx, member);
        }
        writer.close("m:DLExpansion");
    });
    Ok(messages.finish())
}
