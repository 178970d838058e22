//! When a series takes place: the rule of its days, and the time of day that each of them has.
//!
//! A rule is expanded on days, without any clock; only then does a day become instants, in the series' own
//! time zone, so that a meeting at nine stays at nine over a change of clocks. The day on which the rule sets
//! a date is also the date's identity within its series (no rule sets two on one day): it outlives a moved
//! date, an exception, and a series whose time of day is changed.

use super::event::When;
use chrono::{DateTime, LocalResult, Month, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Unvalidated};
use std::collections::BTreeSet;

/// Days of the week of which a rule picks one by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    /// One day of the week.
    On(Weekday),
    /// Any day.
    Day,
    /// From Monday to Friday.
    Weekday,
    /// Saturday and Sunday.
    WeekendDay,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nth {
    /// The first, second, third or fourth.
    From(u8),
    /// The last.
    Last,
}

/// How the days follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every so many days.
    Daily {
        /// So many.
        every: u16,
    },
    /// On these days of every so many weeks.
    Weekly {
        /// So many.
        every: u16,
        /// Which days; never empty.
        on: Vec<Weekday>,
        /// The day on which a week begins: decides which weeks are left out.
        week_start: Weekday,
    },
    /// On this day of every so many months; in a shorter month on its last day.
    MonthlyOn {
        /// So many.
        every: u16,
        /// From 1 to 31.
        day: u8,
    },
    /// On the n-th such day of every so many months.
    MonthlyBy {
        /// So many.
        every: u16,
        /// Which.
        nth: Nth,
        /// Of what.
        of: DayKind,
    },
    /// On this day of this month each year; in a shorter month on its last day.
    YearlyOn {
        /// From 1 to 12.
        month: u8,
        /// From 1 to 31.
        day: u8,
    },
    /// On the n-th such day of this month each year.
    YearlyBy {
        /// From 1 to 12.
        month: u8,
        /// Which.
        nth: Nth,
        /// Of what.
        of: DayKind,
    },
}

/// Where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Nowhere.
    Never,
    /// After this day.
    On(NaiveDate),
    /// After so many dates, deleted ones included.
    After(u32),
}

/// The rule of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// How the days follow each other.
    pub pattern: Pattern,
    /// No date is before this day.
    pub first: NaiveDate,
    /// Where it ends.
    pub ends: Ends,
}

/// Days of a rule within a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The days, in order.
    pub days: Vec<NaiveDate>,
    /// The first day of the rule that was not taken: after the span, or beyond what was asked for.
    pub next: Option<NaiveDate>,
}

impl Recurrence {
    /// The days from `from` to `to` (both included), at most `most`.
    pub fn days(&self, from: NaiveDate, to: NaiveDate, most: usize) -> Days {
        let mut found = Days::default();
        for day in self.all().skip_while(|day| *day < from) {
            if day > to || found.days.len() >= most {
                found.next = Some(day);
                break;
            }
            found.days.push(day);
        }
        found
    }

    /// The place of a day among all days of the rule, from 1; `None` where the rule does not set it.
    pub fn number(&self, day: NaiveDate) -> Option<usize> {
        let mut days = self.all().take_while(|other| *other <= day);
        let mut number = 0;
        let found = days.by_ref().find(|other| {
            number += 1;
            *other == day
        });
        found.map(|_| number)
    }

    /// All days, in order; none for a rule that makes no sense. The library stops by itself at rules that
    /// set no day for a very long time.
    fn all(&self) -> impl Iterator<Item = NaiveDate> {
        let first = at_midnight(self.first);
        let set = self
            .rule()
            .and_then(|rule| rule.validate(first).ok())
            .map(|rule| RRuleSet::new(first).rrule(rule).limit());
        let days: Box<dyn Iterator<Item = NaiveDate>> = match set {
            Some(set) => Box::new(OwnedDays::new(set)),
            None => Box::new(std::iter::empty()),
        };
        days
    }

    fn rule(&self) -> Option<RRule<Unvalidated>> {
        let rule = match &self.pattern {
            Pattern::Daily { every } => RRule::new(Frequency::Daily).interval(*every),
            Pattern::Weekly {
                every,
                on,
                week_start,
            } => RRule::new(Frequency::Weekly)
                .interval(*every)
                .week_start(*week_start)
                .by_weekday(on.iter().copied().map(NWeekday::Every).collect()),
            Pattern::MonthlyOn { every, day } => {
                on_day(RRule::new(Frequency::Monthly).interval(*every), *day)
            }
            Pattern::MonthlyBy { every, nth, of } => {
                by_number(RRule::new(Frequency::Monthly).interval(*every), *nth, *of)
            }
            Pattern::YearlyOn { month, day } => on_day(yearly(*month)?, *day),
            Pattern::YearlyBy { month, nth, of } => by_number(yearly(*month)?, *nth, *of),
        };
        Some(match self.ends {
            Ends::Never => rule,
            Ends::On(day) => rule.until(at_midnight(day)),
            Ends::After(count) => rule.count(count),
        })
    }
}

/// The library's iterator borrows its set; this one asks it anew in growing bites, so that a caller who wants
/// ten days of an endless rule computes little more than ten.
struct OwnedDays {
    set: RRuleSet,
    buffer: std::vec::IntoIter<NaiveDate>,
    done: usize,
    bite: u16,
    ended: bool,
}

