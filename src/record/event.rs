//! A meeting or an appointment.

use super::person::Person;
use crate::foundation::content::Content;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// When it takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// From one instant to another.
    Timed {
        /// First instant.
        start: DateTime<Utc>,
        /// First instant after it; never before `start`.
        end: DateTime<Utc>,
    },
    /// Whole days, which belong to no zone: a birthday does not shift when its owner travels.
    AllDay {
        /// First day.
        first: NaiveDate,
        /// Last day, inclusive; never before `first`.
        last: NaiveDate,
    },
}

impl When {
    /// From its first instant to the first after it; whole days as they are in UTC.
    pub fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Timed { start, end } => (*start, *end),
            Self::AllDay { first, last } => {
                let midnight = |day: &NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
                (midnight(first), midnight(last) + TimeDelta::days(1))
            }
        }
    }
}

/// How the time shows to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ShowAs {
    /// Free.
    Free,
    /// Perhaps busy.
    Tentative,
    /// Busy.
    #[default]
    Busy,
    /// Away.
    OutOfOffice,
}

/// Who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sensitivity {
    /// Anybody who may see the calendar.
    #[default]
    Normal,
    /// Marked personal.
    Personal,
    /// Marked private.
    Private,
    /// Marked confidential.
    Confidential,
}

impl Sensitivity {
    /// True where the owner asked that others do not see it.
    pub fn is_private(self) -> bool {
        self != Self::Normal
    }
}

/// Part an attendee plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// Must come.
    Required,
    /// May come.
    Optional,
    /// A room or a thing.
    Resource,
}

/// What an attendee answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Response {
    /// Nothing yet.
    #[default]
    None,
    /// Perhaps.
    Tentative,
    /// Yes.
    Accepted,
    /// No.
    Declined,
}

/// Somebody who is asked to come.
#[derive(Clone, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Person,
    /// As what.
    pub attendance: Attendance,
    /// And the answer.
    pub response: Response,
}

/// A distribution list that was asked to come, and who is behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// The list's address, which is among the attendees too.
    pub key: Content<String>,
    /// Its members, lists within it taken apart as far as the server tells.
    pub members: Vec<Person>,
    /// Lists, itself or within it, whose members the server does not tell.
    pub hidden: usize,
}

/// What a calendar item is within a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Place {
    /// It stands alone.
    #[default]
    Single,
    /// The rule of a series.
    Master,
    /// One date of a series, moved or changed or as the rule says; nobody knows which.
    Occurrence,
    /// The same, with the day on which the rule sets it.
    Dated(NaiveDate),
}

/// A meeting or an appointment.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// The identity that all copies of a meeting share (CleanGlobalObjectId, or its like); opaque bytes.
    pub meeting_id: Option<Vec<u8>>,
    /// Alone, or part of a series.
    pub place: Place,
    /// Title.
    pub subject: Content<String>,
    /// Description as plain text.
    pub body: Content<String>,
    /// Where.
    pub location: Content<String>,
    /// When.
    pub when: When,
    /// The IANA zone in which it was made; `None` where the source names none.
    pub zone: Option<chrono_tz::Tz>,
    /// How it shows.
    pub show_as: ShowAs,
    /// Who may see it.
    pub sensitivity: Sensitivity,
    /// Minutes before the start; `None` without a reminder.
    pub reminder_minutes: Option<u32>,
    /// True on the organiser's own copy, and on an appointment without attendees.
    pub is_organizer: bool,
    /// Who called it; `None` for an appointment.
    pub organizer: Option<Person>,
    /// Who was asked.
    pub attendees: Vec<Attendee>,
    /// The distribution lists among them.
    pub groups: Vec<Group>,
    /// True once the organiser has called it off.
    pub cancelled: bool,
}
