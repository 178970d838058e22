//! Going live where the policy asks: what is certainly the same is linked, nothing is made blindly, and a person's choice
//! is carried out once.

use crate::harness::Office;
use crate::harness::acts::{granted, made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::sales;
use diesel::prelude::*;
use holdfast::access::permission::{Explain, ManageMailboxes, ReadNames};
use holdfast::crm::model::CrmId;
use holdfast::foundation::db::schema::{choices, skips, streams};
use holdfast::mailbox::model::MailboxWrite;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::kind::RecordKind;
use holdfast::sync::choice::control::{self, Decided, Decision, Which};
use holdfast::sync::choice::model::{Choice, Stage, State};
use holdfast::sync::completeness::completeness;
use holdfast::sync::error::SyncError;
use holdfast::sync::explain::explain;
use holdfast::sync::model::{Reason, Side};
use holdfast::sync::policy::{GoLive, Policy};
use holdfast::sync::preview::preview;
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::Fault;
use serde_json::json;
use std::collections::BTreeMap;

const CONTACTS: RecordKind = RecordKind::Contacts;
const ACCEPT: Decision = Decision::Accept { with: None };

fn asking() -> Policy {
    let mut policy = Policy::default();
    policy.contacts.go_live = GoLive::Ask;
    policy.tasks.go_live = GoLive::Ask;
    policy
}

fn card(family: &str, change: impl FnOnce(&mut Contact)) -> Record {
    let mut contact = Contact {
        given_name: "Ada".into(),
        family_name: family.into(),
        ..Contact::default()
    };
    change(&mut contact);
    Record::Contact(contact)
}

fn at(name: &str) -> String {
    format!("{}@elsewhere.example", name.to_lowercase())
}

/// People on both sides, before anything was synchronised: Exact is the same by his address, Phone by name and number,
/// Twice is one of two by her address, Mine and Theirs are on one side each.
async fn before_going_live() -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    office.policy("house", asking()).await;
    let row = office.add_with(0, "house").await;
    let mine = [
        card("Exact", |card| card.email = at("Exact").into()),
        card("Phone", |card| card.mobile_phone = "+49 30 1234".into()),
        card("Twice", |card| card.email = at("Twice").into()),
        card("Mine", |_| {}),
    ];
    for card in mine {
        office.in_mailbox(&row, CONTACTS, made_by_owner(card)).await;
    }
    for contact in [
        json!({"FirstName": "Ada", "LastName": "Exact", "Email": at("Exact")}),
        json!({"FirstName": "Ada", "LastName": "Phone", "Phone": "+49 30 1234"}),
        json!({"FirstName": "Ada", "LastName": "Twice", "Email": at("Twice")}),
        json!({"FirstName": "A.", "LastName": "Twice", "Email": at("Twice")}),
        json!({"FirstName": "Ada", "LastName": "Theirs", "Email": at("Theirs")}),
    ] {
        sales::make(&office.lab, 0, "Contact", contact).await;
    }
    (office, row)
}

/// How often each name stands on each side.
async fn names(office: &Office, row: &MailboxRow) -> BTreeMap<String, [usize; 2]> {
    let mut names: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for item in office.items(row, CONTACTS).await {
        names.entry(subject(&item.record).to_owned()).or_default()[0] += 1;
    }
    for record in office.records(row, CONTACTS).await {
        names.entry(subject(&record.record).to_owned()).or_default()[1] += 1;
    }
    names.retain(|name, _| ["Exact", "Phone", "Twice", "Mine", "Theirs"].contains(&name.as_str()));
    names
}