impl OwnedDays {
    fn new(set: RRuleSet) -> Self {
        Self {
            set,
            buffer: Vec::new().into_iter(),
            done: 0,
            bite: 64,
            ended: false,
        }
    }
}

impl Iterator for OwnedDays {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        if let Some(day) = self.buffer.next() {
            return Some(day);
        }
        if self.ended {
            return None;
        }
        let dates: Vec<NaiveDate> = (&self.set)
            .into_iter()
            .take(usize::from(self.bite))
            .map(|at| at.date_naive())
            .collect();
        self.ended = dates.len() < usize::from(self.bite) || self.bite == u16::MAX;
        let fresh: Vec<NaiveDate> = dates.into_iter().skip(self.done).collect();
        self.done += fresh.len();
        self.bite = self.bite.saturating_mul(8);
        self.buffer = fresh.into_iter();
        self.buffer.next()
    }
}

fn at_midnight(day: NaiveDate) -> DateTime<rrule::Tz> {
    rrule::Tz::UTC.from_utc_datetime(&day.and_time(NaiveTime::MIN))
}

fn yearly(month: u8) -> Option<RRule<Unvalidated>> {
    Some(RRule::new(Frequency::Yearly).by_month(&[Month::try_from(month).ok()?]))
}

/// A day that a month does not have means its last one: the last of the days from 28 to `day` that it has.
fn on_day(rule: RRule<Unvalidated>, day: u8) -> RRule<Unvalidated> {
    let day = i8::try_from(day.clamp(1, 31)).unwrap_or(31);
    if day <= 28 {
        return rule.by_month_day(vec![day]);
    }
    rule.by_month_day((28..=day).collect()).by_set_pos(vec![-1])
}

fn by_number(rule: RRule<Unvalidated>, nth: Nth, of: DayKind) -> RRule<Unvalidated> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let days = match of {
        DayKind::On(day) => vec![day],
        DayKind::Day => vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun],
        DayKind::Weekday => vec![Mon, Tue, Wed, Thu, Fri],
        DayKind::WeekendDay => vec![Sat, Sun],
    };
    let position = match nth {
        Nth::From(number) => i32::from(number),
        Nth::Last => -1,
    };
    rule.by_weekday(days.into_iter().map(NWeekday::Every).collect())
        .by_set_pos(vec![position])
}

/// What time of day a series has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// From one time of day to another on the clocks of a zone.
    Timed {
        /// The zone.
        zone: Tz,
        /// When a date begins.
        at: NaiveTime,
        /// How long it lasts on the clock.
        length: TimeDelta,
    },
    /// Whole days.
    AllDay {
        /// So many; at least one.
        days: u32,
    },
}

impl Clock {
    /// The clock of a series whose rule is seen in `zone` and whose first date takes place `when`.
    pub fn of(when: &When, zone: Tz) -> Self {
        match when {
            When::Timed { start, end } => {
                let (start, end) = (start.with_timezone(&zone), end.with_timezone(&zone));
                Self::Timed {
                    zone,
                    at: start.time(),
                    length: end.naive_local() - start.naive_local(),
                }
            }
            When::AllDay { first, last } => Self::AllDay {
                days: u32::try_from((*last - *first).num_days()).unwrap_or(0) + 1,
            },
        }
    }

    /// When the date of this day takes place, as long as nobody moved it.
    pub fn when(&self, day: NaiveDate) -> When {
        match self {
            Self::Timed { zone, at, length } => {
                let local = day.and_time(*at);
                let start = instant(local, *zone);
                When::Timed {
                    start,
                    end: instant(local + *length, *zone).max(start),
                }
            }
            Self::AllDay { days } => When::AllDay {
                first: day,
                last: day + TimeDelta::days(i64::from(*days) - 1),
            },
        }
    }

    /// The day on which something takes place, on this clock.
    pub fn day_of(&self, when: &When) -> NaiveDate {
        match (self, when) {
            (_, When::AllDay { first, .. }) => *first,
            (Self::Timed { zone, .. }, When::Timed { start, .. }) => start.with_timezone(zone).date_naive(),
            (Self::AllDay { .. }, When::Timed { start, .. }) => start.date_naive(),
        }
    }

    /// True where the clocks skip or repeat the begin or the end on this day, so that two servers may well
    /// mean different instants.
    pub fn is_doubtful(&self, day: NaiveDate) -> bool {
        match self {
            Self::Timed { zone, at, length } => {
                let local = day.and_time(*at);
                [local, local + *length]
                    .iter()
                    .any(|local| !matches!(zone.from_local_datetime(local), LocalResult::Single(_)))
            }
            Self::AllDay { .. } => false,
        }
    }
}

/// The instant of a time on the clock. One that the clocks skip is read with the offset before the change;
/// one that they repeat is the first of the two.
fn instant(local: chrono::NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => {
            let before = zone.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix();
            (local - before).and_utc()
        }
    }
}

/// The days among `before` that are not dates any more: those within the span that `now` covers and that it
/// does not have. Outside of the span nothing is known, and nothing is gone.
pub fn gone(
    before: &BTreeSet<NaiveDate>,
    now: &BTreeSet<NaiveDate>,
    from: NaiveDate,
    to: NaiveDate,
) -> Vec<NaiveDate> {
    if from > to {
        return Vec::new();
    }
    before
        .range(from..=to)
        .filter(|day| !now.contains(day))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests;
