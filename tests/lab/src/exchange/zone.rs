//! Time zones as EWS writes them: a Windows name, sometimes with a definition beside it. Resolved
//! to the IANA database through CLDR's table; a zone of a client's own making falls back to the
//! bias of its first period.

use chrono::{
    DateTime, Datelike, Duration, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A zone as a client named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// A Windows zone name, or a name of the client's own.
    pub id: String,
    /// The client's display name, empty when none was given.
    pub name: String,
    /// Offset from UTC in minutes out of an inline definition, for zones CLDR does not know.
    pub bias_minutes: Option<i32>,
    /// The rules of an inline definition whose clocks change twice a year, for such zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changing: Option<Changing>,
}

/// Clocks that change twice a year, always by the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changing {
    /// The earlier change of a year.
    pub spring: Change,
    /// The later one.
    pub autumn: Change,
}

impl Changing {
    /// The last change before an instant, each told on the clock before it.
    fn offset_at(self, instant: DateTime<Utc>) -> i32 {
        let year = instant.year();
        let begins = |change: Change, before: i32| {
            let local = change.in_year(year);
            local.map(|local| {
                DateTime::<Utc>::from_naive_utc_and_offset(local, Utc) - Duration::seconds(i64::from(before))
            })
        };
        let spring = begins(self.spring, self.autumn.after);
        let autumn = begins(self.autumn, self.spring.after);
        match (spring, autumn) {
            (Some(spring), Some(autumn)) if spring <= instant && instant < autumn => self.spring.after,
            _ => self.autumn.after,
        }
    }
}

/// The rules behind a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// A zone of the IANA database.
    Named(Tz),
    /// An offset that never changes.
    Fixed(FixedOffset),
    /// Rules of a client's own.
    Changing(Changing),
}

impl Zone {
    /// The zone of an IANA name.
    pub fn iana(tz: Tz) -> Zone {
        let id = localzone::iana_to_win_zone(tz.name()).map_or("UTC", |(windows, _)| windows);
        Zone {
            id: id.to_owned(),
            name: String::new(),
            bias_minutes: None,
            changing: None,
        }
    }

    /// A zone by its Windows name.
    pub fn windows(id: impl Into<String>) -> Zone {
        Zone {
            id: id.into(),
            name: String::new(),
            bias_minutes: None,
            changing: None,
        }
    }

    /// The rules; none for a name nobody knows that came without a definition.
    pub fn rules(&self) -> Option<Rules> {
        if matches!(self.id.as_str(), "tzone://Microsoft/Utc" | "UTC" | "") {
            return Some(Rules::Named(Tz::UTC));
        }
        if let Some(name) = localzone::win_zone_to_iana(&self.id, Some("001"))
            && let Ok(tz) = name.parse()
        {
            return Some(Rules::Named(tz));
        }
        if let Ok(tz) = self.id.parse() {
            return Some(Rules::Named(tz));
        }
        if let Some(changing) = self.changing {
            return Some(Rules::Changing(changing));
        }
        FixedOffset::east_opt(self.bias_minutes? * 60).map(Rules::Fixed)
    }

    /// Whether it is a zone of a client's own making, which is known by its rules alone.
    pub fn is_own(&self) -> bool {
        matches!(self.rules(), Some(Rules::Fixed(_) | Rules::Changing(_)))
    }

    /// The display name: the client's own, or one made in Windows' way.
    pub fn display_name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let minutes = match self.rules() {
            Some(Rules::Named(tz)) => base_offset(tz).num_minutes(),
            Some(Rules::Fixed(offset)) => i64::from(offset.local_minus_utc() / 60),
            Some(Rules::Changing(rules)) => i64::from(rules.spring.after.min(rules.autumn.after) / 60),
            None => 0,
        };
        if minutes == 0 {
            return format!("(UTC) {}", self.id);
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        format!(
            "(UTC{sign}{:02}:{:02}) {}",
            minutes.abs() / 60,
            minutes.abs() % 60,
            self.id
        )
    }
}

/// The standard (not daylight) offset, taken at the middle of either half of a recent year.
fn base_offset(tz: Tz) -> Duration {
    let at = |month| {
        let instant = Utc.with_ymd_and_hms(2026, month, 15, 12, 0, 0).single();
        instant.map_or(0, |instant| {
            tz.offset_from_utc_datetime(&instant.naive_utc())
                .fix()
                .local_minus_utc()
        })
    };
    Duration::seconds(i64::from(at(1).min(at(7))))
}

impl Rules {
    /// The instant of a wall-clock time. A time that the clocks skip is read with the offset before
    /// the change; one that they repeat is the first of the two.
    pub fn to_utc(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Rules::Fixed(offset) => DateTime::from_naive_utc_and_offset(local - offset, Utc),
            // The earlier of two readings that the clocks agree with; where they skip the time, the offset before.
            Rules::Changing(rules) => {
                let read = |offset: i32| {
                    DateTime::from_naive_utc_and_offset(local - Duration::seconds(i64::from(offset)), Utc)
                };
                let mut offsets = [rules.spring.after, rules.autumn.after];
                offsets.sort_unstable_by_key(|offset| -offset);
                let fits = offsets
                    .into_iter()
                    .find(|offset| rules.offset_at(read(*offset)) == *offset);
                read(fits.unwrap_or_else(|| rules.offset_at(read(0) - Duration::days(1))))
            }
            Rules::Named(tz) => match tz.from_local_datetime(&local) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.with_timezone(&Utc),
                LocalResult::None => {
                    let before = tz.offset_from_utc_datetime(&(local - Duration::days(1))).fix();
                    DateTime::from_naive_utc_and_offset(local - before, Utc)
                }
            },
        }
    }

    /// The wall-clock time of an instant.
    pub fn to_local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Rules::Fixed(offset) => instant.with_timezone(&offset).naive_local(),
            Rules::Changing(rules) => {
                instant.naive_utc() + Duration::seconds(i64::from(rules.offset_at(instant)))
            }
            Rules::Named(tz) => instant.with_timezone(&tz).naive_local(),
        }
    }

    /// Offset from UTC at an instant, in seconds.
    pub fn offset_seconds(self, instant: DateTime<Utc>) -> i32 {
        match self {
            Rules::Fixed(offset) => offset.local_minus_utc(),
            Rules::Changing(rules) => rules.offset_at(instant),
            Rules::Named(tz) => tz
                .offset_from_utc_datetime(&instant.naive_utc())
                .fix()
                .local_minus_utc(),
        }
    }
}

