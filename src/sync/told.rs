//! How many people the organiser's mail server mails of what is written to a meeting, and of what. Pure.

use crate::foundation::content::Content;
use crate::mailbox::model::Notify;
use crate::record::Record;
use crate::record::event::Event;
use crate::record::field::{Field, FieldSet};
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::HashSet;
use std::ops::AddAssign;

/// How many people learn what. A distribution list that the mail server does not take apart counts as one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// They are asked to a meeting.
    pub invitations: usize,
    /// It was moved or renamed, is elsewhere, or others are asked to it as well.
    pub changes: usize,
    /// It does not take place, or they are not asked any more.
    pub cancellations: usize,
}

/// By when and for whom something is news.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The instant at which it is judged.
    pub now: DateTime<Utc>,
    /// The organiser, who is told of nothing.
    pub owner: &'a Content<String>,
}

/// The fields of whose change people are told.
const TOLD: FieldSet = FieldSet::of(&[Field::Subject, Field::Location, Field::When, Field::Attendees]);

impl Told {
    /// Of a new meeting.
    pub fn of_create(meeting: &Record, reader: Reader<'_>) -> Self {
        match concerns(meeting, reader.now) {
            Some(event) => Self {
                invitations: reader.asked(event, event).len(),
                ..Self::default()
            },
            None => Self::default(),
        }
    }

    /// Of a meeting that was like this before and of which these fields are written as in that.
    pub fn of_update(before: &Record, after: &Record, fields: FieldSet, reader: Reader<'_>) -> Self {
        let either = concerns(before, reader.now)
            .or(concerns(after, reader.now))
            .is_some();
        let (Record::Event(was), Record::Event(is)) = (before, after) else {
            return Self::default();
        };
        if !was.is_organizer || !either || fields.and(TOLD).is_empty() {
            return Self::default();
        }
        let old = reader.asked(was, was);
        let new = match fields.has(Field::Attendees) {
            true => reader.asked(is, was),
            false => old.clone(),
        };
        Self {
            invitations: new.difference(&old).count(),
            changes: new.intersection(&old).count(),
            cancellations: old.difference(&new).count(),
        }
    }

    /// Of the end of a meeting.
    pub fn of_deletion(meeting: &Record, reader: Reader<'_>) -> Self {
        Self {
            cancellations: Self::of_create(meeting, reader).invitations,
            ..Self::default()
        }
    }

    /// True where nobody is told.
    pub fn is_nobodys(&self) -> bool {
        *self == Self::default()
    }

    /// What the mail server is asked to do.
    pub fn notify(&self) -> Notify {
        match self.is_nobodys() {
            true => Notify::Nobody,
            false => Notify::Attendees,
        }
    }

    /// In words, as far as there is any: `invitation to 2 people, cancellation to 1 person`.
    pub fn words(&self) -> String {
        let sorts = [
            ("invitation", self.invitations),
            ("change", self.changes),
            ("cancellation", self.cancellations),
        ];
        let said = sorts.into_iter().filter(|(_, count)| *count > 0);
        let said = said.map(|(word, count)| match count {
            1 => format!("{word} to 1 person"),
            _ => format!("{word} to {count} people"),
        });
        said.collect::<Vec<_>>().join(", ")
    }
}

impl AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.invitations += other.invitations;
        self.changes += other.changes;
        self.cancellations += other.cancellations;
    }
}

impl Reader<'_> {
    /// Who is asked to a meeting: those behind its lists in place of the lists, where `lists` says who that is. What the
    /// CRM says of a meeting knows no lists.
    fn asked(&self, event: &Event, lists: &Event) -> HashSet<Content<String>> {
        let mut asked: HashSet<Content<String>> = HashSet::new();
        asked.extend(event.attendees.iter().map(|one| one.person.key()));
        for group in &lists.groups {
            let present = asked.contains(&group.key);
            if present && group.hidden == 0 {
                asked.remove(&group.key);
            }
            if present {
                asked.extend(group.members.iter().map(Person::key));
            }
        }
        asked.remove(self.owner);
        asked
    }
}

/// The meeting, where somebody is to be told of it: it is its owner's own, somebody is asked to it, and it is not over.
fn concerns(record: &Record, now: DateTime<Utc>) -> Option<&Event> {
    match record {
        Record::Event(event)
            if event.is_organizer && event.when.span().1 > now && !event.attendees.is_empty() =>
        {
            Some(event)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::{Attendance, Attendee, Group, Place, Response, Sensitivity, ShowAs, When};
    use chrono::TimeDelta;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn meeting(people: &[&str], groups: Vec<Group>) -> Event {
        let attendee = |address: &&str| Attendee {
            person: Person::at(*address),
            attendance: Attendance::Required,
            response: Response::None,
        };
        Event {
            meeting_id: None,
            place: Place::Single,
            subject: "Board".into(),
            body: "".into(),
            location: "".into(),
            when: When::Timed {
                start: NOW,
                end: NOW + TimeDelta::hours(1),
            },
            zone: None,
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            reminder_minutes: None,
            is_organizer: true,
            organizer: None,
            attendees: people.iter().map(attendee).collect(),
            groups,
            cancelled: false,
        }
    }

    fn list(key: &str, members: &[&str], hidden: usize) -> Group {
        Group {
            key: key.into(),
            members: members.iter().map(|address| Person::at(*address)).collect(),
            hidden,
        }
    }

    #[test]
    fn people_are_counted_once_and_the_organiser_is_none_of_them() {
        let owner = "me@x".into();
        let reader = Reader {
            now: NOW,
            owner: &owner,
        };
        let lists = vec![list("all@x", &["a@x", "b@x", "me@x"], 0), list("dark@x", &[], 1)];
        let before = meeting(&["A@x", "me@x", "all@x", "dark@x"], lists);
        let new = Told::of_create(&Record::Event(before.clone()), reader);
        assert_eq!(new.words(), "invitation to 3 people");
        let alone = Record::Event(meeting(&["me@x"], Vec::new()));
        assert!(Told::of_create(&alone, reader).is_nobodys());
        // As the CRM has it, with the people whom it does not know put back: the lists stay as they are.
        let after = Record::Event(meeting(&["a@x", "c@x", "all@x"], Vec::new()));
        let news = |fields: &[Field]| {
            let fields = FieldSet::of(fields);
            Told::of_update(&Record::Event(before.clone()), &after, fields, reader)
        };
        assert_eq!(news(&[Field::When]).words(), "change to 3 people");
        assert_eq!(
            news(&[Field::Attendees]).words(),
            "invitation to 1 person, change to 2 people, cancellation to 1 person"
        );
        assert!(news(&[Field::Body, Field::Reminder]).is_nobodys());
    }

    #[test]
    fn nobody_is_told_of_what_is_over_or_of_somebody_elses_meeting() {
        let owner = "me@x".into();
        let at = |hours| Reader {
            now: NOW + TimeDelta::hours(hours),
            owner: &owner,
        };
        let own = meeting(&["a@x"], Vec::new());
        let end = |meeting: &Event, hours| Told::of_deletion(&Record::Event(meeting.clone()), at(hours));
        assert_eq!(end(&own, 0).words(), "cancellation to 1 person");
        assert!(end(&own, 1).is_nobodys());
        let copy = Event {
            is_organizer: false,
            ..own
        };
        assert!(end(&copy, 0).is_nobodys());
    }
}
