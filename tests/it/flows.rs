//! One-way policies and kept counterparts: what goes the policy's way goes, and nothing ever goes the other.

use crate::harness::acts::{event, made_by_owner, made_by_user};
use crate::harness::office::subject;
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use holdfast::sync::policy::{Deletion, Flow, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;

const KINDS: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

/// A thing of this kind: its title, and its notes.
fn thing(kind: RecordKind, title: &str, notes: &str) -> Record {
    let start = began() + TimeDelta::days(3);
    match kind {
        RecordKind::Calendar => Record::Event(Event {
            body: notes.into(),
            location: "Room 5".into(),
            ..event(
                title,
                When::Timed {
                    start,
                    end: start + TimeDelta::minutes(30),
                },
            )
        }),
        RecordKind::Contacts => Record::Contact(Contact {
            family_name: title.into(),
            notes: notes.into(),
            ..Contact::default()
        }),
        RecordKind::Tasks => Record::Task(Task {
            subject: title.into(),
            body: notes.into(),
            ..Task::default()
        }),
        RecordKind::Mail => panic!("mail is not written"),
    }
}

fn notes(record: &Record) -> &str {
    match record {
        Record::Event(event) => event.body.expose().trim(),
        Record::Contact(contact) => contact.notes.expose().trim(),
        Record::Task(task) => task.body.expose().trim(),
        Record::Email(_) => panic!("mail is not written"),
    }
}

/// An office whose policy sends every record type this way, and treats deletions so.
async fn office(flow: Flow, deletion: Deletion) -> (Office, MailboxRow) {
    let office = Office::open(1, 0).await;
    // People whom the world knows from the start would be in the way of counting.
    let mut policy = Policy::default();
    for common in [
        &mut policy.calendar.common,
        &mut policy.contacts.common,
        &mut policy.tasks.common,
    ] {
        common.flow = flow;
        common.deletion = deletion;
    }
    office.policy("one way", policy).await;
    let row = office.add_with(0, "one way").await;
    (office, row)
}

async fn make_item(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> ItemId {
    let write = made_by_owner(thing(kind, title, "as it was"));
    office.in_mailbox(row, kind, write).await
}

async fn make_record(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> CrmId {
    let key = format!("{title} {}", kind.word());
    let write = made_by_user(&key, thing(kind, title, "as it was"));
    office.in_crm(row, kind, write).await
}

async fn note_on_item(office: &Office, row: &MailboxRow, kind: RecordKind, item: &ItemId, text: &str) {
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Body]),
        record: thing(kind, "", text),
    };
    office.in_mailbox(row, kind, write).await;
}

async fn note_on_record(office: &Office, row: &MailboxRow, kind: RecordKind, id: &CrmId, text: &str) {
    let write = CrmWrite::Update {
        id: id.clone(),
        fields: FieldSet::of(&[Field::Body]),
        record: thing(kind, "", text),
        matches: Vec::new(),
    };
    office.in_crm(row, kind, write).await;
}

async fn delete_item(office: &Office, row: &MailboxRow, kind: RecordKind, item: &ItemId) {
    let write = MailboxWrite::Delete { item: item.clone() };
    office.in_mailbox(row, kind, write).await;
}

async fn delete_record(office: &Office, row: &MailboxRow, kind: RecordKind, id: &CrmId) {
    let write = CrmWrite::Delete { id: id.clone() };
    office.in_crm(row, kind, write).await;
}

