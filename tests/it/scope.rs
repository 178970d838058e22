//! Who takes part is judged anew when the policy changes: what fell out of scope is handled as the policy says, what came
//! into it is picked up, and what the window merely went past stays.

use crate::harness::acts::{event, granted, made_by_owner, made_by_user, task};
use crate::harness::office::subject;
use crate::harness::outlook::{self, Outlook, rule};
use crate::harness::sales;
use crate::harness::{Office, began};
use chrono::{DateTime, TimeDelta, Utc};
use holdfast::access::permission::{Explain, ManageMailboxes, ManagePolicies};
use holdfast::foundation::clock::Clock;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::event::When;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::control as engine_control;
use holdfast::sync::guard::control;
use holdfast::sync::guard::store::Choice;
use holdfast::sync::policy::{CategoryRules, OutOfScope, Policy, SeriesMode};
use holdfast::sync::preview::preview;
use holdfast::sync::report::Quiet;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

pub const DAY: u64 = 86_400;

/// A policy with this choice everywhere.
pub fn with(choice: OutOfScope) -> Policy {
    let mut policy = Policy::default();
    policy.calendar.common.out_of_scope = choice;
    policy.tasks.common.out_of_scope = choice;
    policy
}

/// Tasks of the category "CRM" only.
fn narrow(choice: OutOfScope) -> Policy {
    let mut policy = with(choice);
    policy.tasks.categories = CategoryRules {
        allow: vec!["CRM".to_owned()],
        block: vec!["Home".to_owned()],
    };
    policy
}

pub async fn titles(office: &Office, row: &MailboxRow, kind: RecordKind) -> [Vec<String>; 2] {
    let items = office.items(row, kind).await;
    let records = office.records(row, kind).await;
    let items = items.iter().map(|item| subject(&item.record).to_owned());
    let records = records.iter().map(|record| subject(&record.record).to_owned());
    let mut both = [items.collect::<Vec<_>>(), records.collect()];
    both.iter_mut().for_each(|titles| titles.sort());
    both
}

async fn categorise(office: &Office, id: &ItemId, category: &str) {
    let change = format!(
        "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"><m:ItemChanges>\
         <t:ItemChange>{}<t:Updates><t:SetItemField><t:FieldURI FieldURI=\"item:Categories\"/><t:Task>\
         <t:Categories><t:String>{category}</t:String></t:Categories></t:Task></t:SetItemField></t:Updates>\
         </t:ItemChange></m:ItemChanges></m:UpdateItem>",
        outlook::item(&id.0)
    );
    Outlook::of(&office.lab, 0).ask(&change).await;
}

/// What a preview says, without what it leaves alone.
pub async fn foreseen(office: &Office, row: &MailboxRow) -> BTreeMap<&'static str, u64> {
    let mut said = preview(&office.engine, row, &Quiet).await.unwrap().totals;
    said.remove("skip");
    said
}

async fn rename(office: &Office, row: &MailboxRow, from: &str, to: &str) {
    let items = office.items(row, RecordKind::Tasks).await;
    let item = items.iter().find(|item| subject(&item.record) == from).unwrap();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Subject]),
        record: task(to),
    };
    office.in_mailbox(row, RecordKind::Tasks, write).await;
}

/// Four tasks on both sides: one of the category, one without, one that people made on each side, and one that was made
/// in the CRM.
async fn four_tasks() -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    office.policy("house", Policy::default()).await;
    let row = office.add_with(0, "house").await;
    let make = |title| office.in_mailbox(&row, RecordKind::Tasks, made_by_owner(task(title)));
    let marked = make("marked").await;
    categorise(&office, &marked, "CRM").await;
    make("plain").await;
    let Record::Task(mut twice) = task("twice") else {
        panic!("a task is no task");
    };
    twice.body = "by hand".into();
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(Record::Task(twice)))
        .await;
    let by_hand = json!({"Subject": "twice", "Description": "by hand"});
    sales::make(&office.lab, 0, "Task", by_hand).await;
    sales::make(&office.lab, 0, "Task", json!({"Subject": "theirs"})).await;
    office.settle(&row).await;
    let all = ["marked", "plain", "theirs", "twice"];
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, [all, all]);
    (office, row)
}

