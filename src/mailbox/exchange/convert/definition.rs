//! Zones by their rules. Clients make zones of their own ("Customized Time Zone", `tzone://Microsoft/Custom`, a
//! name in the client's language) and put the rules of the clocks beside the name. We keep IANA zones, so the rules
//! are looked for among them: the zone whose clocks agree with the definition for as long as the item goes on. Where
//! there is none, the zone is unknown; the item's instants are exact all the same.

use super::series::{self, month, weekday};
use super::zone;
use crate::mailbox::exchange::wire::recurrence::RawRecurrence;
use crate::mailbox::exchange::wire::zone::{RawTransition, RawZone};
use crate::record::recurrence::Ends;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

/// Days between two looks at the clocks of two zones: no zone changes them twice in so short a time.
const STEP: TimeDelta = TimeDelta::days(6);
/// How far the last date of a counted series is looked for.
const FAR: TimeDelta = TimeDelta::days(365 * 100);
/// How long a series without an end is taken to go on.
const ENDLESS: TimeDelta = TimeDelta::days(365 * 20);
/// How much of a series must agree: its end. What a definition says of years long past is often wrong.
const RECENT: TimeDelta = TimeDelta::days(365 * 2);
/// How far around an item the clocks are compared to choose among zones that agree on the item.
const AROUND: TimeDelta = TimeDelta::days(400);

/// From when to when a zone matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// First instant.
    pub from: DateTime<Utc>,
    /// Last one.
    pub to: DateTime<Utc>,
}

impl Reach {
    /// That of an item between these instants, which may be a series by this rule.
    pub fn of(start: DateTime<Utc>, end: DateTime<Utc>, rule: Option<&RawRecurrence>) -> Self {
        let Some(rule) = rule.and_then(series::rule) else {
            return Self { from: start, to: end };
        };
        let last = match rule.ends {
            Ends::On(day) => Some(day),
            Ends::After(count) => {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let far = rule.first.checked_add_signed(FAR).unwrap_or(NaiveDate::MAX);
                rule.days(rule.first, far, count).days.last().copied()
            }
            Ends::Never => None,
        };
        let last = last.map(|day| day.and_time(end.time()).and_utc());
        let to = last.unwrap_or(start + ENDLESS).max(end);
        Self { from: start, to }
    }
}

/// The zone in which a calendar item was made: that of its begin, or else that of its end; by its name, or else by
/// its rules. `home` is preferred where the rules leave a choice.
pub fn made_in(start: &RawZone, end: &RawZone, reach: Reach, home: Option<Tz>) -> Option<Tz> {
    let of = |raw: &RawZone| zone::from_windows(&raw.id).or_else(|| resolve(raw, reach, home));
    of(start).or_else(|| of(end))
}

/// The IANA zone of a definition: where several agree with it, `home`, or else the one that agrees longest.
pub fn resolve(raw: &RawZone, reach: Reach, home: Option<Tz>) -> Option<Tz> {
    let rules = Rules::of(raw)?;
    let recent = Reach {
        from: reach.from.max(reach.to - RECENT),
        to: reach.to,
    };
    let around = Reach {
        from: reach.from - AROUND,
        to: reach.to + AROUND,
    };
    let agrees = |tz: &Tz| rules.disagreements(*tz, recent, 1) == 0;
    if let Some(home) = home.filter(agrees)
        && rules.disagreements(home, around, 1) == 0
    {
        return Some(home);
    }
    let candidates = home.into_iter().chain(named());
    let agreeing = candidates.filter(agrees);
    // The first of the best: home comes first, and then the order of the names decides.
    agreeing.min_by_key(|tz| rules.disagreements(*tz, around, usize::MAX))
}

/// The day on a definition's own clock.
pub fn local_day(raw: &RawZone, instant: DateTime<Utc>) -> Option<NaiveDate> {
    let offset = Rules::of(raw)?.offset_at(instant);
    Some((instant.naive_utc() + TimeDelta::seconds(i64::from(offset))).date())
}

/// True where there are rules at all.
pub fn is_told(raw: &RawZone) -> bool {
    Rules::of(raw).is_some()
}

/// Zones that Windows has a name for that leads back to them.
fn named() -> impl Iterator<Item = Tz> {
    chrono_tz::TZ_VARIANTS
        .iter()
        .copied()
        .filter(|tz| zone::to_windows(*tz).and_then(zone::from_windows) == Some(*tz))
}