/// Items with this title: their ids and notes.
async fn items(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> Vec<(ItemId, String)> {
    let items = office.items(row, kind).await;
    let titled = items.into_iter().filter(|item| subject(&item.record) == title);
    titled
        .map(|item| (item.item.id.clone(), notes(&item.record).to_owned()))
        .collect()
}

/// Records with this title: their ids and notes.
async fn records(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> Vec<(CrmId, String)> {
    let records = office.records(row, kind).await;
    let titled = records
        .into_iter()
        .filter(|record| subject(&record.record) == title);
    titled
        .map(|record| (record.id.clone(), notes(&record.record).to_owned()))
        .collect()
}

#[tokio::test]
async fn to_the_crm_goes_what_is_made_changed_and_deleted_in_the_mailbox() {
    let (office, row) = office(Flow::ToCrm, Deletion::Follow).await;
    for kind in KINDS {
        let item = make_item(&office, &row, kind, "Roof").await;
        office.settle(&row).await;
        let made = records(&office, &row, kind, "Roof").await;
        assert_eq!(made.len(), 1, "{kind:?} is made");
        note_on_item(&office, &row, kind, &item, "new words").await;
        office.settle(&row).await;
        let changed = records(&office, &row, kind, "Roof").await;
        assert_eq!(changed, [(made[0].0.clone(), "new words".to_owned())], "{kind:?}");
        delete_item(&office, &row, kind, &item).await;
        office.settle(&row).await;
        assert_eq!(
            records(&office, &row, kind, "Roof").await,
            [],
            "{kind:?} is deleted"
        );
    }
}

#[tokio::test]
async fn to_the_crm_means_that_nothing_of_the_crm_reaches_the_mailbox() {
    let (office, row) = office(Flow::ToCrm, Deletion::Follow).await;
    for kind in KINDS {
        make_record(&office, &row, kind, "Made there").await;
        let edited = make_item(&office, &row, kind, "Edited there").await;
        let deleted = make_item(&office, &row, kind, "Deleted there").await;
        office.settle(&row).await;
        let before = office.items(&row, kind).await;
        let record = records(&office, &row, kind, "Edited there").await.remove(0).0;
        note_on_record(&office, &row, kind, &record, "their words").await;
        let record = records(&office, &row, kind, "Deleted there").await.remove(0).0;
        delete_record(&office, &row, kind, &record).await;
        office.settle(&row).await;
        let after = office.items(&row, kind).await;
        let versions = |items: &[holdfast::mailbox::model::MailboxItem]| {
            let mut all: Vec<_> = items
                .iter()
                .map(|item| (item.item.id.0.clone(), item.item.version.0.clone()))
                .collect();
            all.sort();
            all
        };
        assert_eq!(versions(&before), versions(&after), "{kind:?}");
        assert!(before.iter().any(|item| item.item.id == edited));
        assert!(before.iter().any(|item| item.item.id == deleted));
    }
}

#[tokio::test]
async fn to_the_mailbox_goes_what_is_made_changed_and_deleted_in_the_crm() {
    let (office, row) = office(Flow::ToMailbox, Deletion::Follow).await;
    for kind in KINDS {
        let record = make_record(&office, &row, kind, "Roof").await;
        office.settle(&row).await;
        let made = items(&office, &row, kind, "Roof").await;
        assert_eq!(made.len(), 1, "{kind:?} is made");
        note_on_record(&office, &row, kind, &record, "new words").await;
        office.settle(&row).await;
        let changed = items(&office, &row, kind, "Roof").await;
        assert_eq!(changed, [(made[0].0.clone(), "new words".to_owned())], "{kind:?}");
        delete_record(&office, &row, kind, &record).await;
        office.settle(&row).await;
        assert_eq!(
            items(&office, &row, kind, "Roof").await,
            [],
            "{kind:?} is deleted"
        );
    }
}

#[tokio::test]
async fn to_the_mailbox_means_that_nothing_of_the_mailbox_reaches_the_crm() {
    let (office, row) = office(Flow::ToMailbox, Deletion::Follow).await;
    for kind in KINDS {
        make_item(&office, &row, kind, "Made there").await;
        make_record(&office, &row, kind, "Edited there").await;
        make_record(&office, &row, kind, "Deleted there").await;
        office.settle(&row).await;
        let stand = |records: Vec<holdfast::crm::model::CrmRecord>| {
            let stand = records.into_iter().map(|record| (record.id, record.modified));
            stand.collect::<Vec<_>>()
        };
        let before = stand(office.records(&row, kind).await);
        let item = items(&office, &row, kind, "Edited there").await.remove(0).0;
        note_on_item(&office, &row, kind, &item, "my words").await;
        let item = items(&office, &row, kind, "Deleted there").await.remove(0).0;
        delete_item(&office, &row, kind, &item).await;
        office.settle(&row).await;
        assert_eq!(before, stand(office.records(&row, kind).await), "{kind:?}");
    }
}

#[tokio::test]
async fn what_was_edited_on_the_receiving_side_stays_until_the_sender_edits_the_same_field() {
    let (office, row) = office(Flow::ToCrm, Deletion::Follow).await;
    for kind in KINDS {
        let item = make_item(&office, &row, kind, "Roof").await;
        office.settle(&row).await;
        let (record, _) = records(&office, &row, kind, "Roof").await.remove(0);
        note_on_record(&office, &row, kind, &record, "their words").await;
        office.settle(&row).await;
        let title = match kind {
            RecordKind::Contacts => Field::FamilyName,
            _ => Field::Subject,
        };
        let renamed = MailboxWrite::Update {
            item: ItemRef {
                id: item.clone(),
                version: ItemVersion(String::new()),
            },
            fields: FieldSet::of(&[title]),
            record: thing(kind, "Roof garden", ""),
        };
        office.in_mailbox(&row, kind, renamed).await;
        office.settle(&row).await;
        let kept = records(&office, &row, kind, "Roof garden").await;
        assert_eq!(kept, [(record.clone(), "their words".to_owned())], "{kind:?}");
        note_on_item(&office, &row, kind, &item, "my words").await;
        let counts = office.sync(&row).await;
        assert_eq!(counts[&kind].conflicts, 1, "{kind:?} is told as a conflict");
        let taken = records(&office, &row, kind, "Roof garden").await;
        assert_eq!(taken, [(record, "my words".to_owned())], "{kind:?}");
    }
}

#[tokio::test]
async fn what_was_deleted_on_the_receiving_side_is_not_made_again() {
    for flow in [Flow::ToCrm, Flow::ToMailbox] {
        let (office, row) = office(flow, Deletion::Follow).await;
        for kind in KINDS {
            let (item, record) = match flow {
                Flow::ToCrm => {
                    let item = make_item(&office, &row, kind, "Roof").await;
                    office.settle(&row).await;
                    let record = records(&office, &row, kind, "Roof").await.remove(0).0;
                    delete_record(&office, &row, kind, &record).await;
                    (item, record)
                }
                _ => {
                    let record = make_record(&office, &row, kind, "Roof").await;
                    office.settle(&row).await;
                    let item = items(&office, &row, kind, "Roof").await.remove(0).0;
                    delete_item(&office, &row, kind, &item).await;
                    (item, record)
                }
            };
            office.settle(&row).await;
            match flow {
                Flow::ToCrm => note_on_item(&office, &row, kind, &item, "new words").await,
                _ => note_on_record(&office, &row, kind, &record, "new words").await,
            }
            office.settle(&row).await;
            let left = (
                items(&office, &row, kind, "Roof").await.len(),
                records(&office, &row, kind, "Roof").await.len(),
            );
            assert_eq!(
                left,
                if flow == Flow::ToCrm { (1, 0) } else { (0, 1) },
                "{kind:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_kept_counterpart_stays_and_does_not_bring_the_deleted_one_back() {
    let (office, row) = office(Flow::Both, Deletion::Keep).await;
    for kind in KINDS {
        let mine = make_item(&office, &row, kind, "Mine").await;
        make_item(&office, &row, kind, "Theirs").await;
        office.settle(&row).await;
        delete_item(&office, &row, kind, &mine).await;
        let theirs = records(&office, &row, kind, "Theirs").await.remove(0).0;
        delete_record(&office, &row, kind, &theirs).await;
        office.settle(&row).await;
        let kept = records(&office, &row, kind, "Mine").await.remove(0).0;
        note_on_record(&office, &row, kind, &kept, "new words").await;
        let kept = items(&office, &row, kind, "Theirs").await.remove(0).0;
        note_on_item(&office, &row, kind, &kept, "new words").await;
        office.settle(&row).await;
        assert_eq!(items(&office, &row, kind, "Mine").await, [], "{kind:?}");
        assert_eq!(records(&office, &row, kind, "Theirs").await, [], "{kind:?}");
    }
}

#[tokio::test]
async fn a_record_type_that_is_off_is_left_alone_on_both_sides() {
    let (office, row) = office(Flow::Off, Deletion::Follow).await;
    for kind in KINDS {
        make_item(&office, &row, kind, "Mine").await;
        make_record(&office, &row, kind, "Theirs").await;
    }
    office.settle(&row).await;
    for kind in KINDS {
        assert_eq!(records(&office, &row, kind, "Mine").await, [], "{kind:?}");
        assert_eq!(items(&office, &row, kind, "Theirs").await, [], "{kind:?}");
    }
}