#[tokio::test]
async fn under_keep_what_a_narrower_filter_left_out_stays_linked_and_catches_up_when_it_is_back() {
    let (office, row) = four_tasks().await;
    office.policy("house", narrow(OutOfScope::Keep)).await;
    assert!(foreseen(&office, &row).await.is_empty());
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 0);
    rename(&office, &row, "plain", "plainer").await;
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 0);
    let [_, records] = titles(&office, &row, RecordKind::Tasks).await;
    assert_eq!(records, ["marked", "plain", "theirs", "twice"]);
    office.policy("house", with(OutOfScope::Keep)).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("update in CRM", 1)])
    );
    office.settle(&row).await;
    let all = ["marked", "plainer", "theirs", "twice"];
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, [all, all]);
}

#[tokio::test]
async fn under_unlink_what_a_narrower_filter_left_out_goes_its_own_way_and_is_joined_again_when_it_is_back() {
    let (office, row) = four_tasks().await;
    office.policy("house", narrow(OutOfScope::Unlink)).await;
    assert_eq!(foreseen(&office, &row).await, BTreeMap::from([("unlink", 2)]));
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 0);
    // What either side does now is nothing to the other.
    for record in office.records(&row, RecordKind::Tasks).await {
        if subject(&record.record) == "plain" {
            let write = holdfast::crm::model::CrmWrite::Update {
                id: record.id,
                fields: FieldSet::of(&[Field::Priority]),
                record: task("plain"),
                matches: Vec::new(),
            };
            office.in_crm(&row, RecordKind::Tasks, write).await;
        }
    }
    rename(&office, &row, "twice", "twice here").await;
    office.settle(&row).await;
    let expected = [
        ["marked", "plain", "theirs", "twice here"],
        ["marked", "plain", "theirs", "twice"],
    ];
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, expected);
    rename(&office, &row, "twice here", "twice").await;
    office.policy("house", with(OutOfScope::Unlink)).await;
    office.settle(&row).await;
    let all = ["marked", "plain", "theirs", "twice"];
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, [all, all]);
    // And they are linked, not merely equal.
    rename(&office, &row, "twice", "once").await;
    rename(&office, &row, "plain", "fancy").await;
    office.settle(&row).await;
    let all = ["fancy", "marked", "once", "theirs"];
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, [all, all]);
}

#[tokio::test]
async fn under_remove_the_copy_of_what_a_narrower_filter_left_out_goes_and_what_people_made_stays() {
    let (office, row) = four_tasks().await;
    office.policy("house", narrow(OutOfScope::Remove)).await;
    let expected = BTreeMap::from([("delete in CRM", 1), ("unlink", 1)]);
    assert_eq!(foreseen(&office, &row).await, expected);
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].deleted_in_crm, 1);
    office.settle(&row).await;
    let items = ["marked", "plain", "theirs", "twice"];
    let [here, there] = titles(&office, &row, RecordKind::Tasks).await;
    assert_eq!(
        (here, there),
        (
            items.map(str::to_owned).to_vec(),
            ["marked", "theirs", "twice"].map(str::to_owned).to_vec()
        )
    );
    // Its owner marks one of them as no business of the CRM's: a copy of the CRM's own task is not deleted for that.
    for item in office.items(&row, RecordKind::Tasks).await {
        if ["marked", "theirs"].contains(&subject(&item.record)) {
            categorise(&office, &item.item.id, "Home").await;
        }
    }
    office.settle(&row).await;
    let [here, there] = titles(&office, &row, RecordKind::Tasks).await;
    assert_eq!(
        (here.len(), there),
        (4, ["theirs", "twice"].map(str::to_owned).to_vec())
    );
    // All of them come back when the filter goes, each once.
    office.policy("house", with(OutOfScope::Remove)).await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row, RecordKind::Tasks).await, [items, items]);
}

