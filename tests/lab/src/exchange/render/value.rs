//! Single values as elements.

use crate::exchange::context::Context;
use crate::exchange::field::Field;
use crate::exchange::ops::get_server_time_zones as zones;
use crate::exchange::read::recurrence::{DAYS, INDEXES, MONTHS};
use crate::exchange::recurrence::{Day, Ends, Index, Pattern, Recurrence, Unit};
use crate::exchange::shape::BodyForm;
use crate::exchange::value::{Address, Attendee, Body, Value};
use crate::exchange::version::Version;
use crate::exchange::xml::write::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::html::{html_to_text, text_to_html};
use std::borrow::Cow;

/// A property with its value.
pub fn write(writer: &mut Writer, cx: &Context, field: Field, value: &Value) {
    let name = format!("t:{}", field.element());
    match value {
        Value::Text(text) if field == Field::Flag => {
            writer.open(&name);
            writer.leaf("t:FlagStatus", text);
            writer.close(&name);
        }
        Value::Text(text) => writer.leaf(&name, text),
        Value::Bool(value) => writer.bool(&name, *value),
        Value::Int(value) => writer.number(&name, value),
        Value::Double(value) => writer.number(&name, value),
        Value::Time(value) => writer.time(&name, *value),
        Value::Strings(strings) => {
            if !strings.is_empty() {
                writer.open(&name);
                for string in strings {
                    writer.leaf("t:String", string);
                }
                writer.close(&name);
            }
        }
        Value::Binary(octets) => writer.leaf(&name, &STANDARD.encode(&octets.0)),
        Value::Body(body) => self::body(writer, &name, Some(body), BodyForm::Best),
        Value::Recipient(address) => {
            writer.open(&name);
            mailbox(writer, cx, address);
            writer.close(&name);
        }
        Value::Recipients(addresses) => recipients(writer, cx, field, addresses),
        Value::Attendees(attendees) => self::attendees(writer, cx, &name, attendees),
        Value::Recurrence(rule) => recurrence(writer, &name, rule),
        Value::Zone(zone) => {
            if field == Field::MeetingTimeZone {
                writer.empty(&name, &[("TimeZoneName", &zone.id)]);
            } else if zone.is_own() {
                let display = zone.display_name();
                writer.open_with(&name, &[("Id", &zone.id), ("Name", &display)]);
                zones::rules(writer, zone);
                writer.close(&name);
            } else {
                writer.empty(&name, &[("Id", &zone.id), ("Name", &zone.display_name())]);
            }
        }
    }
}

fn recipients(writer: &mut Writer, cx: &Context, field: Field, addresses: &[Address]) {
    if addresses.is_empty() {
        return;
    }
    let name = format!("t:{}", field.element());
    writer.open(&name);
    for (at, address) in addresses.iter().enumerate() {
        if field == Field::Members {
            writer.open_with("t:Member", &[("Key", &format!("member{at}"))]);
            mailbox(writer, cx, address);
            writer.leaf("t:Status", "Normal");
            writer.close("t:Member");
        } else {
            mailbox(writer, cx, address);
        }
    }
    writer.close(&name);
}

/// A Mailbox element.
pub fn mailbox(writer: &mut Writer, cx: &Context, address: &Address) {
    writer.open("t:Mailbox");
    mailbox_parts(writer, cx, address);
    writer.close("t:Mailbox");
}

fn mailbox_parts(writer: &mut Writer, cx: &Context, address: &Address) {
    if !address.name.is_empty() {
        writer.leaf("t:Name", &address.name);
    }
    if !address.email.is_empty() {
        writer.leaf("t:EmailAddress", &address.email);
        writer.leaf("t:RoutingType", address.routing.as_deref().unwrap_or("SMTP"));
    }
    if cx.version >= Version::E2010 {
        let kind = match cx.world.directory.by_smtp(&address.email) {
            Some(_) => "Mailbox",
            None if cx.world.lists.find(&address.email).is_some() => "PublicDL",
            None => "OneOff",
        };
        writer.leaf("t:MailboxType", kind);
    }
}

fn attendees(writer: &mut Writer, cx: &Context, name: &str, attendees: &[Attendee]) {
    if attendees.is_empty() {
        return;
    }
    writer.open(name);
    for attendee in attendees {
        writer.open("t:Attendee");
        mailbox(writer, cx, &attendee.mailbox);
        writer.leaf("t:ResponseType", &attendee.response);
        if let Some(answered) = attendee.answered {
            writer.time("t:LastResponseTime", answered);
        }
        writer.close("t:Attendee");
    }
    writer.close(name);
}

