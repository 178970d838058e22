//! Time zones as EWS writes them: a Windows name, sometimes with a definition beside it. Resolved
//! to the IANA database through CLDR's table; a zone of a client's own making falls back to the
//! bias of its first period.

use chrono::{DateTime, Duration, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeZone, Utc};
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
}

/// The rules behind a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// A zone of the IANA database.
    Named(Tz),
    /// An offset that never changes.
    Fixed(FixedOffset),
}

impl Zone {
    /// The zone of an IANA name.
    pub fn iana(tz: Tz) -> Zone {
        let id = localzone::iana_to_win_zone(tz.name()).map_or("UTC", |(windows, _)| windows);
        Zone {
            id: id.to_owned(),
            name: String::new(),
            bias_minutes: None,
        }
    }

    /// A zone by its Windows name.
    pub fn windows(id: impl Into<String>) -> Zone {
        Zone {
            id: id.into(),
            name: String::new(),
            bias_minutes: None,
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
        FixedOffset::east_opt(self.bias_minutes? * 60).map(Rules::Fixed)
    }

    /// The display name: the client's own, or one made in Windows' way.
    pub fn display_name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let minutes = match self.rules() {
            Some(Rules::Named(tz)) => base_offset(tz).num_minutes(),
            Some(Rules::Fixed(offset)) => i64::from(offset.local_minus_utc() / 60),
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
            Rules::Named(tz) => instant.with_timezone(&tz).naive_local(),
        }
    }

    /// Offset from UTC at an instant, in seconds.
    pub fn offset_seconds(self, instant: DateTime<Utc>) -> i32 {
        match self {
            Rules::Fixed(offset) => offset.local_minus_utc(),
            Rules::Named(tz) => tz
                .offset_from_utc_datetime(&instant.naive_utc())
                .fix()
                .local_minus_utc(),
        }
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
