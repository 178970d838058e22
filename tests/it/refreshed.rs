//! A sandbox that was refreshed: another organisation, every record under another id. Nothing is doubled, nothing is
//! deleted, and nobody is asked.

use crate::harness::acts::{event, granted, made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::outlook::{Outlook, rule};
use crate::harness::sales;
use crate::harness::{Office, began};
use crate::restored::{KINDS, at};
use chrono::TimeDelta;
use holdfast::access::permission::Explain;
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::guard::control;
use holdfast::sync::preview::preview;
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::Fault;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

fn card(family: &str) -> Record {
    Record::Contact(Contact {
        family_name: family.into(),
        email: format!("{}@elsewhere.example", family.to_lowercase()).into(),
        ..Contact::default()
    })
}

/// An office with things of each sort on both sides, made on either, a series and twins among them.
async fn at_work() -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    for number in 0..3 {
        let name = format!("Mine{number}");
        let things = [
            Record::Event(event(&name, at(number + 1))),
            card(&name),
            task(&name),
        ];
        for (kind, thing) in KINDS.into_iter().zip(things) {
            office.in_mailbox(&row, kind, made_by_owner(thing)).await;
        }
        let theirs = format!("Theirs{number}");
        sales::make(&office.lab, 0, "Task", json!({"Subject": theirs})).await;
        let email = format!("{}@out.example", theirs.to_lowercase());
        sales::make(
            &office.lab,
            0,
            "Contact",
            json!({"LastName": theirs, "Email": email}),
        )
        .await;
    }
    for _ in 0..2 {
        office
            .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("Twin")))
            .await;
    }
    let first = began().date_naive() + TimeDelta::days(1);
    let pattern = "<t:DailyRecurrence><t:Interval>7</t:Interval></t:DailyRecurrence>";
    let range = format!(
        "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>4</t:NumberOfOccurrences>\
         </t:NumberedRecurrence>"
    );
    let start = first.and_hms_opt(9, 0, 0).unwrap().and_utc();
    Outlook::of(&office.lab, 0)
        .create("Round", start, 30, &rule(pattern, &range, "UTC"))
        .await;
    office.settle(&row).await;
    (office, row)
}

/// Every item's id, and how often each record stands there by its title.
async fn both(office: &Office, row: &MailboxRow) -> (BTreeSet<String>, BTreeMap<String, usize>) {
    let (mut items, mut records) = (BTreeSet::new(), BTreeMap::new());
    for kind in KINDS {
        items.extend(
            office
                .items(row, kind)
                .await
                .into_iter()
                .map(|item| item.item.id.0),
        );
        for record in office.records(row, kind).await {
            *records.entry(subject(&record.record).to_owned()).or_default() += 1;
        }
    }
    (items, records)
}

fn refresh(office: &Office, keys: &str, without: &[String]) {
    office.administrate(
        "POST",
        "/salesforce/refresh",
        &json!({"keys": keys, "without": without}),
    );
}

/// Turns until all is quiet; what they did altogether. The first may end at once: it learned of the new organisation on
/// its way.
async fn until_quiet(office: &Office, row: &MailboxRow) -> Counts {
    let mut all = Counts::default();
    for _ in 0..6 {
        let mut quiet = true;
        for (_, result) in office.try_sync(row).await {
            match result {
                Ok(counts) => {
                    quiet &= counts.written() + counts.matched == 0;
                    all.add(&counts);
                }
                Err(error) => {
                    quiet = false;
                    let code = holdfast::foundation::explain::Explain::code(&error);
                    assert_eq!(code, "sync.organisation_changed", "{error:?}");
                }
            }
        }
        if quiet {
            return all;
        }
    }
    panic!("the mailbox does not come to rest: {all:?}");
}

async fn nobody_is_asked(office: &Office, row: &MailboxRow) {
    let held = control::list(&office.engine.db, &granted(Explain), row.mailbox.id)
        .await
        .unwrap();
    assert!(held.is_empty(), "{held:?}");
}

