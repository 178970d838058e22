//! The rule of a series and what became of its dates, as a master tells of them.
//!
//! Source: "Recurrence (RecurrenceType)", "ModifiedOccurrences" and "DeletedOccurrences" in the EWS reference.

use super::scalar::instant;
use super::sync_folder_items::item_id;
use super::xml::{Document, Ns, XmlError};
use crate::mailbox::model::ItemRef;
use chrono::{DateTime, Utc};

/// A rule, in Exchange's words. What does not belong to its pattern or its end is empty.
#[derive(Default)]
pub struct RawRecurrence {
    /// The pattern's element, such as `WeeklyRecurrence`.
    pub pattern: String,
    /// Every so many.
    pub interval: String,
    /// Names of days, separated by blanks.
    pub days: String,
    /// `First` to `Fourth`, `Last`.
    pub index: String,
    /// Day of the month.
    pub day: String,
    /// Name of the month.
    pub month: String,
    /// Name of the day on which a week begins.
    pub first_day: String,
    /// First day, `xs:date`.
    pub start: String,
    /// Last day, `xs:date`.
    pub end: String,
    /// How many dates.
    pub count: String,
}

/// A date that was changed or moved.
#[derive(Default)]
pub struct RawChanged {
    /// It, as an item of its own.
    pub item: Option<ItemRef>,
    /// When it begins now.
    pub start: Option<DateTime<Utc>>,
    /// When it would begin by the rule.
    pub original: Option<DateTime<Utc>>,
}

/// What a master alone has.
#[derive(Default)]
pub struct RawSeries {
    /// The rule.
    pub recurrence: Option<RawRecurrence>,
    /// Dates that were changed or moved.
    pub changed: Vec<RawChanged>,
    /// When deleted dates would have begun by the rule.
    pub deleted: Vec<DateTime<Utc>>,
}

impl RawSeries {
    /// Reads the element if it is one of these; false leaves it unread.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(&mut self, name: &str, doc: &mut Document<'_>) -> Result<bool, XmlError> {
        match name {
            "Recurrence" => self.recurrence = Some(recurrence(doc)?),
            "ModifiedOccurrences" => self.changed = changed(doc)?,
            "DeletedOccurrences" => {
                while doc.child()?.is_some() {
                    while let Some(element) = doc.child()? {
                        match element.key() {
                            (Ns::Types, "Start") => self.deleted.extend(instant(doc)?),
                            _ => doc.skip()?,
                        }
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The first child is the pattern and the second the range; their own children have names of their own.
fn recurrence(doc: &mut Document<'_>) -> Result<RawRecurrence, XmlError> {
    let mut rule = RawRecurrence::default();
    while let Some(element) = doc.child()? {
        if rule.pattern.is_empty() {
            element.key().1.clone_into(&mut rule.pattern);
        }
        while let Some(element) = doc.child()? {
            match element.key().1 {
                "Interval" => rule.interval = doc.text()?,
                "DaysOfWeek" => rule.days = doc.text()?,
                "DayOfWeekIndex" => rule.index = doc.text()?,
                "DayOfMonth" => rule.day = doc.text()?,
                "Month" => rule.month = doc.text()?,
                "FirstDayOfWeek" => rule.first_day = doc.text()?,
                "StartDate" => rule.start = doc.text()?,
                "EndDate" => rule.end = doc.text()?,
                "NumberOfOccurrences" => rule.count = doc.text()?,
                _ => doc.skip()?,
            }
        }
    }
    Ok(rule)
}

fn changed(doc: &mut Document<'_>) -> Result<Vec<RawChanged>, XmlError> {
    let mut all = Vec::new();
    while doc.child()?.is_some() {
        let mut one = RawChanged::default();
        while let Some(element) = doc.child()? {
            match element.key() {
                (Ns::Types, "ItemId") => {
                    one.item = item_id(&element);
                    doc.skip()?;
                }
                (Ns::Types, "Start") => one.start = instant(doc)?,
                (Ns::Types, "OriginalStart") => one.original = instant(doc)?,
                _ => doc.skip()?,
            }
        }
        all.push(one);
    }
    Ok(all)
}
