//! Single values out of elements: numbers, instants, people, zones, bodies.

use crate::exchange::field::{Field, Form};
use crate::exchange::refusal::Refusal;
use crate::exchange::value::{Address, Attendee, Binary, Body, Value};
use crate::exchange::xml::read::Element;
use crate::exchange::zone::{Change, Changing, Rules, Zone};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Utc, Weekday};

/// The value of a property out of its element. `rules` place times that have no offset.
///
/// # Errors
/// The text is not of the property's type.
pub fn value(field: Field, element: &Element, rules: Rules) -> Result<Value, Refusal> {
    let text = element.text.as_str();
    let trimmed = text.trim();
    Ok(match field.form() {
        Form::Text => {
            check_enumeration(field, trimmed)?;
            Value::Text(text.to_owned())
        }
        Form::Bool => Value::Bool(boolean(field.element(), trimmed)?),
        Form::Int => Value::Int(
            trimmed
                .parse()
                .map_err(|_| Refusal::invalid_value(field.element(), trimmed))?,
        ),
        Form::Double => Value::Double(
            trimmed
                .parse()
                .map_err(|_| Refusal::invalid_value(field.element(), trimmed))?,
        ),
        Form::Time => Value::Time(instant(field.element(), trimmed, rules)?),
        Form::Strings => Value::Strings(
            element
                .children
                .iter()
                .filter(|child| child.is_t("String"))
                .map(|child| child.text.clone())
                .collect(),
        ),
        Form::Binary => Value::Binary(Binary(octets(field.element(), text)?.into())),
        Form::Body => Value::Body(body(element)?),
        Form::Recipient => {
            let mailbox = element.t("Mailbox").ok_or_else(|| Refusal::missing("Mailbox"))?;
            Value::Recipient(address(mailbox))
        }
        Form::Recipients => Value::Recipients(recipients(element)),
        Form::Attendees => Value::Attendees(attendees(element, rules)?),
        Form::Recurrence => Value::Recurrence(super::recurrence::read(element)?),
        Form::Zone => Value::Zone(zone(element)),
        Form::Dictionary | Form::Computed => {
            return Err(Refusal::new(
                "ErrorInvalidPropertySet",
                "Set action is invalid for property.",
            ));
        }
    })
}

fn check_enumeration(field: Field, text: &str) -> Result<(), Refusal> {
    let allowed: &[&str] = match field {
        Field::Sensitivity => &["Normal", "Personal", "Private", "Confidential"],
        Field::Importance => &["Low", "Normal", "High"],
        Field::LegacyFreeBusyStatus => &["Free", "Tentative", "Busy", "OOF", "WorkingElsewhere", "NoData"],
        Field::Status => &[
            "NotStarted",
            "InProgress",
            "Completed",
            "WaitingOnOthers",
            "Deferred",
        ],
        Field::PostalAddressIndex => &["None", "Business", "Home", "Other"],
        _ => return Ok(()),
    };
    if allowed.contains(&text) {
        Ok(())
    } else {
        Err(Refusal::invalid_value(field.element(), text))
    }
}

/// `xs:boolean`.
///
/// # Errors
/// It is neither of its four forms.
pub fn boolean(name: &str, text: &str) -> Result<bool, Refusal> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(Refusal::invalid_value(name, other)),
    }
}

/// Base64 with any white space in it.
///
/// # Errors
/// It is not base64.
pub fn octets(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    let packed: String = text.split_ascii_whitespace().collect();
    STANDARD
        .decode(packed)
        .map_err(|_| Refusal::invalid_value(name, "base64"))
}

/// `xs:dateTime` or `xs:date`, with or without an offset.
///
/// # Errors
/// It is neither.
pub fn instant(name: &str, text: &str, rules: Rules) -> Result<DateTime<Utc>, Refusal> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc).trunc_subsecs(0));
    }
    if let Ok(local) = text.parse::<NaiveDateTime>() {
        return Ok(rules.to_utc(local.trunc_subsecs(0)));
    }
    let date = date(name, text)?.and_time(NaiveTime::MIN);
    if text.ends_with('Z') {
        Ok(date.and_utc())
    } else {
        Ok(rules.to_utc(date))
    }
}

/// `xs:date`, its offset left aside.
///
/// # Errors
/// It is no date.
pub fn date(name: &str, text: &str) -> Result<NaiveDate, Refusal> {
    text.get(..10)
        .unwrap_or(text)
        .parse()
        .map_err(|_| Refusal::invalid_value(name, text))
}

/// A body.
///
/// # Errors
/// It has no body type.
pub fn body(element: &Element) -> Result<Body, Refusal> {
    match element.attribute("BodyType") {
        Some("HTML") => Ok(Body {
            html: true,
            text: element.text.clone(),
        }),
        Some("Text") => Ok(Body {
            html: false,
            text: element.text.clone(),
        }),
        Some(other) => Err(Refusal::invalid_value("BodyType", other)),
        None => Err(Refusal::missing_attribute("BodyType")),
    }
}