async fn retitle(office: &Office, row: &MailboxRow, from: &str, to: &str) {
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

/// Edits of both sides go on crossing, to the very records and items.
async fn goes_on(office: &Office, row: &MailboxRow) {
    let (items, _) = both(office, row).await;
    retitle(office, row, "Mine2", "Mine again").await;
    let records = office.records(row, RecordKind::Contacts).await;
    let record = records
        .iter()
        .find(|record| subject(&record.record) == "Theirs2")
        .unwrap();
    sales::set(&office.lab, &record.id.0, json!({"LastName": "Theirs again"}));
    let counts = until_quiet(office, row).await;
    let done = (counts.updated_in_crm, counts.updated_in_mailbox, counts.written());
    assert_eq!(done, (1, 1, 2), "{counts:?}");
    assert_eq!(both(office, row).await.0, items);
}

#[tokio::test]
async fn a_refreshed_sandbox_is_joined_again_by_our_keys_and_by_equality_in_every_field() {
    let (office, row) = at_work().await;
    let (items, records) = both(&office, &row).await;
    refresh(&office, "kept", &[]);
    // An item is edited in between: its record is known by the key.
    retitle(&office, &row, "Mine0", "Mine then").await;
    let foretold = preview(&office.engine, &row, &Quiet).await.unwrap();
    let counts = until_quiet(&office, &row).await;
    assert_eq!((counts.written(), counts.updated_in_crm), (1, 1), "{counts:?}");
    assert!(counts.matched >= records.len() as u64, "{counts:?}");
    let (items_after, mut records_after) = both(&office, &row).await;
    assert_eq!(items_after, items);
    let renamed = records_after.remove("Mine then");
    *records_after.entry("Mine0".to_owned()).or_default() += renamed.unwrap();
    assert_eq!(records_after, records);
    nobody_is_asked(&office, &row).await;
    assert!(
        !foretold
            .totals
            .keys()
            .any(|action| action.contains("create") || action.contains("delete"))
    );
    goes_on(&office, &row).await;
}

#[tokio::test]
async fn where_the_keys_were_lost_too_equality_addresses_and_likeness_join_what_belongs_together() {
    let (office, row) = at_work().await;
    let (items, records) = both(&office, &row).await;
    refresh(&office, "lost", &[]);
    // A record whose item we made is edited before anybody looks: it is still the person with that address.
    let contacts = office.pages.records(&row.user, RecordKind::Contacts).await;
    let theirs = contacts
        .iter()
        .find(|record| subject(&record.record) == "Theirs0")
        .unwrap();
    sales::set(&office.lab, &theirs.id.0, json!({"Title": "Countess"}));
    let counts = until_quiet(&office, &row).await;
    assert_eq!(
        (counts.written(), counts.updated_in_mailbox),
        (1, 1),
        "{counts:?}"
    );
    assert_eq!(both(&office, &row).await, (items, records));
    nobody_is_asked(&office, &row).await;
    goes_on(&office, &row).await;
}

#[tokio::test]
async fn what_the_refreshed_sandbox_has_no_more_is_made_again_and_nothing_is_deleted_for_it() {
    let (office, row) = at_work().await;
    let (items, records) = both(&office, &row).await;
    let mut without = Vec::new();
    for kind in KINDS {
        let all = office.records(&row, kind).await;
        let some = all.into_iter().filter(|record| {
            let title = subject(&record.record);
            title.starts_with("Mine1") || title.starts_with("Theirs1") || title == "Round"
        });
        without.extend(some.map(|record| record.id.0));
    }
    refresh(&office, "kept", &without);
    let counts = until_quiet(&office, &row).await;
    assert_eq!(counts.created_in_crm, without.len() as u64, "{counts:?}");
    assert_eq!(counts.written(), counts.created_in_crm, "{counts:?}");
    assert_eq!(both(&office, &row).await, (items, records));
    nobody_is_asked(&office, &row).await;
}

#[tokio::test]
async fn a_turn_that_is_cut_off_while_it_joins_is_repeated_and_doubles_nothing() {
    let (office, row) = at_work().await;
    let (items, records) = both(&office, &row).await;
    let all = office.records(&row, RecordKind::Tasks).await;
    let without: Vec<String> = all.into_iter().take(3).map(|record| record.id.0).collect();
    refresh(&office, "lost", &without);
    office.crm_fails("collections_create", Fault::ApplyThenCut, Some(3));
    let cut = office.try_sync(&row).await;
    let of_tasks = cut.iter().find(|(kind, _)| *kind == RecordKind::Tasks);
    assert!(of_tasks.is_some_and(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    until_quiet(&office, &row).await;
    assert_eq!(both(&office, &row).await, (items, records));
    nobody_is_asked(&office, &row).await;
}
