//! A mailbox that comes back from a backup: every item in it has another id, and nothing is doubled, deleted or asked
//! about.

use crate::harness::acts::{event, granted, made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::outlook::{Outlook, rule};
use crate::harness::sales;
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::access::permission::Explain;
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::When;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::guard::control;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeSet;

pub const KINDS: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

fn card(family: &str, company: &'static str) -> Record {
    Record::Contact(Contact {
        family_name: family.into(),
        company: company.into(),
        email: format!("{}@elsewhere.example", family.to_lowercase()).into(),
        ..Contact::default()
    })
}

pub fn at(days: i64) -> When {
    let start = began() + TimeDelta::days(days);
    When::Timed {
        start,
        end: start + TimeDelta::hours(1),
    }
}

/// An office with things of each sort, made on either side.
async fn at_work() -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    for number in 0..4 {
        let name = format!("Mine{number}");
        let things = [
            Record::Event(event(&name, at(number + 1))),
            card(&name, "Engines"),
            task(&name),
        ];
        for (kind, thing) in KINDS.into_iter().zip(things) {
            office.in_mailbox(&row, kind, made_by_owner(thing)).await;
        }
        let theirs = format!("Theirs{number}");
        sales::make(&office.lab, 0, "Task", json!({"Subject": theirs})).await;
        let email = format!("{}@out.example", theirs.to_lowercase());
        let contact = json!({"LastName": theirs, "Email": email});
        sales::make(&office.lab, 0, "Contact", contact).await;
    }
    // Two that are the same in everything.
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

async fn record_ids(office: &Office, row: &MailboxRow) -> BTreeSet<CrmId> {
    let mut ids = BTreeSet::new();
    for kind in KINDS {
        let records = office.records(row, kind).await;
        ids.extend(records.into_iter().map(|record| record.id));
    }
    ids
}

async fn item_ids(office: &Office, row: &MailboxRow) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for kind in KINDS {
        let items = office.items(row, kind).await;
        ids.extend(items.into_iter().map(|item| item.item.id.0));
    }
    ids
}

async fn edit(office: &Office, row: &MailboxRow, kind: RecordKind, name: &str, field: Field, to: Record) {
    let items = office.items(row, kind).await;
    let item = items.iter().find(|item| subject(&item.record) == name).unwrap();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[field]),
        record: to,
    };
    office.in_mailbox(row, kind, write).await;
}

#[tokio::test]
async fn a_restored_mailbox_is_joined_with_its_records_again_and_nothing_is_doubled_or_deleted() {
    let (office, row) = at_work().await;
    let (items, records) = (item_ids(&office, &row).await, record_ids(&office, &row).await);
    office.lab.parts.exchange.restore(&row.mailbox.address).unwrap();
    // Somebody edits a card and a meeting before the next turn.
    let company = card("Mine1", "Looms");
    edit(
        &office,
        &row,
        RecordKind::Contacts,
        "Mine1",
        Field::Company,
        company,
    )
    .await;
    let mut longer = event("Mine1", at(2));
    longer.location = "Room 4".into();
    edit(
        &office,
        &row,
        RecordKind::Calendar,
        "Mine1",
        Field::Location,
        Record::Event(longer),
    )
    .await;
    let restored = item_ids(&office, &row).await;
    assert_eq!(
        (restored.len(), restored.intersection(&items).count()),
        (items.len(), 0)
    );
    let counts = office.sync(&row).await;
    for (kind, counts) in &counts {
        let made = counts.created_in_crm + counts.created_in_mailbox;
        let gone = counts.deleted_in_crm + counts.deleted_in_mailbox + counts.held;
        assert_eq!((made, gone), (0, 0), "{kind:?} {counts:?}");
    }
    office.settle(&row).await;
    assert_eq!(record_ids(&office, &row).await, records);
    assert_eq!(item_ids(&office, &row).await, restored);
    let may = granted(Explain);
    let waiting = control::list(&office.engine.db, &may, row.mailbox.id);
    assert!(waiting.await.unwrap().is_empty());
}

#[tokio::test]
async fn after_a_restore_edits_cross_both_ways_as_before() {
    let (office, row) = at_work().await;
    let records = record_ids(&office, &row).await;
    office.lab.parts.exchange.restore(&row.mailbox.address).unwrap();
    office.settle(&row).await;
    edit(
        &office,
        &row,
        RecordKind::Tasks,
        "Mine2",
        Field::Subject,
        task("Mine2, edited"),
    )
    .await;
    let tasks = office.records(&row, RecordKind::Tasks).await;
    for record in tasks {
        if subject(&record.record) == "Theirs2" {
            let write = CrmWrite::Update {
                id: record.id,
                fields: FieldSet::of(&[Field::Subject]),
                record: task("Theirs2, edited"),
                matches: Vec::new(),
            };
            office.in_crm(&row, RecordKind::Tasks, write).await;
        }
    }
    office.settle(&row).await;
    let titles = |all: Vec<Record>| {
        all.iter()
            .map(|one| subject(one).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let here = office.items(&row, RecordKind::Tasks).await;
    let there = office.records(&row, RecordKind::Tasks).await;
    let here = titles(here.into_iter().map(|item| item.record).collect());
    assert_eq!(
        here,
        titles(there.into_iter().map(|record| record.record).collect())
    );
    assert!(
        here.contains("Mine2, edited") && here.contains("Theirs2, edited"),
        "{here:?}"
    );
    assert_eq!(record_ids(&office, &row).await, records);
}