/// A body in the form asked for; an empty one where there is none.
pub fn body(writer: &mut Writer, name: &str, body: Option<&Body>, form: BodyForm) {
    let Some(body) = body else {
        writer.leaf_with(
            name,
            &[("BodyType", if form == BodyForm::Html { "HTML" } else { "Text" })],
            "",
        );
        return;
    };
    let (kind, text): (&str, Cow<str>) = match form {
        BodyForm::Best => (if body.html { "HTML" } else { "Text" }, body.text.as_str().into()),
        BodyForm::Html => ("HTML", html(body)),
        BodyForm::Text => ("Text", text(body)),
    };
    writer.leaf_with(name, &[("BodyType", kind)], &text);
}

fn html(body: &Body) -> Cow<'_, str> {
    if body.html {
        body.text.as_str().into()
    } else {
        text_to_html(&body.text).into()
    }
}

/// A body as plain text.
pub fn text(body: &Body) -> Cow<'_, str> {
    if body.html {
        html_to_text(&body.text).into()
    } else {
        body.text.as_str().into()
    }
}

/// A Recurrence element.
pub fn recurrence(writer: &mut Writer, name: &str, rule: &Recurrence) {
    writer.open(name);
    pattern(writer, &rule.pattern);
    let start = rule.start.format("%Y-%m-%d").to_string();
    let range = match rule.ends {
        Ends::Never => "t:NoEndRecurrence",
        Ends::On(_) => "t:EndDateRecurrence",
        Ends::After(_) => "t:NumberedRecurrence",
    };
    writer.open(range);
    writer.leaf("t:StartDate", &start);
    match rule.ends {
        Ends::Never => {}
        Ends::On(date) => writer.leaf("t:EndDate", &date.format("%Y-%m-%d").to_string()),
        Ends::After(count) => writer.number("t:NumberOfOccurrences", count),
    }
    writer.close(range);
    writer.close(name);
}

fn pattern(writer: &mut Writer, pattern: &Pattern) {
    let interval = |writer: &mut Writer, interval: &u16| writer.number("t:Interval", interval);
    let name = match pattern {
        Pattern::Daily { .. } => "t:DailyRecurrence",
        Pattern::Weekly { .. } => "t:WeeklyRecurrence",
        Pattern::AbsoluteMonthly { .. } => "t:AbsoluteMonthlyRecurrence",
        Pattern::RelativeMonthly { .. } => "t:RelativeMonthlyRecurrence",
        Pattern::AbsoluteYearly { .. } => "t:AbsoluteYearlyRecurrence",
        Pattern::RelativeYearly { .. } => "t:RelativeYearlyRecurrence",
        Pattern::Regeneration {
            unit: Unit::Daily, ..
        } => "t:DailyRegeneration",
        Pattern::Regeneration {
            unit: Unit::Weekly, ..
        } => "t:WeeklyRegeneration",
        Pattern::Regeneration {
            unit: Unit::Monthly, ..
        } => "t:MonthlyRegeneration",
        Pattern::Regeneration {
            unit: Unit::Yearly, ..
        } => "t:YearlyRegeneration",
    };
    writer.open(name);
    match pattern {
        Pattern::Daily { interval: every } | Pattern::Regeneration { interval: every, .. } => {
            interval(writer, every)
        }
        Pattern::Weekly {
            interval: every,
            days,
            first_day,
        } => {
            interval(writer, every);
            writer.leaf(
                "t:DaysOfWeek",
                &days
                    .iter()
                    .map(|day| day_name(*day))
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            if let Some(first) = first_day {
                writer.leaf("t:FirstDayOfWeek", day_name(*first));
            }
        }
        Pattern::AbsoluteMonthly { interval: every, day } => {
            interval(writer, every);
            writer.number("t:DayOfMonth", day);
        }
        Pattern::RelativeMonthly {
            interval: every,
            days,
            index,
        } => {
            interval(writer, every);
            relative(writer, *days, *index);
        }
        Pattern::AbsoluteYearly { day, month } => {
            writer.number("t:DayOfMonth", day);
            writer.leaf("t:Month", month_name(*month));
        }
        Pattern::RelativeYearly { days, index, month } => {
            relative(writer, *days, *index);
            writer.leaf("t:Month", month_name(*month));
        }
    }
    writer.close(name);
}

fn relative(writer: &mut Writer, days: Day, index: Index) {
    writer.leaf("t:DaysOfWeek", day_name(days));
    let name = INDEXES
        .iter()
        .find(|(_, known)| *known == index)
        .map_or("First", |(name, _)| *name);
    writer.leaf("t:DayOfWeekIndex", name);
}

fn day_name(day: Day) -> &'static str {
    DAYS.iter()
        .find(|(_, known)| *known == day)
        .map_or("Day", |(name, _)| *name)
}

fn month_name(month: u8) -> &'static str {
    MONTHS
        .get(usize::from(month).saturating_sub(1))
        .copied()
        .unwrap_or("January")
}