/// A definition that makes sense.
struct Rules {
    /// Groups of changes, each with when it begins to hold; in order, the first from ever.
    eras: Vec<(NaiveDateTime, Era)>,
}

/// What holds for some years.
enum Era {
    /// One offset, in seconds east of UTC.
    Fixed(i32),
    /// Changes that come back each year.
    Changing(Vec<Change>),
}

/// A change that comes back each year.
#[derive(Clone, Copy)]
struct Change {
    month: u32,
    day: Day,
    time: TimeDelta,
    /// Offset after it, in seconds east of UTC.
    after: i32,
}

#[derive(Clone, Copy)]
enum Day {
    OfMonth(u32),
    Nth(Weekday, i32),
}

impl Rules {
    fn of(raw: &RawZone) -> Option<Self> {
        let mut eras = Vec::new();
        for transition in &raw.transitions {
            let from = transition.at.unwrap_or(NaiveDateTime::MIN);
            let era = match transition.to_group {
                true => {
                    let (_, group) = raw.groups.iter().find(|(id, _)| *id == transition.to)?;
                    era(raw, group)?
                }
                false => Era::Fixed(offset(raw, &transition.to)?),
            };
            eras.push((from, era));
        }
        eras.sort_by_key(|(from, _)| *from);
        (!eras.is_empty()).then_some(Self { eras })
    }

    /// The offset at an instant, in seconds east of UTC.
    fn offset_at(&self, instant: DateTime<Utc>) -> i32 {
        // An era's begin is a time on the local clock; no clock is more than a day off.
        let now = instant.naive_utc();
        let era = self.eras.iter().rev().find(|(from, _)| *from <= now);
        match era.or(self.eras.first()) {
            Some((_, Era::Fixed(offset))) => *offset,
            Some((_, Era::Changing(changes))) => changing(changes, now),
            None => 0,
        }
    }

    /// How often the clocks of a zone show another time, up to `most`.
    fn disagreements(&self, tz: Tz, reach: Reach, most: usize) -> usize {
        let mut count = 0;
        let mut at = reach.from;
        loop {
            let offset = tz.offset_from_utc_datetime(&at.naive_utc()).fix();
            if offset.local_minus_utc() != self.offset_at(at) {
                count += 1;
                if count >= most {
                    return count;
                }
            }
            if at >= reach.to {
                return count;
            }
            at = (at + STEP).min(reach.to);
        }
    }
}

fn era(raw: &RawZone, group: &[RawTransition]) -> Option<Era> {
    if let [only] = group
        && only.month.is_empty()
    {
        return Some(Era::Fixed(offset(raw, &only.to)?));
    }
    let change = |one: &RawTransition| {
        let month = one.month.trim();
        Some(Change {
            month: month.parse().ok().or_else(|| self::month(month).map(u32::from))?,
            day: match (one.weekday.is_empty(), one.occurrence.trim().parse()) {
                (false, Ok(occurrence)) => Day::Nth(weekday(&one.weekday)?, occurrence),
                _ => Day::OfMonth(one.day.trim().parse().ok()?),
            },
            time: duration(&one.time).unwrap_or_default(),
            after: offset(raw, &one.to)?,
        })
    };
    let changes: Option<Vec<Change>> = group.iter().map(change).collect();
    changes.filter(|changes| !changes.is_empty()).map(Era::Changing)
}

/// The period's offset in seconds east of UTC; its bias counts westward.
fn offset(raw: &RawZone, id: &str) -> Option<i32> {
    let period = raw.periods.iter().find(|period| period.id == id)?;
    let seconds = -duration(&period.bias)?.num_seconds();
    i32::try_from(seconds)
        .ok()
        .filter(|seconds| seconds.abs() < 86_400)
}

/// The offset by the last change before an instant, which may be one of the year before.
fn changing(changes: &[Change], now: NaiveDateTime) -> i32 {
    let mut dated: Vec<(NaiveDateTime, i32)> = (now.year() - 1..=now.year() + 1)
        .flat_map(|year| changes.iter().filter_map(move |change| change.local(year)))
        .collect();
    dated.sort_unstable();
    // A change is told on the clock before it, whose offset is that after the change before.
    let mut before = dated.last().map_or(0, |(_, offset)| *offset);
    let mut current = before;
    for (local, after) in dated {
        if local - TimeDelta::seconds(i64::from(before)) > now {
            break;
        }
        current = after;
        before = after;
    }
    current
}

