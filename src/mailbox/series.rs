//! Series as the port speaks of them: how one date is named, and what a server tells of a whole series.
//!
//! A date of a series is named by its series and the day on which the rule sets it, and travels as an
//! [`ItemId`] like any other. Servers name dates by numbers that shift when the rule changes, or by ids that
//! change when a date becomes an exception; a connector finds the date under the server's name at the moment
//! it reads or writes it.

use super::model::{ItemId, ItemRef, MailboxItem};
use crate::record::Record;
use crate::record::event::Place;
use crate::record::recurrence::Clock;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// No server's id begins with it.
const SIGN: char = '@';
const DAY: &str = "%Y%m%d";

/// The name of one date of a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DateId {
    /// The series.
    pub series: ItemId,
    /// The day on which its rule sets the date.
    pub day: NaiveDate,
}

impl DateId {
    /// As an item's id.
    pub fn item(&self) -> ItemId {
        ItemId(format!("{SIGN}{}:{}", self.day.format(DAY), self.series.0))
    }

    /// The inverse of [`item`](Self::item); `None` for an id that names no date of a series.
    pub fn of(item: &ItemId) -> Option<Self> {
        let (day, series) = item.0.strip_prefix(SIGN)?.split_once(':')?;
        Some(Self {
            series: ItemId(series.to_owned()),
            day: NaiveDate::parse_from_str(day, DAY).ok()?,
        })
    }
}

/// Which dates of a series are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Last day for a series without an end.
    pub endless_to: NaiveDate,
    /// The most dates of one series; the later ones are left out.
    pub most: usize,
}

/// A series with its dates within a span.
#[derive(Clone)]
pub struct Series {
    /// The series itself.
    pub master: MailboxItem,
    /// What time of day it has.
    pub clock: Clock,
    /// Days within the span whose dates are as the rule says, in order.
    pub days: Vec<NaiveDate>,
    /// Dates that were changed or moved, by the day on which the rule sets them; some may have been moved
    /// out of the span.
    pub changed: BTreeMap<NaiveDate, MailboxItem>,
    /// Days whose dates were deleted, wherever they lie.
    pub deleted: BTreeSet<NaiveDate>,
    /// Between these days nothing is left out: a date that is not listed does not exist.
    pub known: (NaiveDate, NaiveDate),
    /// The first day of the rule after them.
    pub next: Option<NaiveDate>,
    /// True where dates within the span were left out, because there are too many.
    pub cut: bool,
    /// True for a series without an end.
    pub endless: bool,
}

impl Series {
    /// The days of all dates.
    pub fn days(&self) -> BTreeSet<NaiveDate> {
        self.days
            .iter()
            .copied()
            .chain(self.changed.keys().copied())
            .collect()
    }

    /// The day of the very first date.
    pub fn first_day(&self) -> NaiveDate {
        match &self.master.record {
            Record::Event(event) => self.clock.day_of(&event.when),
            _ => NaiveDate::default(),
        }
    }

    /// The name of the date of this day.
    pub fn date_id(&self, day: NaiveDate) -> ItemId {
        let series = self.master.item.id.clone();
        DateId { series, day }.item()
    }

    /// The date of this day as an item of its own. Dates are made one by one, because a body times four
    /// hundred is a lot of memory.
    pub fn date(&self, day: NaiveDate) -> MailboxItem {
        if let Some(changed) = self.changed.get(&day) {
            return changed.clone();
        }
        let mut item = MailboxItem {
            item: ItemRef {
                id: self.date_id(day),
                version: self.master.item.version.clone(),
            },
            // The stamp is the series': each of its dates bears it, and it says nothing of a date.
            stamp: None,
            ..self.master.clone()
        };
        if let Record::Event(event) = &mut item.record {
            event.place = Place::Dated(day);
            event.when = self.clock.when(day);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_date_leads_back_to_its_series_and_its_day() {
        let date = DateId {
            series: ItemId("AAMk:AD@=".to_owned()),
            day: NaiveDate::from_ymd_opt(2026, 3, 29).expect("a day"),
        };
        assert_eq!(DateId::of(&date.item()), Some(date));
        assert_eq!(DateId::of(&ItemId("AAMkAD=".to_owned())), None);
        assert_eq!(DateId::of(&ItemId("@x:AAMk".to_owned())), None);
    }
}
