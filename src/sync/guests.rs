//! Who of a meeting's people is linked to its record, and who is not. Pure.
//!
//! The CRM links only those whom it knows, and no more than so many. Everybody else stays in the mailbox's meeting,
//! whatever is edited in the CRM. A distribution list stays an attendee; whoever is behind it counts like anybody
//! who was asked by name.

use super::rules::Known;
use crate::crm::model::{Match, WhoKind};
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::event::{Attendance, Attendee, Event, Response};
use crate::record::person::Person;
use std::collections::HashSet;

/// What a CRM links to a meeting.
pub struct Takes<'a> {
    /// The owner of the record, who is no guest of his own meeting.
    pub owner: &'a Content<String>,
    /// Whom the CRM knows.
    pub known: &'a Known,
    /// As what somebody must be known.
    pub kinds: &'a [WhoKind],
    /// The most people.
    pub most: usize,
}

/// The people of a meeting, sorted by what becomes of them.
#[derive(Default)]
pub struct Guests {
    /// Whoever is linked to the record, in order of their addresses: the same ones each time that the meeting is
    /// looked at.
    pub linked: Vec<Content<String>>,
    /// How many are known and beyond what the CRM takes.
    pub left_out: usize,
    /// How many the CRM does not know.
    pub unknown: usize,
    /// How many lists stay as they are.
    pub hidden: usize,
}

impl Guests {
    /// Sorts the people of a meeting.
    pub fn of(event: &Event, takes: &Takes<'_>) -> Self {
        let lists: HashSet<&Content<String>> = event.groups.iter().map(|group| &group.key).collect();
        let mut keys: Vec<Content<String>> = people(event).map(Person::key).collect();
        keys.retain(|key| key != takes.owner && !lists.contains(key));
        keys.sort();
        keys.dedup();
        let (mut linked, unknown): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| can_be_linked(key, takes));
        let left_out = linked.len().saturating_sub(takes.most);
        linked.truncate(takes.most);
        Self {
            linked,
            left_out,
            unknown: unknown.len(),
            hidden: event.groups.iter().map(|group| group.hidden).sum(),
        }
    }

    /// The matches of those who are linked.
    pub fn matches(&self, known: &Known) -> Vec<Match> {
        let linked = self.linked.iter();
        linked.filter_map(|key| known.get(key).cloned()).collect()
    }
}

/// Everybody who is asked, by name or behind a list.
pub fn people(event: &Event) -> impl Iterator<Item = &Person> {
    let members = event.groups.iter().flat_map(|group| &group.members);
    event
        .attendees
        .iter()
        .map(|attendee| &attendee.person)
        .chain(members)
}

fn can_be_linked(key: &Content<String>, takes: &Takes<'_>) -> bool {
    let found = takes.known.get(key);
    found.is_some_and(|found| found.who.iter().any(|who| takes.kinds.contains(&who.kind)))
}

/// A record as it goes to the CRM: whoever is behind a list is asked by name.
pub fn for_crm(mut record: Record) -> Record {
    if let Record::Event(event) = &mut record {
        let mut named: HashSet<Content<String>> = HashSet::new();
        named.extend(event.attendees.iter().map(|attendee| attendee.person.key()));
        let members = event.groups.iter().flat_map(|group| &group.members);
        let new = members.filter(|person| named.insert(person.key()));
        event.attendees.extend(new.map(|person| Attendee {
            person: person.clone(),
            attendance: Attendance::Required,
            response: Response::None,
        }));
    }
    record
}