impl Change {
    /// When it happens in a year, on the clock before it, with the offset after it.
    fn local(&self, year: i32) -> Option<(NaiveDateTime, i32)> {
        let first = NaiveDate::from_ymd_opt(year, self.month, 1)?;
        let day = match self.day {
            Day::OfMonth(day) => NaiveDate::from_ymd_opt(year, self.month, day)?,
            Day::Nth(weekday, occurrence) if (1..=4).contains(&occurrence) => {
                NaiveDate::from_weekday_of_month_opt(
                    year,
                    self.month,
                    weekday,
                    u8::try_from(occurrence).ok()?,
                )?
            }
            // The registry's fifth is the last too.
            Day::Nth(weekday, _) => {
                let next = first.checked_add_months(chrono::Months::new(1))?;
                let last = next.pred_opt()?;
                let back = last.weekday().days_since(weekday);
                last.checked_sub_days(Days::new(u64::from(back)))?
            }
        };
        Some((day.and_hms_opt(0, 0, 0)? + self.time, self.after))
    }
}

/// `xs:duration` of days and times, such as `-PT1H30M`.
fn duration(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut total = TimeDelta::zero();
    let mut digits = String::new();
    for character in rest.strip_prefix('P')?.chars() {
        let seconds = match character {
            'T' => continue,
            'D' => 86_400.0,
            'H' => 3_600.0,
            'M' => 60.0,
            'S' => 1.0,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        let amount: f64 = digits.parse().ok()?;
        digits.clear();
        #[expect(clippy::cast_possible_truncation, reason = "a zone's offset has few seconds")]
        let whole = (amount * seconds) as i64;
        total += TimeDelta::try_seconds(whole)?;
    }
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::exchange::wire::zone::RawPeriod;
    use proptest::prelude::*;

    const HOUR: i32 = 3_600;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn period(id: &str, offset: i32) -> RawPeriod {
        RawPeriod {
            id: id.to_owned(),
            bias: format!("{}PT{}S", if offset > 0 { "-" } else { "" }, offset.abs()),
        }
    }

    fn change(to: &str, month: u32, occurrence: i32, weekday: &str, seconds: i64) -> RawTransition {
        RawTransition {
            to: to.to_owned(),
            month: month.to_string(),
            occurrence: occurrence.to_string(),
            weekday: weekday.to_owned(),
            time: format!("PT{seconds}S"),
            ..RawTransition::default()
        }
    }

    /// A zone with one group of changes that holds for ever.
    fn zone(offsets: [i32; 2], changes: Vec<RawTransition>) -> RawZone {
        RawZone {
            id: "Customized Time Zone".to_owned(),
            periods: vec![period("std", offsets[0]), period("dlt", offsets[1])],
            groups: vec![("0".to_owned(), changes)],
            transitions: vec![RawTransition {
                to: "0".to_owned(),
                to_group: true,
                ..RawTransition::default()
            }],
        }
    }

    fn middle_europe() -> RawZone {
        let changes = vec![
            change("dlt", 3, -1, "Sunday", 7_200),
            change("std", 10, -1, "Sunday", 10_800),
        ];
        zone([HOUR, 2 * HOUR], changes)
    }

    const SUMMER: Reach = Reach {
        from: DateTime::UNIX_EPOCH,
        to: DateTime::UNIX_EPOCH,
    };

    fn day(text: &str) -> Reach {
        let at = at(text);
        Reach { from: at, to: at }
    }

    #[test]
    fn of_zones_that_agree_the_mailboxs_own_is_taken_and_else_always_the_same_one() {
        let raw = middle_europe();
        let reach = day("2026-07-14T10:00:00Z");
        let paris = Some(Tz::Europe__Paris);
        assert_eq!(resolve(&raw, reach, paris), paris);
        assert_eq!(
            resolve(&raw, reach, Some(Tz::America__New_York)),
            Some(Tz::Europe__Berlin)
        );
        assert_eq!(resolve(&raw, reach, None), Some(Tz::Europe__Berlin));
    }

    #[test]
    fn a_definition_with_eras_changes_its_clocks_as_each_era_says() {
        let mut raw = middle_europe();
        raw.transitions.push(RawTransition {
            to: "std".to_owned(),
            at: at("2030-01-01T00:00:00Z").naive_utc().into(),
            ..RawTransition::default()
        });
        let rules = Rules::of(&raw).expect("rules");
        let told = [
            "2026-03-29T00:59:59Z",
            "2026-03-29T01:00:00Z",
            "2026-10-25T00:59:59Z",
            "2026-10-25T01:00:00Z",
            "2031-07-01T00:00:00Z",
        ];
        let hours: Vec<i32> = told.iter().map(|text| rules.offset_at(at(text)) / HOUR).collect();
        assert_eq!(hours, [1, 2, 2, 1, 1]);
        assert_eq!(
            local_day(&raw, at("2026-07-14T22:30:00Z")),
            NaiveDate::from_ymd_opt(2026, 7, 15)
        );
    }

    #[test]
    fn rules_that_no_place_has_are_no_zone_and_so_is_nonsense() {
        let mut odd = middle_europe();
        odd.periods = vec![period("std", HOUR + 1_500), period("dlt", 2 * HOUR + 1_500)];
        assert_eq!(
            resolve(&odd, day("2026-07-14T10:00:00Z"), Some(Tz::Europe__Berlin)),
            None
        );
        assert!(is_told(&odd));
        for broken in [
            RawZone::default(),
            RawZone {
                periods: Vec::new(),
                ..middle_europe()
            },
            RawZone {
                groups: Vec::new(),
                ..middle_europe()
            },
        ] {
            assert_eq!(resolve(&broken, SUMMER, Some(Tz::UTC)), None);
            assert!(!is_told(&broken));
        }
    }

    #[test]
    fn durations_of_every_shape_are_read() {
        let read = |text| duration(text).map(|length| length.num_seconds());
        assert_eq!(read("-PT1H"), Some(-3_600));
        assert_eq!(read("PT2H0M0.0S"), Some(7_200));
        assert_eq!(read("P0DT120M"), Some(7_200));
        assert_eq!(read("two hours"), None);
    }

    /// The changes of a zone's clocks in a year, as a definition tells them; none where they follow no yearly rule.
    fn told(tz: Tz, year: i32) -> Option<RawZone> {
        let start = NaiveDate::from_ymd_opt(year, 1, 1)?
            .and_hms_opt(0, 0, 0)?
            .and_utc();
        let offset = |instant: DateTime<Utc>| {
            tz.offset_from_utc_datetime(&instant.naive_utc())
                .fix()
                .local_minus_utc()
        };
        let mut changes = Vec::new();
        let mut offsets = vec![offset(start)];
        for quarter in 0..366 * 96 {
            let (before, after) = (
                start + TimeDelta::minutes(15 * quarter),
                start + TimeDelta::minutes(15 * quarter + 15),
            );
            if offset(before) == offset(after) {
                continue;
            }
            let local = after.naive_utc() + TimeDelta::seconds(i64::from(offset(before)));
            let last = (local.date() + TimeDelta::days(7)).month() != local.month();
            let nth = i32::try_from(local.day().div_ceil(7)).ok()?;
            offsets.push(offset(after));
            let (id, weekday) = (format!("p{}", offsets.len() - 1), local.weekday());
            let name = [
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ]
            .get(weekday.num_days_from_monday() as usize)?;
            let seconds = (local - local.date().and_hms_opt(0, 0, 0)?).num_seconds();
            changes.push(change(
                &id,
                local.month(),
                if last { -1 } else { nth },
                name,
                seconds,
            ));
        }
        if changes.is_empty() {
            changes.push(RawTransition {
                to: "p0".to_owned(),
                ..RawTransition::default()
            });
        }
        let mut raw = zone([0, 0], changes);
        raw.periods = offsets
            .iter()
            .enumerate()
            .map(|(at, offset)| period(&format!("p{at}"), *offset))
            .collect();
        Some(raw)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_zone_that_is_told_by_its_rules_shows_the_same_time_as_the_one_that_is_found(
            tz in proptest::sample::select(named().collect::<Vec<_>>()), day in 0_i64..365, hour in 0_i64..24
        ) {
            let raw = told(tz, 2026).expect("a definition");
            let start = at("2026-01-01T00:00:00Z") + TimeDelta::hours(24 * day + hour);
            let reach = Reach { from: start, to: start + TimeDelta::hours(1) };
            let found = resolve(&raw, reach, None);
            prop_assert!(found.is_some(), "{tz}");
            let clock = |tz: Tz| start.with_timezone(&tz).naive_local();
            prop_assert_eq!(found.map(clock), Some(clock(tz)));
        }
    }
}
