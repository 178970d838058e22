//! The organiser leaves: a colleague's copy keeps the meeting's one record up to date, and gives it back.

use crate::harness::acts::granted;
use crate::harness::outlook::{Outlook, item};
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::access::permission::ManageMailboxes;
use holdfast::crm::model::CrmRecord;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::sync::control;
use holdfast::sync::store::mailboxes::{self, MailboxRow};
use serde_json::json;

pub const CALENDAR: RecordKind = RecordKind::Calendar;

/// Three people, all of them synchronised; the first has invited the others, and the meeting is in the CRM once.
async fn office() -> (Office, Vec<MailboxRow>) {
    let office = Office::open(3, 0).await;
    let mut rows = Vec::new();
    for person in 0..3 {
        rows.push(office.add(person).await);
    }
    invite(&office, &rows).await;
    for row in &rows {
        office.settle(row).await;
    }
    let record = one(&office, &rows).await;
    assert_eq!(
        record.owner,
        office.row(0).await.user.id,
        "the organiser's copy made it"
    );
    (office, rows)
}

/// The first of these people invites the others.
pub async fn invite(office: &Office, rows: &[MailboxRow]) {
    // A colleague who may edit what another owns, as people who stand in for each other may.
    let may = |row: &MailboxRow| (row.user.username.clone(), json!({"modify_all": true}));
    let users: serde_json::Map<_, _> = rows.iter().map(may).collect();
    office.administrate("PATCH", "/salesforce/settings", &json!({ "users": users }));
    let guests: Vec<&str> = rows[1..].iter().map(|row| row.mailbox.address.as_str()).collect();
    let times = (began() + TimeDelta::days(3), 60);
    Outlook::of(&office.lab, 0)
        .invite(&guests, "Board", times, "")
        .await;
}

/// What everybody's calendars have in the CRM.
pub async fn records(office: &Office, rows: &[MailboxRow]) -> Vec<CrmRecord> {
    let mut all = Vec::new();
    for row in rows {
        all.extend(office.records(row, CALENDAR).await);
    }
    all
}

/// The one record that they have of the meeting.
async fn one(office: &Office, rows: &[MailboxRow]) -> CrmRecord {
    let mut all = records(office, rows).await;
    assert_eq!(all.len(), 1, "one meeting is one record");
    all.remove(0)
}

pub fn subject(record: &CrmRecord) -> String {
    match &record.record {
        Record::Event(event) => event.subject.expose().clone(),
        _ => panic!("an event"),
    }
}

/// A person renames the meeting in his own calendar.
pub async fn rename(office: &Office, row: &MailboxRow, person: usize, title: &str) {
    let id = office.items(row, CALENDAR).await.remove(0).item.id;
    let subject = [("item:Subject", format!("<t:Subject>{title}</t:Subject>"))];
    Outlook::of(&office.lab, person).set(&item(&id.0), &subject).await;
}

impl Office {
    async fn row(&self, person: usize) -> MailboxRow {
        let address = self.lab.cast.people[person].smtp.clone();
        let found = self
            .engine
            .db
            .run(move |conn| mailboxes::find(conn, &address))
            .await;
        found.unwrap().unwrap()
    }
}

pub async fn retire(office: &Office, person: usize) {
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    let id = office.row(person).await.mailbox.id;
    control::retire(db, clock, &granted(ManageMailboxes), id)
        .await
        .unwrap();
}

pub async fn resume(office: &Office, person: usize) {
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    let id = office.row(person).await.mailbox.id;
    control::resume(db, clock, &granted(ManageMailboxes), id)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_colleagues_copy_keeps_the_record_of_an_organiser_who_left() {
    let (office, rows) = office().await;
    let before = one(&office, &rows).await;
    retire(&office, 0).await;
    for row in &rows[1..] {
        office.settle(row).await;
    }
    assert_eq!(
        one(&office, &rows).await.id,
        before.id,
        "neither deleted nor doubled"
    );
    rename(&office, &rows[1], 1, "Board, in room 4").await;
    office.settle(&rows[1]).await;
    let now = one(&office, &rows).await;
    assert_eq!(
        (subject(&now).as_str(), &now.id),
        ("Board, in room 4", &before.id)
    );
    assert_eq!(now.owner, before.owner, "it stays the organiser's");
    let (Record::Event(now), Record::Event(before)) = (&now.record, &before.record) else {
        panic!("events")
    };
    assert_eq!(
        now.attendees.len(),
        before.attendees.len(),
        "with everybody who was asked"
    );
    // One of them keeps it; the other's copy is his own business.
    rename(&office, &rows[2], 2, "Boring").await;
    office.settle(&rows[2]).await;
    assert_eq!(subject(&one(&office, &rows).await), "Board, in room 4");
    // A day later the CRM is asked by id as well.
    office.settle(&rows[1]).await;
    assert_eq!(subject(&one(&office, &rows).await), "Board, in room 4");
}

#[tokio::test]
async fn whoever_keeps_a_meeting_and_drops_it_hands_it_on_and_deletes_nothing() {
    let (office, rows) = office().await;
    let before = one(&office, &rows).await;
    retire(&office, 0).await;
    for row in &rows[1..] {
        office.settle(row).await;
    }
    let copy = office.items(&rows[1], CALENDAR).await.remove(0).item.id;
    Outlook::of(&office.lab, 1).delete(&item(&copy.0)).await;
    office.settle(&rows[1]).await;
    assert_eq!(one(&office, &rows).await.id, before.id);
    rename(&office, &rows[2], 2, "Board of two").await;
    office.settle(&rows[2]).await;
    let now = one(&office, &rows).await;
    assert_eq!((subject(&now).as_str(), &now.id), ("Board of two", &before.id));
}

#[tokio::test]
async fn an_organiser_who_comes_back_has_the_record_again_and_no_second_one() {
    let (office, rows) = office().await;
    let before = one(&office, &rows).await;
    retire(&office, 0).await;
    for row in &rows[1..] {
        office.settle(row).await;
    }
    resume(&office, 0).await;
    for row in rows.iter().rev() {
        office.settle(row).await;
    }
    rename(&office, &rows[1], 1, "My board").await;
    office.settle(&rows[1]).await;
    assert_eq!(
        subject(&one(&office, &rows).await),
        "Board",
        "a copy is a copy again"
    );
    rename(&office, &rows[0], 0, "Board as ever").await;
    for row in &rows {
        office.settle(row).await;
    }
    let now = one(&office, &rows).await;
    assert_eq!((subject(&now).as_str(), &now.id), ("Board as ever", &before.id));
}

#[tokio::test]
async fn a_colleague_who_may_not_edit_the_record_leaves_it_as_it_is_and_says_so() {
    let (office, rows) = office().await;
    let before = one(&office, &rows).await;
    let may_not =
        json!({ "users": { rows[1].user.username.clone(): { "modify_all": false, "view_all": true } } });
    office.administrate("PATCH", "/salesforce/settings", &may_not);
    retire(&office, 0).await;
    office.settle(&rows[1]).await;
    rename(&office, &rows[1], 1, "Board, in room 4").await;
    let counts = office.sync(&rows[1]).await;
    assert_eq!(counts[&CALENDAR].failed, 1, "{counts:?}");
    let now = one(&office, &rows).await;
    assert_eq!((subject(&now).as_str(), &now.id), ("Board", &before.id));
}