/// The attendees that a meeting has after an edit of them in the CRM. The CRM lists only those whom it links: all
/// others stay, and those whom both know keep what the meeting says of them. Whoever is asked through a list is not
/// asked by name as well.
pub fn merged(before: &Event, crm: &Event, takes: &Takes<'_>) -> Vec<Attendee> {
    let keys = |event: &Event| -> HashSet<Content<String>> {
        let keys = event.attendees.iter().map(|attendee| attendee.person.key());
        keys.collect()
    };
    let listed = keys(crm);
    let linked: HashSet<Content<String>> = Guests::of(before, takes).linked.into_iter().collect();
    let stays = |attendee: &&Attendee| {
        let key = attendee.person.key();
        listed.contains(&key) || !linked.contains(&key)
    };
    let mut merged: Vec<Attendee> = before.attendees.iter().filter(stays).cloned().collect();
    let mut present = keys(before);
    let members = before.groups.iter().flat_map(|group| &group.members);
    present.extend(members.map(Person::key));
    merged.extend(
        crm.attendees
            .iter()
            .filter(|attendee| !present.contains(&attendee.person.key()))
            .cloned(),
    );
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::model::{CrmId, Who};
    use crate::record::event::{Group, Place, Sensitivity, ShowAs, When};
    use chrono::NaiveDate;

    fn attendee(address: &str) -> Attendee {
        Attendee {
            person: Person::at(address),
            attendance: Attendance::Optional,
            response: Response::Declined,
        }
    }

    fn event(addresses: &[&str], members: &[&str]) -> Event {
        let day = NaiveDate::default();
        Event {
            meeting_id: None,
            place: Place::Single,
            subject: "Board".into(),
            body: "".into(),
            location: "".into(),
            when: When::AllDay {
                first: day,
                last: day,
            },
            zone: None,
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            reminder_minutes: None,
            is_organizer: true,
            organizer: None,
            attendees: addresses.iter().map(|address| attendee(address)).collect(),
            groups: vec![Group {
                key: "all@corp.test".into(),
                members: members.iter().map(|address| Person::at(*address)).collect(),
                hidden: 1,
            }],
            cancelled: false,
        }
    }

    fn known(addresses: &[&str]) -> Known {
        let mut known = Known::default();
        known.add(addresses.iter().map(|address| Match {
            address: (*address).into(),
            who: vec![Who {
                kind: WhoKind::Contact,
                id: CrmId((*address).to_owned()),
                account: None,
            }],
        }));
        known
    }

    fn addresses(attendees: &[Attendee]) -> Vec<&str> {
        let people = attendees.iter().map(|attendee| &attendee.person);
        people.map(|person| person.address.expose().as_str()).collect()
    }

    const KINDS: &[WhoKind] = &[WhoKind::Contact];

    #[test]
    fn the_people_of_a_meeting_are_sorted_by_what_becomes_of_them() {
        let known = known(&["a@x", "b@x", "c@x", "me@x"]);
        let owner = "me@x".into();
        let takes = Takes {
            owner: &owner,
            known: &known,
            kinds: KINDS,
            most: 2,
        };
        let event = event(
            &["C@x", "stranger@x", "me@x", "all@corp.test"],
            &["b@x", "a@x", "c@x"],
        );
        let guests = Guests::of(&event, &takes);
        let linked: Vec<&str> = guests.linked.iter().map(|key| key.expose().as_str()).collect();
        assert_eq!(linked, ["a@x", "b@x"]);
        assert_eq!((guests.left_out, guests.unknown, guests.hidden), (1, 1, 1));
        assert_eq!(guests.matches(&known).len(), 2);
        let Record::Event(sent) = for_crm(Record::Event(event)) else {
            panic!("an event")
        };
        assert_eq!(
            addresses(&sent.attendees),
            ["C@x", "stranger@x", "me@x", "all@corp.test", "b@x", "a@x"]
        );
    }

    #[test]
    fn an_edit_in_the_crm_drops_nobody_whom_the_crm_does_not_list_for_another_reason_than_that_edit() {
        let known = known(&["a@x", "b@x", "c@x", "member@x"]);
        let owner = "me@x".into();
        let takes = Takes {
            owner: &owner,
            known: &known,
            kinds: KINDS,
            most: 3,
        };
        // The list of the CRM ends before "member@x"; somebody took "b@x" away and added "new@x".
        let before = event(
            &["b@x", "stranger@x", "a@x", "all@corp.test", "z@x"],
            &["c@x", "member@x"],
        );
        let after = merged(&before, &event(&["a@x", "c@x", "new@x"], &[]), &takes);
        assert_eq!(
            addresses(&after),
            ["stranger@x", "a@x", "all@corp.test", "z@x", "new@x"]
        );
        assert!(
            after
                .iter()
                .take(4)
                .all(|attendee| attendee.response == Response::Declined),
            "they keep what the meeting says of them"
        );
    }
}