#[tokio::test]
async fn many_removals_after_a_change_of_policy_wait_for_a_person_and_approved_ones_are_carried_out() {
    let office = Office::open(2, 0).await;
    office.policy("house", Policy::default()).await;
    let row = office.add_with(0, "house").await;
    for number in 0..25 {
        let day = began() + TimeDelta::days(60 + number);
        let meeting = event(&format!("{number}"), hour(day));
        let write = made_by_owner(Record::Event(meeting));
        office.in_mailbox(&row, RecordKind::Calendar, write).await;
    }
    office.settle(&row).await;
    let mut near = with(OutOfScope::Remove);
    near.calendar.future_days = 30;
    office.policy("house", near).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("hold deletion in CRM", 25)])
    );
    let counts = office.sync(&row).await;
    assert_eq!(counts[&RecordKind::Calendar].held, 25, "{counts:?}");
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 25);
    let waiting = control::list(&office.engine.db, &granted(Explain), row.mailbox.id)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 25);
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    control::approve(
        db,
        clock,
        &granted(ManageMailboxes),
        row.mailbox.id,
        Choice::default(),
    )
    .await
    .unwrap();
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 0);
    assert_eq!(office.items(&row, RecordKind::Calendar).await.len(), 25);
}

pub fn hour(start: DateTime<Utc>) -> When {
    // Whole seconds: no side keeps more.
    let start = DateTime::from_timestamp(start.timestamp(), 0).unwrap();
    When::Timed {
        start,
        end: start + TimeDelta::hours(1),
    }
}

/// A near meeting, a far one and one that ended long ago, each made on both sides.
async fn six_meetings(office: &Office, row: &MailboxRow) {
    for (name, days) in [("near", 5), ("far", 200), ("old", -60)] {
        let when = hour(office.engine.clock.now() + TimeDelta::days(days));
        let ours = Record::Event(event(&format!("{name}, mine"), when.clone()));
        office
            .in_mailbox(row, RecordKind::Calendar, made_by_owner(ours))
            .await;
        let theirs = Record::Event(event(&format!("{name}, theirs"), when));
        office
            .in_crm(row, RecordKind::Calendar, made_by_user(name, theirs))
            .await;
    }
    office.settle(row).await;
}

#[tokio::test]
async fn a_narrower_window_removes_the_copies_on_either_side_and_a_wider_one_brings_them_back() {
    let office = Office::open(2, 0).await;
    office.policy("house", with(OutOfScope::Remove)).await;
    let row = office.add_with(0, "house").await;
    six_meetings(&office, &row).await;
    assert_eq!(
        titles(&office, &row, RecordKind::Calendar)
            .await
            .map(|all| all.len()),
        [6, 6]
    );
    let mut near = with(OutOfScope::Remove);
    near.calendar.past_days = 30;
    near.calendar.future_days = 100;
    office.policy("house", near).await;
    let expected = BTreeMap::from([("delete in CRM", 2), ("delete in mailbox", 2)]);
    assert_eq!(foreseen(&office, &row).await, expected);
    office.settle(&row).await;
    let left = [
        ["far, mine", "near, mine", "near, theirs", "old, mine"],
        ["far, theirs", "near, mine", "near, theirs", "old, theirs"],
    ];
    assert_eq!(titles(&office, &row, RecordKind::Calendar).await, left);
    office.policy("house", with(OutOfScope::Remove)).await;
    let expected = BTreeMap::from([("create in CRM", 2), ("create in mailbox", 2)]);
    assert_eq!(foreseen(&office, &row).await, expected);
    office.settle(&row).await;
    let [here, there] = titles(&office, &row, RecordKind::Calendar).await;
    assert_eq!((here.len(), &here), (6, &there));
}

