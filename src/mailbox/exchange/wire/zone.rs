//! Time zones as items carry them: a name, and mostly the rules of their clocks beside it.
//!
//! Source: "StartTimeZone", "Periods", "TransitionsGroups", "Transitions", "RecurringDayTransition",
//! "RecurringDateTransition" and "AbsoluteDateTransition" in the EWS reference.

use super::xml::{Document, Element, XmlError};
use chrono::NaiveDateTime;

/// A zone. What the server does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawZone {
    /// A Windows name, or whatever a client called it.
    pub id: String,
    /// Its offsets.
    pub periods: Vec<RawPeriod>,
    /// Rules that hold together for some years, by their names.
    pub groups: Vec<(String, Vec<RawTransition>)>,
    /// From when on which of them holds.
    pub transitions: Vec<RawTransition>,
}

/// An offset with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawPeriod {
    /// By which transitions name it.
    pub id: String,
    /// `xs:duration` that leads from local time to UTC: west of Greenwich it is positive.
    pub bias: String,
}

/// A change to a period or a group. What does not belong to its sort is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawTransition {
    /// The id of what begins to hold.
    pub to: String,
    /// True where that is a group.
    pub to_group: bool,
    /// When, for one that happens once.
    pub at: Option<NaiveDateTime>,
    /// Time of day on the clock before the change, `xs:duration` since midnight.
    pub time: String,
    /// Month, from 1.
    pub month: String,
    /// Name of a day of the week.
    pub weekday: String,
    /// Which of these days in the month, from 1; -1 is the last.
    pub occurrence: String,
    /// Day of the month, for one that has no day of the week.
    pub day: String,
}

impl RawZone {
    /// Reads the element and what is in it.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(element: &Element<'_>, doc: &mut Document<'_>) -> Result<Self, XmlError> {
        let mut zone = Self {
            id: element.attribute("Id").unwrap_or_default(),
            ..Self::default()
        };
        while let Some(element) = doc.child()? {
            match element.key().1 {
                "Periods" => zone.periods = periods(doc)?,
                "TransitionsGroups" => {
                    while let Some(group) = doc.child()? {
                        let id = group.attribute("Id").unwrap_or_default();
                        zone.groups.push((id, transitions(doc)?));
                    }
                }
                "Transitions" => zone.transitions = transitions(doc)?,
                _ => doc.skip()?,
            }
        }
        Ok(zone)
    }
}

fn periods(doc: &mut Document<'_>) -> Result<Vec<RawPeriod>, XmlError> {
    let mut periods = Vec::new();
    while let Some(period) = doc.child()? {
        periods.push(RawPeriod {
            id: period.attribute("Id").unwrap_or_default(),
            bias: period.attribute("Bias").unwrap_or_default(),
        });
        doc.skip()?;
    }
    Ok(periods)
}

fn transitions(doc: &mut Document<'_>) -> Result<Vec<RawTransition>, XmlError> {
    let mut all = Vec::new();
    while doc.child()?.is_some() {
        let mut one = RawTransition::default();
        while let Some(element) = doc.child()? {
            match element.key().1 {
                "To" => {
                    one.to_group = element.attribute("Kind").as_deref() == Some("Group");
                    one.to = doc.text()?.trim().to_owned();
                }
                "DateTime" => one.at = local(&doc.text()?),
                "TimeOffset" => one.time = doc.text()?,
                "Month" => one.month = doc.text()?,
                "DayOfWeek" => one.weekday = doc.text()?,
                "Occurrence" => one.occurrence = doc.text()?,
                "Day" => one.day = doc.text()?,
                _ => doc.skip()?,
            }
        }
        all.push(one);
    }
    Ok(all)
}

/// `xs:dateTime` of which an offset says nothing: it is a time on the zone's own clock.
fn local(text: &str) -> Option<NaiveDateTime> {
    text.trim().get(..19)?.parse().ok()
}
