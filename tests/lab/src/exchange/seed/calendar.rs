//! Calendars: appointments, meetings with colleagues and outsiders, all-day and multi-day
//! events, private ones, and series with exceptions.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::super::field::Field;
use super::super::folder::DistinguishedFolder;
use super::super::item::{Exception, Item, Kind};
use super::super::recurrence::{Day, Ends, Index, Pattern, Recurrence};
use super::super::value::Attendee;
use super::super::world::World;
use super::super::zone::{Rules, Zone};
use super::{Party, Purpose, body, colleagues, outsider, rng, share};
use crate::cast::{Cast, Person};
use crate::text;

/// A meeting request for the inbox of somebody who has not answered yet.
pub(super) struct Request {
    pub mailbox: usize,
    pub item: Item,
}

/// Fills the calendars; gives the meeting requests that belong in inboxes.
pub(super) fn seed(world: &World, items_per_person: usize) -> Vec<Request> {
    let cast = &world.cast;
    let mut rng = rng(cast, Purpose::Calendar);
    let mut requests = Vec::new();
    for (index, person) in cast.people.iter().enumerate() {
        let mut calendar = Calendar {
            cast,
            rng: &mut rng,
            index,
            person,
        };
        for number in 0..share(items_per_person, 34) {
            let meeting = calendar.meeting(number);
            requests.extend(meeting.place(world));
        }
    }
    requests
}

/// Makes the entries that one person organises or was asked to by an outsider.
struct Calendar<'a> {
    cast: &'a Cast,
    rng: &'a mut ChaCha8Rng,
    index: usize,
    person: &'a Person,
}

/// One meeting or appointment, before it is placed in calendars.
struct Meeting<'a> {
    /// What all copies have in common.
    item: Item,
    organizer: Party<'a>,
    /// Who was asked, and their answer.
    attendees: Vec<(Party<'a>, &'static str)>,
    /// Moved occurrences: original start, new start.
    moved: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Original starts of the occurrences taken out.
    deleted: Vec<DateTime<Utc>>,
}