#[tokio::test]
async fn what_the_window_goes_past_stays_though_the_policy_removes_what_leaves_and_edits_come() {
    let mut office = Office::open(2, 0).await;
    office.engine.clock = Clock::manual(Utc::now());
    office.policy("house", with(OutOfScope::Remove)).await;
    let row = office.add_with(0, "house").await;
    six_meetings(&office, &row).await;
    office.engine.clock.advance(Duration::from_secs(150 * DAY));
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Calendar).await;
    let old = items
        .iter()
        .find(|item| subject(&item.record) == "near, mine")
        .unwrap();
    let Record::Event(mut changed) = old.record.clone() else {
        panic!("the calendar holds events");
    };
    changed.body = "minutes".into();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: old.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Body]),
        record: Record::Event(changed),
    };
    office.in_mailbox(&row, RecordKind::Calendar, write).await;
    // Another version, which says the same of who takes part, and a wider one.
    let mut same = with(OutOfScope::Remove);
    same.reassigned = holdfast::sync::policy::Reassigned::Keep;
    office.policy("house", same.clone()).await;
    office.settle(&row).await;
    same.calendar.future_days += 10;
    office.policy("house", same).await;
    office.settle(&row).await;
    let [here, there] = titles(&office, &row, RecordKind::Calendar).await;
    assert_eq!((here.len(), &here), (6, &there));
}

#[tokio::test]
async fn the_dates_of_series_leave_with_a_narrower_window_and_with_series_that_stay_in_the_mailbox() {
    let office = Office::open(2, 0).await;
    office.policy("house", with(OutOfScope::Remove)).await;
    let row = office.add_with(0, "house").await;
    let first = began().date_naive() + TimeDelta::days(1);
    let start = first.and_hms_opt(9, 0, 0).unwrap().and_utc();
    let pattern = "<t:DailyRecurrence><t:Interval>10</t:Interval></t:DailyRecurrence>";
    let range = format!(
        "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>12</t:NumberOfOccurrences>\
         </t:NumberedRecurrence>"
    );
    Outlook::of(&office.lab, 0)
        .create("Round", start, 30, &rule(pattern, &range, "UTC"))
        .await;
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 12);
    let mut near = with(OutOfScope::Remove);
    near.calendar.future_days = 55;
    office.policy("house", near.clone()).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("delete in CRM", 6)])
    );
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 6);
    near.calendar.series.mode = SeriesMode::Skip;
    office.policy("house", near).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("delete in CRM", 6)])
    );
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 0);
    office.policy("house", with(OutOfScope::Remove)).await;
    office.settle(&row).await;
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 12);
}

#[tokio::test]
async fn a_policy_that_says_differently_of_who_takes_part_makes_its_streams_due_and_a_kill_in_the_middle_costs_nothing()
 {
    let (mut office, row) = four_tasks().await;
    let now = office.engine.clock.now();
    let due = async |office: &Office| {
        let all = office
            .engine
            .db
            .run(move |conn| holdfast::sync::store::totals::streams(conn, now))
            .await
            .unwrap();
        all.into_iter()
            .filter(|stream| stream.due_at <= office.engine.clock.now())
            .map(|stream| stream.kind)
            .collect::<Vec<_>>()
    };
    assert!(due(&office).await.is_empty());
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    let policy = narrow(OutOfScope::Remove);
    engine_control::set_policy(db, clock, &granted(ManagePolicies), "house", policy)
        .await
        .unwrap();
    assert_eq!(due(&office).await, [RecordKind::Tasks]);
    // The reading is cut off after its first page of one item, and goes on by the old policy all the same.
    office.engine.settings.page_size = 1;
    office.crm_fails(
        "collections_delete",
        holdfast_lab::faults::Fault::ApplyThenCut,
        Some(3),
    );
    let cut = office.try_sync(&row).await;
    assert!(cut.iter().any(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    let [here, there] = titles(&office, &row, RecordKind::Tasks).await;
    assert_eq!(
        (here.len(), there),
        (4, ["marked", "theirs", "twice"].map(str::to_owned).to_vec())
    );
}
