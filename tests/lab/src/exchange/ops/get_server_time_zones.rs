//! GetServerTimeZones: the zones that the server knows, with the rules of their clocks on request.
//!
//! Source: "GetServerTimeZones operation", "TimeZoneDefinition".

use crate::exchange::context::Context;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;
use crate::exchange::zone::{self, Change, Rules, Zone};
use chrono::Datelike;

/// Carries out the operation.
///
/// # Errors
/// None: unknown ids are left out.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let asked: Option<Vec<&str>> = request
        .m("Ids")
        .map(|ids| ids.children.iter().map(|id| id.text.trim()).collect());
    let full = request.attribute("ReturnFullTimeZoneData") == Some("true");
    let year = cx.world.now().year();
    let mut messages = Messages::new("GetServerTimeZones");
    messages.success(|writer| {
        writer.open("m:TimeZoneDefinitions");
        for zone in zone::all() {
            if asked
                .as_ref()
                .is_none_or(|asked| asked.contains(&zone.id.as_str()))
            {
                definition(writer, &zone, full.then_some(year));
            }
        }
        writer.close("m:TimeZoneDefinitions");
    });
    Ok(messages.finish())
}

fn definition(writer: &mut Writer, zone: &Zone, year: Option<i32>) {
    let name = zone.display_name();
    let attributes = [("Id", zone.id.as_str()), ("Name", name.as_str())];
    let rules = zone.rules().filter(|_| year.is_some());
    let (Some(rules), Some(year)) = (rules, year) else {
        writer.empty("t:TimeZoneDefinition", &attributes);
        return;
    };
    let changes = rules.changes(year);
    writer.open_with("t:TimeZoneDefinition", &attributes);
    match changes.as_slice() {
        [spring, autumn] => changing(writer, *spring, *autumn),
        _ => steady(writer, rules, year),
    }
    writer.close("t:TimeZoneDefinition");
}

/// The rules of a zone of a client's own, as its items carry them ("StartTimeZone").
pub fn rules(writer: &mut Writer, zone: &Zone) {
    match zone.rules() {
        Some(Rules::Changing(rules)) => changing(writer, rules.spring, rules.autumn),
        Some(rules) => steady(writer, rules, 2026),
        None => {}
    }
}

/// `xs:duration` of a bias, which counts westward.
fn bias(offset_seconds: i32) -> String {
    let minutes = -offset_seconds / 60;
    let sign = if minutes < 0 { "-" } else { "" };
    format!("{sign}PT{}M", minutes.abs())
}

fn period(writer: &mut Writer, offset: i32, name: &str, id: &str) {
    writer.empty("t:Period", &[("Bias", &bias(offset)), ("Name", name), ("Id", id)]);
}

fn steady(writer: &mut Writer, rules: Rules, year: i32) {
    writer.open("t:Periods");
    period(writer, rules.offset_at_start_of(year), "Standard", "std");
    writer.close("t:Periods");
    writer.open("t:Transitions");
    to(writer, "t:Transition", "Period", "std", |_| {});
    writer.close("t:Transitions");
}

fn changing(writer: &mut Writer, one: Change, other: Change) {
    let (daylight, standard) = if one.after > other.after {
        (one, other)
    } else {
        (other, one)
    };
    writer.open("t:Periods");
    period(writer, standard.after, "Standard", "std");
    period(writer, daylight.after, "Daylight", "dlt");
    writer.close("t:Periods");
    writer.open("t:TransitionsGroups");
    writer.open_with("t:TransitionsGroup", &[("Id", "0")]);
    for change in [one, other] {
        let id = if change == daylight { "dlt" } else { "std" };
        to(writer, "t:RecurringDayTransition", "Period", id, |writer| {
            writer.leaf("t:TimeOffset", &format!("PT{}M", change.minute_of_day));
            writer.number("t:Month", change.month);
            writer.leaf("t:DayOfWeek", change.day_name());
            writer.number("t:Occurrence", change.occurrence);
        });
    }
    writer.close("t:TransitionsGroup");
    writer.close("t:TransitionsGroups");
    writer.open("t:Transitions");
    to(writer, "t:Transition", "Group", "0", |_| {});
    writer.close("t:Transitions");
}

fn to(writer: &mut Writer, name: &str, kind: &str, id: &str, content: impl FnOnce(&mut Writer)) {
    writer.open(name);
    writer.leaf_with("t:To", &[("Kind", kind)], id);
    content(writer);
    writer.close(name);
}