impl<'a> Calendar<'a> {
    /// The kinds take turns, so that small calendars have some of each too.
    fn meeting(&mut self, number: usize) -> Meeting<'a> {
        let me = Party::Inside(self.index, self.person);
        let plain = |item| Meeting {
            item,
            organizer: me,
            attendees: Vec::new(),
            moved: Vec::new(),
            deleted: Vec::new(),
        };
        match number % 17 {
            0 => {
                let mut meeting = self.series(number);
                meeting.attendees = self.asked(2, 1);
                meeting
            }
            1 | 9 => {
                let attendees = self.asked(3, 0);
                Meeting {
                    attendees,
                    ..plain(self.timed(1))
                }
            }
            2 | 5 | 12 => {
                let attendees = self.asked(0, 2);
                Meeting {
                    attendees,
                    ..plain(self.timed(1))
                }
            }
            3 => plain(self.days(1, "Free")),
            4 => plain(self.days(3, "OOF")),
            6 | 13 => plain(self.timed(1).with(Field::Sensitivity, "Private")),
            7 => Meeting {
                organizer: outsider(self.cast, self.rng),
                attendees: vec![(me, "Accept")],
                ..plain(self.timed(2))
            },
            8 => {
                let series = self.series(number);
                Meeting {
                    attendees: Vec::new(),
                    ..series
                }
            }
            10 => plain(self.timed(50)),
            _ => plain(self.timed(1)),
        }
    }

    /// Colleagues and outsiders with their answers.
    fn asked(&mut self, inside: usize, outside: usize) -> Vec<(Party<'a>, &'static str)> {
        let mut parties = colleagues(self.cast, self.rng, self.index, inside);
        parties.extend((0..outside).map(|_| outsider(self.cast, self.rng)));
        let answers = ["Accept", "Accept", "Accept", "Tentative", "Unknown", "Decline"];
        parties
            .into_iter()
            .map(|party| (party, answers[self.rng.random_range(0..answers.len())]))
            .collect()
    }

    fn zone(&self) -> (Zone, Rules) {
        (Zone::iana(self.person.zone), Rules::Named(self.person.zone))
    }

    fn day(&mut self) -> NaiveDate {
        let now = self.cast.start.with_timezone(&self.person.zone).date_naive();
        now + Duration::days(self.rng.random_range(-60..90))
    }

    fn item(&mut self, start: DateTime<Utc>, end: DateTime<Utc>) -> Item {
        let created = start.min(self.cast.start) - Duration::days(self.rng.random_range(1..15));
        Item::new(Kind::CalendarItem)
            .with(Field::Subject, text::subject(self.rng))
            .with(Field::Body, body(self.rng, 2))
            .with(Field::Location, text::sentence(self.rng))
            .with(Field::Start, start)
            .with(Field::End, end)
            .with(Field::IsAllDayEvent, false)
            .with(Field::LegacyFreeBusyStatus, "Busy")
            .with(Field::StartTimeZone, self.zone().0)
            .with(Field::EndTimeZone, self.zone().0)
            .with(Field::ReminderIsSet, true)
            .with(Field::ReminderMinutesBeforeStart, 15)
            .with(Field::Uid, uid(self.rng, created))
            .with(Field::DateTimeCreated, created)
            .with(Field::DateTimeStamp, created)
    }

    /// In working hours on the quarter of an hour, for half an hour to two hours times `length`.
    fn timed(&mut self, length: i32) -> Item {
        let start =
            NaiveTime::from_hms_opt(self.rng.random_range(8..17), 15 * self.rng.random_range(0..4), 0);
        let start = self
            .zone()
            .1
            .to_utc(self.day().and_time(start.unwrap_or(NaiveTime::MIN)));
        let minutes = 30 * self.rng.random_range(1..5);
        self.item(start, start + Duration::minutes(minutes) * length)
    }

    /// All-day events run from midnight to midnight of the person's zone.
    fn days(&mut self, count: i64, status: &str) -> Item {
        let (day, rules) = (self.day(), self.zone().1);
        let midnight = |day: NaiveDate| rules.to_utc(day.and_time(NaiveTime::MIN));
        self.item(midnight(day), midnight(day + Duration::days(count)))
            .with(Field::IsAllDayEvent, true)
            .with(Field::LegacyFreeBusyStatus, status)
            .with(Field::ReminderIsSet, false)
    }

    /// A series with one occurrence moved by an hour and one taken out.
    fn series(&mut self, number: usize) -> Meeting<'a> {
        let rules = self.zone().1;
        let first = self.cast.start.date_naive() - Duration::days(self.rng.random_range(20..50));
        let pattern = match number % 3 {
            0 => Pattern::Weekly {
                interval: 1,
                days: vec![Day::of(first)],
                first_day: Some(Day::Monday),
            },
            1 => Pattern::RelativeMonthly {
                interval: 1,
                days: Day::Tuesday,
                index: Index::Second,
            },
            _ => Pattern::Daily { interval: 2 },
        };
        let ends = [
            Ends::After(15),
            Ends::Never,
            Ends::On(first + Duration::days(120)),
        ][number % 2 + number % 3 / 2];
        let time = NaiveTime::from_hms_opt(self.rng.random_range(8..16), 30, 0).unwrap_or(NaiveTime::MIN);
        let recurrence = Recurrence {
            pattern,
            start: first,
            ends,
        };
        let window = (
            rules.to_utc(first.and_time(NaiveTime::MIN)),
            self.cast.start + Duration::days(200),
        );
        let starts = recurrence.starts(rules, time, Some(window.0), Some(window.1));
        let start = starts.first().copied().unwrap_or(window.0);
        let recurrence = Recurrence {
            start: rules.to_local(start).date(),
            ..recurrence
        };
        let item = self
            .item(start, start + Duration::minutes(45))
            .with(Field::Recurrence, recurrence);
        Meeting {
            item,
            organizer: Party::Inside(self.index, self.person),
            attendees: Vec::new(),
            moved: starts
                .get(4)
                .map(|start| (*start, *start + Duration::hours(1)))
                .into_iter()
                .collect(),
            deleted: starts.get(2).copied().into_iter().collect(),
        }
    }
}