/// A change of a zone's clocks, in the terms of a rule that comes back each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Month, from 1.
    pub month: u32,
    /// Day of the week.
    pub weekday: Weekday,
    /// Which of these days in the month, from 1; -1 is the last.
    pub occurrence: i32,
    /// Minute of the day on the clock before the change.
    pub minute_of_day: u32,
    /// Offset from UTC after the change, in seconds.
    pub after: i32,
}

impl Change {
    /// The weekday as the schema spells it.
    pub fn day_name(self) -> &'static str {
        match self.weekday {
            Weekday::Sun => "Sunday",
            Weekday::Mon => "Monday",
            Weekday::Tue => "Tuesday",
            Weekday::Wed => "Wednesday",
            Weekday::Thu => "Thursday",
            Weekday::Fri => "Friday",
            Weekday::Sat => "Saturday",
        }
    }

    /// When it happens in a year, on the clock before it.
    fn in_year(self, year: i32) -> Option<NaiveDateTime> {
        let first = NaiveDate::from_ymd_opt(year, self.month, 1)?;
        let day = match u8::try_from(self.occurrence) {
            Ok(nth @ 1..=4) => NaiveDate::from_weekday_of_month_opt(year, self.month, self.weekday, nth)?,
            _ => {
                let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
                last - Duration::days(i64::from(last.weekday().days_since(self.weekday)))
            }
        };
        Some(day.and_time(NaiveTime::MIN) + Duration::minutes(i64::from(self.minute_of_day)))
    }

    fn new(local: NaiveDateTime, after: i32) -> Change {
        let days_left = (local.date() + Duration::days(7)).month() != local.month();
        let occurrence = i32::try_from(local.day().div_ceil(7)).unwrap_or(1);
        Change {
            month: local.month(),
            weekday: local.weekday(),
            occurrence: if days_left { -1 } else { occurrence },
            minute_of_day: local.hour() * 60 + local.minute(),
            after,
        }
    }
}

impl Rules {
    /// Offset from UTC at the beginning of a year, in seconds.
    pub fn offset_at_start_of(self, year: i32) -> i32 {
        NaiveDate::from_ymd_opt(year, 1, 1)
            .map(|day| day.and_time(NaiveTime::MIN).and_utc())
            .map_or(0, |instant| self.offset_seconds(instant))
    }

    /// The changes of the clocks within a year, found hour by hour around each day that differs.
    pub fn changes(self, year: i32) -> Vec<Change> {
        let Some(first) = NaiveDate::from_ymd_opt(year, 1, 1) else {
            return Vec::new();
        };
        let start = first.and_time(NaiveTime::MIN).and_utc();
        let mut changes = Vec::new();
        for day in 0..366 {
            let day = start + Duration::days(day);
            if self.offset_seconds(day) == self.offset_seconds(day + Duration::days(1)) {
                continue;
            }
            let before = self.offset_seconds(day);
            let quarter = (1..=96)
                .map(|quarter| day + Duration::minutes(15 * quarter))
                .find(|instant| self.offset_seconds(*instant) != before);
            if let Some(instant) = quarter {
                let local = instant.naive_utc() + Duration::seconds(i64::from(before));
                changes.push(Change::new(local, self.offset_seconds(instant)));
            }
        }
        changes
    }
}

/// All Windows zones that CLDR maps from the IANA database, sorted by name.
pub fn all() -> Vec<Zone> {
    let names: std::collections::BTreeSet<&str> = chrono_tz::TZ_VARIANTS
        .iter()
        .filter_map(|tz| localzone::iana_to_win_zone(tz.name()).map(|(windows, _)| windows))
        .collect();
    names.into_iter().map(Zone::windows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn berlin_changes_its_clocks_on_last_sundays() {
        let changes = Rules::Named(chrono_tz::Europe::Berlin).changes(2026);
        let told: Vec<_> = changes
            .iter()
            .map(|change| {
                (
                    change.month,
                    change.occurrence,
                    change.minute_of_day,
                    change.after,
                )
            })
            .collect();
        assert_eq!(told, [(3, -1, 120, 7200), (10, -1, 180, 3600)]);
    }

    #[test]
    fn a_zone_nobody_knows_falls_back_to_its_bias() {
        let zone = Zone {
            id: "Ours".into(),
            name: String::new(),
            bias_minutes: Some(90),
            changing: None,
        };
        let noon = NaiveDate::from_ymd_opt(2026, 7, 1)
            .unwrap()
            .and_hms_opt(12, 0, 0)
            .unwrap();
        assert_eq!(
            zone.rules().unwrap().to_utc(noon).to_rfc3339(),
            "2026-07-01T10:30:00+00:00"
        );
    }
}