fn counted(of: &[(&str, [usize; 2])]) -> BTreeMap<String, [usize; 2]> {
    of.iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

async fn waits(office: &Office, row: &MailboxRow) -> Vec<Choice> {
    let all = control::list(&office.engine.db, &granted(Explain), row.mailbox.id)
        .await
        .unwrap();
    all.into_iter().filter(|row| row.kind == CONTACTS).collect()
}

/// The row of this person, known by his name as it is on his side now.
async fn row_of(office: &Office, row: &MailboxRow, name: &str, side: Side) -> Choice {
    let all = waits(office, row).await;
    let names = control::names(&office.engine, &granted(ReadNames), row, &all)
        .await
        .unwrap();
    let is_it = |choice: &&Choice| {
        let item = choice.item.as_ref().and_then(|id| names.items.get(id));
        let said = item.or_else(|| choice.crm.as_ref().and_then(|id| names.records.get(id)));
        choice.side == side && said.is_some_and(|said| said.expose().ends_with(name))
    };
    all.iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{name} does not wait"))
        .clone()
}

async fn decide(office: &Office, row: &MailboxRow, ids: Vec<i64>, decision: Decision) -> Decided {
    let which = Which {
        ids,
        kind: Some(CONTACTS),
        stage: None,
    };
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    control::decide(
        db,
        clock,
        &granted(ManageMailboxes),
        row.mailbox.id,
        which,
        decision,
    )
    .await
    .unwrap()
}

async fn turn(office: &Office, row: &MailboxRow) -> Counts {
    office.sync(row).await.remove(&CONTACTS).unwrap()
}

fn waiting(counts: &Counts) -> u64 {
    counts.skipped.get(&Reason::AwaitsChoice).copied().unwrap_or(0)
}

const AT_FIRST: [(&str, [usize; 2]); 5] = [
    ("Exact", [1, 1]),
    ("Phone", [1, 1]),
    ("Twice", [1, 2]),
    ("Mine", [1, 0]),
    ("Theirs", [0, 1]),
];

#[tokio::test]
async fn going_live_links_what_is_certain_makes_nothing_and_tells_what_the_rest_may_be() {
    let (office, row) = before_going_live().await;
    let foretold = preview(&office.engine, &row, &Quiet).await.unwrap();
    let first = turn(&office, &row).await;
    assert_eq!(
        (first.matched, first.created_in_crm, first.created_in_mailbox),
        (1, 0, 0)
    );
    assert!(waiting(&first) >= 6, "{first:?}");
    let held = foretold.rows.iter().filter(|row| row.kind == "contacts");
    let (asked, rest): (Vec<_>, Vec<_>) = held.partition(|row| row.action == "hold for a choice");
    assert!(asked.len() >= 4, "{asked:#?}");
    assert!(
        rest.iter().all(|row| !row.action.starts_with("create")),
        "{rest:#?}"
    );
    for _ in 0..2 {
        let again = turn(&office, &row).await;
        assert_eq!(again.written() + again.matched, 0, "{again:?}");
    }
    assert_eq!(names(&office, &row).await, counted(&AT_FIRST));
    let phone = row_of(&office, &row, "Phone", Side::Mailbox).await;
    assert_eq!(
        (phone.candidates.stage, phone.candidates.records.len()),
        (Stage::Phone, 1)
    );
    let twice = row_of(&office, &row, "Twice", Side::Mailbox).await;
    assert_eq!(
        (twice.candidates.stage, twice.candidates.records.len()),
        (Stage::Address, 2)
    );
    let mine = row_of(&office, &row, "Mine", Side::Mailbox).await;
    assert_eq!(
        (mine.candidates.stage, mine.candidates.records.len()),
        (Stage::Alone, 0)
    );
    let theirs = row_of(&office, &row, "Theirs", Side::Crm).await;
    assert_eq!(theirs.candidates.stage, Stage::Alone);
    // What waits is its own reason, and everything adds up.
    let tallies = completeness(&office.engine, &granted(Explain), &row)
        .await
        .unwrap();
    for tally in tallies.iter().filter(|tally| tally.kind == CONTACTS) {
        assert!(tally.adds_up(), "{tally:?}");
        assert!(tally.skipped[&Reason::AwaitsChoice] >= 3, "{tally:?}");
    }
}

#[tokio::test]
async fn an_accepted_counterpart_is_linked_and_nothing_is_doubled() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    // Which of two is meant cannot be told; all others that may be the same are.
    let all = decide(&office, &row, Vec::new(), ACCEPT).await;
    assert_eq!(all.decided, 1, "{all:?}");
    let after = turn(&office, &row).await;
    assert_eq!(
        (after.matched, after.created_in_crm, after.created_in_mailbox),
        (1, 0, 0)
    );
    let twice = row_of(&office, &row, "Twice", Side::Mailbox).await;
    assert_eq!(decide(&office, &row, vec![twice.id], ACCEPT).await.left, 1);
    let with = Some(twice.candidates.records[1].clone());
    let chosen = decide(&office, &row, vec![twice.id], Decision::Accept { with }).await;
    assert_eq!((chosen.decided, chosen.left), (1, 0));
    assert_eq!(turn(&office, &row).await.matched, 1);
    office.settle(&row).await;
    assert_eq!(names(&office, &row).await, counted(&AT_FIRST));
    // The one that was not meant is still to be decided about.
    let other = row_of(&office, &row, "Twice", Side::Crm).await;
    assert_eq!(other.crm.as_ref(), Some(&twice.candidates.records[0]));
    decide(&office, &row, vec![other.id], Decision::New).await;
    office.settle(&row).await;
    assert_eq!(names(&office, &row).await["Twice"], [2, 2]);
}