impl Meeting<'_> {
    /// Puts a copy in the calendar of everybody inside who takes part.
    fn place(&self, world: &World) -> Vec<Request> {
        let mut requests = Vec::new();
        if let Some(mailbox) = self.organizer.mailbox() {
            world.seed_item(mailbox, DistinguishedFolder::Calendar, self.organizers_copy());
        }
        for (party, answer) in &self.attendees {
            let Some(mailbox) = party.mailbox() else { continue };
            if *answer != "Decline" {
                world.seed_item(
                    mailbox,
                    DistinguishedFolder::Calendar,
                    self.attendees_copy(answer),
                );
            }
            if *answer == "Unknown" {
                requests.push(Request {
                    mailbox,
                    item: self.request(*party),
                });
            }
        }
        requests
    }

    fn organizers_copy(&self) -> Item {
        let mut item = self.item.clone().with(Field::Organizer, self.organizer.address());
        if self.attendees.is_empty() {
            item.set(Field::IsMeeting, false);
            item.set(Field::MyResponseType, "Unknown");
            item.set(Field::AppointmentState, 0);
        } else {
            item.set(Field::IsMeeting, true);
            item.set(Field::MeetingRequestWasSent, true);
            item.set(Field::MyResponseType, "Organizer");
            item.set(Field::AppointmentState, 1);
            item.set(Field::RequiredAttendees, self.list(true));
        }
        self.with_exceptions(item)
    }

    /// Attendees do not learn each other's answers.
    fn attendees_copy(&self, answer: &str) -> Item {
        let answer = if answer == "Unknown" {
            "NoResponseReceived"
        } else {
            answer
        };
        let mut item = self
            .item
            .clone()
            .with(Field::Organizer, self.organizer.address())
            .with(Field::IsMeeting, true)
            .with(Field::MeetingRequestWasSent, true)
            .with(Field::IsResponseRequested, true)
            .with(Field::AppointmentState, 3)
            .with(Field::MyResponseType, answer)
            .with(Field::RequiredAttendees, self.list(false));
        if answer == "NoResponseReceived" {
            item.set(Field::LegacyFreeBusyStatus, "Tentative");
        } else if let Some(created) = item.time(Field::DateTimeCreated) {
            item.set(Field::AppointmentReplyTime, created + Duration::hours(5));
        }
        self.with_exceptions(item)
    }

    fn list(&self, with_answers: bool) -> Vec<Attendee> {
        let answered = self
            .item
            .time(Field::DateTimeCreated)
            .map(|created| created + Duration::hours(5));
        let attendee = |(party, answer): &(Party<'_>, &'static str)| {
            let mut attendee = Attendee::new(party.address());
            if with_answers && *answer != "Unknown" {
                attendee.response = (*answer).to_owned();
                attendee.answered = answered;
            }
            attendee
        };
        self.attendees.iter().map(attendee).collect()
    }

    fn with_exceptions(&self, mut item: Item) -> Item {
        let length = match (item.time(Field::Start), item.time(Field::End)) {
            (Some(start), Some(end)) => end - start,
            _ => Duration::zero(),
        };
        item.deleted = self.deleted.clone();
        let mut plain = item.clone();
        plain.unset(Field::Recurrence);
        plain.deleted.clear();
        let exception = |(original, start): &(DateTime<Utc>, DateTime<Utc>)| Exception {
            original: *original,
            item: plain
                .clone()
                .with(Field::Subject, format!("{} (moved)", plain.text(Field::Subject)))
                .with(Field::Start, *start)
                .with(Field::End, *start + length),
        };
        item.exceptions = self.moved.iter().map(exception).collect();
        item
    }

    fn request(&self, to: Party<'_>) -> Item {
        let sent = self
            .item
            .time(Field::DateTimeCreated)
            .unwrap_or(DateTime::UNIX_EPOCH);
        let mut item = self.attendees_copy("Unknown");
        item.exceptions.clear();
        item.deleted.clear();
        item.kind = Kind::MeetingRequest;
        for field in [
            Field::MyResponseType,
            Field::ReminderIsSet,
            Field::ReminderMinutesBeforeStart,
        ] {
            item.unset(field);
        }
        item.with(Field::ItemClass, Kind::MeetingRequest.item_class())
            .with(Field::From, self.organizer.address())
            .with(Field::Sender, self.organizer.address())
            .with(Field::ToRecipients, vec![to.address()])
            .with(Field::DateTimeSent, sent)
            .with(Field::DateTimeReceived, sent)
            .with(Field::MeetingRequestType, "NewMeetingRequest")
            .with(Field::IntendedFreeBusyStatus, "Busy")
            .with(Field::ResponseType, "NoResponseReceived")
            .with(Field::IsRead, false)
    }
}

/// The hexadecimal GlobalObjectId of a meeting made at `created` ([MS-OXOCAL] 2.2.1.27).
fn uid(rng: &mut ChaCha8Rng, created: DateTime<Utc>) -> String {
    const EPOCH_DIFFERENCE_S: i64 = 11_644_473_600;
    let file_time = (created.timestamp() + EPOCH_DIFFERENCE_S) * 10_000_000;
    let stamp: String = file_time
        .to_le_bytes()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let unique: u128 = rng.random();
    format!("040000008200E00074C5B7101A82E00800000000{stamp}000000000000000010000000{unique:032X}")
}
