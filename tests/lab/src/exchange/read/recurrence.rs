//! Recurrence elements.

use super::value::date;
use crate::exchange::recurrence::{Day, Ends, Index, Pattern, Recurrence, Unit};
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;
use chrono::NaiveDate;

/// Exchange refuses a series that ends later.
fn latest_end() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(4500, 9, 1)
}

/// The repetition in a Recurrence element.
///
/// # Errors
/// It lacks a part, a value is outside its type, or the range cannot be.
pub fn read(element: &Element) -> Result<Recurrence, Refusal> {
    let [pattern_element, range] = element.children.as_slice() else {
        return Err(Refusal::missing("RecurrenceRangeTypes"));
    };
    let pattern = pattern(pattern_element)?;
    let start = date("StartDate", range.t_text("StartDate").unwrap_or_default().trim())?;
    let ends = match range.name.as_str() {
        "NoEndRecurrence" => Ends::Never,
        "EndDateRecurrence" => {
            let end = date("EndDate", range.t_text("EndDate").unwrap_or_default().trim())?;
            if latest_end().is_some_and(|latest| end > latest) {
                return Err(Refusal::new(
                    "ErrorRecurrenceEndDateTooBig",
                    "The end date of the recurrence is too big.",
                ));
            }
            if end < start {
                return Err(Refusal::new(
                    "ErrorRecurrenceHasNoOccurrence",
                    "The recurrence has no occurrences.",
                ));
            }
            Ends::On(end)
        }
        "NumberedRecurrence" => {
            let count: u32 = number(range, "NumberOfOccurrences")?;
            if !(1..=999).contains(&count) {
                return Err(Refusal::invalid_value("NumberOfOccurrences", &count.to_string()));
            }
            Ends::After(count)
        }
        other => {
            return Err(Refusal::schema(format!(
                "Invalid child element '{other}' of Recurrence."
            )));
        }
    };
    Ok(Recurrence { pattern, start, ends })
}

fn pattern(element: &Element) -> Result<Pattern, Refusal> {
    let interval = |most: u16| {
        let interval: u16 = number(element, "Interval")?;
        if (1..=most).contains(&interval) {
            Ok(interval)
        } else {
            Err(Refusal::invalid_value("Interval", &interval.to_string()))
        }
    };
    let regeneration = |unit| {
        Ok(Pattern::Regeneration {
            unit,
            interval: interval(999)?,
        })
    };
    Ok(match element.name.as_str() {
        "DailyRecurrence" => Pattern::Daily {
            interval: interval(999)?,
        },
        "WeeklyRecurrence" => Pattern::Weekly {
            interval: interval(99)?,
            days: days(element)?,
            first_day: match element.t_text("FirstDayOfWeek") {
                Some(text) => Some(day(text.trim())?),
                None => None,
            },
        },
        "AbsoluteMonthlyRecurrence" => Pattern::AbsoluteMonthly {
            interval: interval(99)?,
            day: day_of_month(element)?,
        },
        "RelativeMonthlyRecurrence" => Pattern::RelativeMonthly {
            interval: interval(99)?,
            days: one_day(element)?,
            index: index(element)?,
        },
        "AbsoluteYearlyRecurrence" => Pattern::AbsoluteYearly {
            day: day_of_month(element)?,
            month: month(element)?,
        },
        "RelativeYearlyRecurrence" => Pattern::RelativeYearly {
            days: one_day(element)?,
            index: index(element)?,
            month: month(element)?,
        },
        "DailyRegeneration" => return regeneration(Unit::Daily),
        "WeeklyRegeneration" => return regeneration(Unit::Weekly),
        "MonthlyRegeneration" => return regeneration(Unit::Monthly),
        "YearlyRegeneration" => return regeneration(Unit::Yearly),
        other => {
            return Err(Refusal::schema(format!(
                "Invalid child element '{other}' of Recurrence."
            )));
        }
    })
}

fn text<'a>(element: &'a Element, name: &str) -> Result<&'a str, Refusal> {
    element
        .t_text(name)
        .map(str::trim)
        .ok_or_else(|| Refusal::missing(name))
}

fn number<T: std::str::FromStr>(element: &Element, name: &str) -> Result<T, Refusal> {
    let text = text(element, name)?;
    text.parse().map_err(|_| Refusal::invalid_value(name, text))
}

fn day_of_month(element: &Element) -> Result<u8, Refusal> {
    let day: u8 = number(element, "DayOfMonth")?;
    if (1..=31).contains(&day) {
        Ok(day)
    } else {
        Err(Refusal::invalid_value("DayOfMonth", &day.to_string()))
    }
}

fn days(element: &Element) -> Result<Vec<Day>, Refusal> {
    let text = text(element, "DaysOfWeek")?;
    let days: Vec<Day> = text.split_whitespace().map(day).collect::<Result<_, _>>()?;
    if days.is_empty() {
        Err(Refusal::invalid_value("DaysOfWeek", text))
    } else {
        Ok(days)
    }
}

fn one_day(element: &Element) -> Result<Day, Refusal> {
    day(text(element, "DaysOfWeek")?)
}

/// The names of days, as the schema writes them.
pub const DAYS: &[(&str, Day)] = &[
    ("Sunday", Day::Sunday),
    ("Monday", Day::Monday),
    ("Tuesday", Day::Tuesday),
    ("Wednesday", Day::Wednesday),
    ("Thursday", Day::Thursday),
    ("Friday", Day::Friday),
    ("Saturday", Day::Saturday),
    ("Day", Day::Day),
    ("Weekday", Day::Weekday),
    ("WeekendDay", Day::WeekendDay),
];

/// The names of the months.
pub const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of the weeks of a month.
pub const INDEXES: &[(&str, Index)] = &[
    ("First", Index::First),
    ("Second", Index::Second),
    ("Third", Index::Third),
    ("Fourth", Index::Fourth),
    ("Last", Index::Last),
];

fn day(name: &str) -> Result<Day, Refusal> {
    let found = DAYS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, day)| *day)
        .ok_or_else(|| Refusal::invalid_value("DaysOfWeek", name))
}

fn index(element: &Element) -> Result<Index, Refusal> {
    let name = text(element, "DayOfWeekIndex")?;
    let found = INDEXES.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, index)| *index)
        .ok_or_else(|| Refusal::invalid_value("DayOfWeekIndex", name))
}

fn month(element: &Element) -> Result<u8, Refusal> {
    let name = text(element, "Month")?;
    let at = MONTHS.iter().position(|known| *known == name);
    at.and_then(|at| u8::try_from(at + 1).ok())
        .ok_or_else(|| Refusal::invalid_value("Month", name))
}