/// A mailbox element's name and address.
pub fn address(mailbox: &Element) -> Address {
    let email = mailbox
        .t_text("EmailAddress")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let routing = mailbox
        .t_text("RoutingType")
        .map(str::trim)
        .filter(|routing| !routing.eq_ignore_ascii_case("SMTP"));
    Address {
        name: mailbox
            .t_text("Name")
            .map(str::to_owned)
            .unwrap_or_else(|| email.clone()),
        email,
        routing: routing.map(str::to_owned),
    }
}

fn recipients(element: &Element) -> Vec<Address> {
    let mailbox = |child: &Element| match child.name.as_str() {
        "Mailbox" => Some(address(child)),
        // A member of a distribution list.
        "Member" => child.t("Mailbox").map(address),
        _ => None,
    };
    element.children.iter().filter_map(mailbox).collect()
}

fn attendees(element: &Element, rules: Rules) -> Result<Vec<Attendee>, Refusal> {
    let mut attendees = Vec::new();
    for child in element.children.iter().filter(|child| child.is_t("Attendee")) {
        let mailbox = child.t("Mailbox").ok_or_else(|| Refusal::missing("Mailbox"))?;
        let answered = match child.t_text("LastResponseTime") {
            Some(text) => Some(instant("LastResponseTime", text.trim(), rules)?),
            None => None,
        };
        let response = child.t_text("ResponseType").unwrap_or("Unknown").to_owned();
        attendees.push(Attendee {
            mailbox: address(mailbox),
            response,
            answered,
        });
    }
    Ok(attendees)
}

/// A zone: by name, or with a definition of which the first standard period's bias is kept.
pub fn zone(element: &Element) -> Zone {
    let id = element
        .attribute("Id")
        .or_else(|| element.attribute("TimeZoneName"))
        .unwrap_or_default();
    let periods = element
        .t("Periods")
        .map(|periods| periods.children.as_slice())
        .unwrap_or_default();
    let is_standard = |period: &&Element| {
        [period.attribute("Name"), period.attribute("Id")]
            .into_iter()
            .flatten()
            .any(|name| name.contains("Standard"))
    };
    let period = periods.iter().find(is_standard).or(periods.first());
    let bias = period
        .and_then(|period| period.attribute("Bias"))
        .or_else(|| element.t_text("BaseOffset"))
        .and_then(duration);
    Zone {
        id: id.to_owned(),
        name: element.attribute("Name").unwrap_or_default().to_owned(),
        bias_minutes: bias.and_then(|bias| i32::try_from(-bias.num_minutes()).ok()),
        changing: changing(element),
    }
}

/// The rules of a definition, where its last group has two changes a year ("TransitionsGroups",
/// "RecurringDayTransition").
fn changing(element: &Element) -> Option<Changing> {
    let groups = element.t("TransitionsGroups")?;
    let mut changes: Vec<Change> = groups
        .children
        .last()?
        .children
        .iter()
        .filter_map(|transition| change(element, transition))
        .collect();
    changes.sort_by_key(|change| change.month);
    match changes.as_slice() {
        [spring, autumn] => Some(Changing {
            spring: *spring,
            autumn: *autumn,
        }),
        _ => None,
    }
}

fn change(element: &Element, transition: &Element) -> Option<Change> {
    const WEEK: [(&str, Weekday); 7] = [
        ("Monday", Weekday::Mon),
        ("Tuesday", Weekday::Tue),
        ("Wednesday", Weekday::Wed),
        ("Thursday", Weekday::Thu),
        ("Friday", Weekday::Fri),
        ("Saturday", Weekday::Sat),
        ("Sunday", Weekday::Sun),
    ];
    let to = transition.t_text("To")?.trim();
    let period = element
        .t("Periods")?
        .children
        .iter()
        .find(|period| period.attribute("Id") == Some(to))?;
    let day = transition.t_text("DayOfWeek")?.trim();
    Some(Change {
        month: transition.t_text("Month")?.trim().parse().ok()?,
        weekday: WEEK.iter().find(|(name, _)| *name == day)?.1,
        occurrence: transition.t_text("Occurrence")?.trim().parse().ok()?,
        minute_of_day: u32::try_from(duration(transition.t_text("TimeOffset")?)?.num_minutes()).ok()?,
        after: i32::try_from(-duration(period.attribute("Bias")?)?.num_seconds()).ok()?,
    })
}

/// `xs:duration` of days and times, such as `-PT60M`.
pub fn duration(text: &str) -> Option<Duration> {
    let (negative, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let mut total = Duration::zero();
    let mut digits = String::new();
    for character in rest.strip_prefix('P')?.chars() {
        let unit = match character {
            'T' => continue,
            'D' => Duration::days(1),
            'H' => Duration::hours(1),
            'M' => Duration::minutes(1),
            'S' => Duration::seconds(1),
            digit => {
                digits.push(digit);
                continue;
            }
        };
        let amount: f64 = digits.parse().ok()?;
        digits.clear();
        total += unit * (amount as i32);
    }
    Some(if negative { -total } else { total })
}
