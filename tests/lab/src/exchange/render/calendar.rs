//! Calendar properties that the server makes on each reading.

use super::change_key;
use crate::exchange::context::{Context, Found};
use crate::exchange::field::Field;
use crate::exchange::ids::Target;
use crate::exchange::item::{Item, Kind};
use crate::exchange::meeting;
use crate::exchange::read::item::zone_of;
use crate::exchange::series::{self, Role};
use crate::exchange::xml::write::Writer;
use chrono::{DateTime, Duration, Utc};

/// Writes a property if it is one that the server makes. Says whether it was.
// long: one table of properties
pub fn write(writer: &mut Writer, cx: &Context, item: &Item, found: Option<&Found>, field: Field) -> bool {
    let role = found.map_or_else(|| series::role(item), |found| found.role);
    match field {
        Field::IsRecurring => {
            let recurring = role != Role::Single || item.get(Field::Recurrence).is_some();
            writer.bool("t:IsRecurring", recurring);
        }
        Field::CalendarItemType => {
            let role = if item.kind != Kind::CalendarItem && item.get(Field::Recurrence).is_some() {
                Role::RecurringMaster
            } else {
                role
            };
            writer.leaf("t:CalendarItemType", role.name());
        }
        Field::IsOrganizer => writer.bool("t:IsOrganizer", meeting::is_organizer(item)),
        Field::Duration => {
            if let (Some(start), Some(end)) = (item.time(Field::Start), item.time(Field::End)) {
                writer.leaf("t:Duration", &duration(end - start));
            }
        }
        Field::TimeZone => {
            if let Some(zone) = zone_of(item, Field::StartTimeZone) {
                writer.leaf("t:TimeZone", &zone.display_name());
            }
        }
        Field::StartTimeZoneId | Field::EndTimeZoneId => {
            let source = if field == Field::StartTimeZoneId {
                Field::StartTimeZone
            } else {
                Field::EndTimeZone
            };
            if let Some(zone) = zone_of(item, source) {
                writer.leaf(&format!("t:{}", field.element()), &zone.id);
            }
        }
        Field::StartWallClock => wall_clock(writer, item, Field::Start, "t:StartWallClock"),
        Field::EndWallClock => wall_clock(writer, item, Field::End, "t:EndWallClock"),
        Field::EnhancedLocation => {
            if !item.text(Field::Location).is_empty() {
                writer.open("t:EnhancedLocation");
                writer.leaf("t:DisplayName", item.text(Field::Location));
                writer.close("t:EnhancedLocation");
            }
        }
        Field::When => {
            let text = item.text(Field::When);
            if !text.is_empty() {
                writer.leaf("t:When", text);
            }
        }
        Field::FirstOccurrence | Field::LastOccurrence => {
            if let (Some(found), Role::RecurringMaster) = (found, role) {
                edge(writer, cx, found, field);
            }
        }
        Field::ModifiedOccurrences => {
            if let (Some(found), Role::RecurringMaster) = (found, role) {
                modified(writer, cx, found);
            }
        }
        Field::DeletedOccurrences => deleted(writer, item),
        Field::AssociatedCalendarItemId => {
            if let Some(found) = found {
                associated(writer, cx, found);
            }
        }
        _ => return false,
    }
    true
}

/// `xs:duration` of a length.
fn duration(length: Duration) -> String {
    let (days, hours) = (length.num_days(), length.num_hours() % 24);
    let (minutes, seconds) = (length.num_minutes() % 60, length.num_seconds() % 60);
    let mut text = String::from("P");
    if days > 0 {
        text.push_str(&format!("{days}D"));
    }
    let parts: String = [(hours, 'H'), (minutes, 'M'), (seconds, 'S')]
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    if !parts.is_empty() {
        text.push('T');
        text.push_str(&parts);
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}

fn wall_clock(writer: &mut Writer, item: &Item, field: Field, name: &str) {
    let Some(time) = item.time(field) else { return };
    let rules = series::zone_rules(item);
    let offset = rules.offset_seconds(time) / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let local = rules.to_local(time).format("%Y-%m-%dT%H:%M:%S");
    writer.leaf(
        name,
        &format!("{local}{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60),
    );
}

/// The first or last occurrence that is left.
fn edge(writer: &mut Writer, cx: &Context, found: &Found, field: Field) {
    let master = &found.item;
    let endless =
        matches!(series::rule(master), Some(rule) if rule.ends == crate::exchange::recurrence::Ends::Never);
    let left = |start: &DateTime<Utc>| !master.deleted.contains(start);
    let start = if field == Field::FirstOccurrence {
        let until = master
            .time(Field::Start)
            .map(|start| start + Duration::days(3 * 366))
            .filter(|_| endless);
        series::originals(master, None, until)
            .into_iter()
            .find(|start| left(start))
    } else if endless {
        None
    } else {
        series::originals(master, None, None)
            .into_iter()
            .rev()
            .find(|start| left(start))
    };
    if let Some(original) = start {
        occurrence(writer, cx, found, original, &format!("t:{}", field.element()));
    }
}

fn occurrence(writer: &mut Writer, cx: &Context, found: &Found, original: DateTime<Utc>, name: &str) {
    let Ok((item, _)) = series::occurrence(&found.item, original) else {
        return;
    };
    let (Some(start), Some(end)) = (item.time(Field::Start), item.time(Field::End)) else {
        return;
    };
    let id = cx.world.ids.encode(Target::Occurrence(found.key, original));
    writer.open(name);
    writer.empty("t:ItemId", &[("Id", &id), ("ChangeKey", &change_key(cx, found))]);
    writer.time("t:Start", start);
    writer.time("t:End", end);
    writer.time("t:OriginalStart", original);
    writer.close(name);
}

fn modified(writer: &mut Writer, cx: &Context, found: &Found) {
    if found.item.exceptions.is_empty() {
        return;
    }
    writer.open("t:ModifiedOccurrences");
    for exception in &found.item.exceptions {
        occurrence(writer, cx, found, exception.original, "t:Occurrence");
    }
    writer.close("t:ModifiedOccurrences");
}

fn deleted(writer: &mut Writer, item: &Item) {
    if item.deleted.is_empty() {
        return;
    }
    writer.open("t:DeletedOccurrences");
    for start in &item.deleted {
        writer.open("t:DeletedOccurrence");
        writer.time("t:Start", *start);
        writer.close("t:DeletedOccurrence");
    }
    writer.close("t:DeletedOccurrences");
}

/// The calendar item that a meeting message is about, found by the UID they share.
fn associated(writer: &mut Writer, cx: &Context, found: &Found) {
    let uid = found.item.text(Field::Uid);
    if uid.is_empty() {
        return;
    }
    let Some(key) = meeting::find(&cx.world, found.key.mailbox, uid) else {
        return;
    };
    let Ok(calendar) = cx.whole(key) else { return };
    let id = cx.world.ids.encode(Target::Item(key));
    writer.empty(
        "t:AssociatedCalendarItemId",
        &[("Id", &id), ("ChangeKey", &change_key(cx, &calendar))],
    );
}