#[tokio::test]
async fn what_is_new_is_made_once_though_the_turn_that_makes_it_is_cut_off() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    let mine = row_of(&office, &row, "Mine", Side::Mailbox).await;
    let phone = row_of(&office, &row, "Phone", Side::Mailbox).await;
    let made = decide(&office, &row, vec![mine.id, phone.id], Decision::New).await;
    assert_eq!(made, Decided { decided: 2, left: 0 });
    office.crm_fails("collections_create", Fault::ApplyThenCut, Some(3));
    let cut = office.try_sync(&row).await;
    assert!(cut.iter().any(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    // They are two people: each is on both sides now.
    let after = names(&office, &row).await;
    assert_eq!((after["Mine"], after["Phone"]), ([1, 1], [2, 2]));
    assert_eq!((after["Theirs"], after["Twice"]), ([0, 1], [1, 2]));
}

#[tokio::test]
async fn what_is_to_be_left_alone_stays_so_on_both_sides_and_explain_says_it() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    let phone = row_of(&office, &row, "Phone", Side::Mailbox).await;
    let theirs = row_of(&office, &row, "Theirs", Side::Crm).await;
    decide(&office, &row, vec![phone.id, theirs.id], Decision::Never).await;
    office.settle(&row).await;
    // Nor by a reading from the start, under a policy that asks no more.
    office.policy("house", Policy::default()).await;
    holdfast::sync::control::resync(
        &office.engine.db,
        &office.engine.clock,
        &granted(ManageMailboxes),
        row.mailbox.id,
    )
    .await
    .unwrap();
    office.settle(&row).await;
    let after = names(&office, &row).await;
    assert_eq!((after["Phone"], after["Theirs"]), ([1, 1], [0, 1]));
    let CrmId(record) = theirs.crm.unwrap();
    for id in [phone.item.unwrap().0, record] {
        let said = explain(&office.engine, &row, &id).await.unwrap().unwrap();
        let told = format!("{} {}", said.verdict, said.notes.join(" "));
        assert!(told.contains(Reason::LeftAlone.sentence()), "{told}");
        assert!(!told.contains("create"), "{told}");
    }
    // A person may think again.
    let phone = row_of(&office, &row, "Phone", Side::Mailbox).await;
    assert_eq!(phone.state, State::Never);
    decide(&office, &row, vec![phone.id], ACCEPT).await;
    assert_eq!(turn(&office, &row).await.matched, 1);
    office.settle(&row).await;
    assert_eq!(names(&office, &row).await["Phone"], [1, 1]);
}

#[tokio::test]
async fn a_policy_that_asks_no_more_lets_go_what_waits_and_takes_what_is_alike_for_the_same() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    office.policy("house", Policy::default()).await;
    office.settle(&row).await;
    let after = names(&office, &row).await;
    let expected = [
        ("Exact", [1, 1]),
        ("Phone", [1, 1]),
        ("Twice", [2, 2]),
        ("Mine", [1, 1]),
        ("Theirs", [1, 1]),
    ];
    assert_eq!(after, counted(&expected));
    assert!(waits(&office, &row).await.is_empty());
}

#[tokio::test]
async fn what_waited_for_an_item_that_its_owner_deletes_waits_by_itself_then() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    let phone = row_of(&office, &row, "Phone", Side::Mailbox).await;
    let write = MailboxWrite::Delete {
        item: phone.item.unwrap(),
    };
    office.in_mailbox(&row, CONTACTS, write).await;
    office.settle(&row).await;
    assert_eq!(names(&office, &row).await["Phone"], [0, 1]);
    let record = row_of(&office, &row, "Phone", Side::Crm).await;
    assert_eq!(record.candidates.stage, Stage::Alone);
    decide(&office, &row, vec![record.id], Decision::New).await;
    office.settle(&row).await;
    assert_eq!(names(&office, &row).await["Phone"], [1, 1]);
}

#[tokio::test]
async fn what_people_make_after_going_live_crosses_without_a_question() {
    let (office, row) = before_going_live().await;
    office.settle(&row).await;
    office
        .in_mailbox(&row, CONTACTS, made_by_owner(card("Later", |_| {})))
        .await;
    let before = waits(&office, &row).await.len();
    let after = turn(&office, &row).await;
    assert_eq!(after.created_in_crm, 1);
    assert_eq!(
        waits(&office, &row).await.len(),
        before,
        "nothing more to ask about"
    );
}

/// The mailbox's cursor moves page by page, the CRM's at the very end: this is how a node leaves a stream that dies between
/// the two.
async fn killed_before_the_crms_side(office: &Office, row: &MailboxRow) {
    let id = row.mailbox.id;
    let done: Result<(), SyncError> = office
        .engine
        .db
        .run_for(id, move |conn| {
            diesel::delete(choices::table.filter(choices::side.eq(1))).execute(conn)?;
            diesel::delete(skips::table.filter(skips::side.eq(1))).execute(conn)?;
            diesel::update(streams::table.filter(streams::mailbox_id.eq(id.0)))
                .set(streams::crm_cursor.eq(None::<Vec<u8>>))
                .execute(conn)?;
            Ok(())
        })
        .await;
    done.unwrap();
}

#[tokio::test]
async fn a_first_reading_that_is_killed_between_the_sides_makes_nothing_blindly_afterwards() {
    let (office, row) = before_going_live().await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("alone")))
        .await;
    turn(&office, &row).await;
    killed_before_the_crms_side(&office, &row).await;
    let after = turn(&office, &row).await;
    assert_eq!(after.written(), 0, "{after:?}");
    row_of(&office, &row, "Theirs", Side::Crm).await;
    assert_eq!(names(&office, &row).await, counted(&AT_FIRST));
    assert!(
        office
            .records(&row, RecordKind::Tasks)
            .await
            .iter()
            .all(|record| subject(&record.record) != "alone")
    );
}
