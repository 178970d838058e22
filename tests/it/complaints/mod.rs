//! What users of every such program complain of, in the order in which they complain: one test for each, named for
//! what must not happen. The rooms have tests of their own for the ways in which each is kept from happening; here
//! people do what they did when it happened to them.

mod calendar;
mod people;
mod trust;

use crate::harness::Office;
use crate::harness::office::subject;
use holdfast::crm::model::{CrmId, CrmRecord, CrmWrite, ExternalKey};
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeSet;

/// A record that was in the CRM before Holdfast came: it carries no key.
async fn was_there(office: &Office, row: &MailboxRow, record: Record) -> CrmId {
    let kind = record.kind();
    let number = office.records(row, kind).await.len();
    let write = CrmWrite::Create {
        key: ExternalKey(format!("before-{number}")),
        record,
        matches: Vec::new(),
    };
    let id = office.in_crm(row, kind, write).await;
    let path = format!("/salesforce/records/{}", id.0);
    office.administrate("PATCH", &path, &json!({"Holdfast_Key__c": null}));
    id
}

/// The records of this title that any of these people's users has.
async fn records(office: &Office, rows: &[MailboxRow], kind: RecordKind, title: &str) -> Vec<CrmRecord> {
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for row in rows {
        for record in office.records(row, kind).await {
            if subject(&record.record) == title && seen.insert(record.id.clone()) {
                found.push(record);
            }
        }
    }
    found
}

/// How many items of this title a mailbox has.
async fn items(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str) -> usize {
    let items = office.items(row, kind).await;
    items.iter().filter(|item| subject(&item.record) == title).count()
}

fn assert_nobody_noticed(office: &Office) {
    let noticed = office.lab.parts.ledger.entries();
    assert!(noticed.is_empty(), "{noticed:?}");
}
