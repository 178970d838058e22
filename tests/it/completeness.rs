//! It adds up, after anything; and where something is missing, that is found.

use crate::harness::Office;
use crate::harness::acts::granted;
use diesel::prelude::*;
use holdfast::access::permission::{Explain, ManageMailboxes};
use holdfast::foundation::db::schema::{links, skips};
use holdfast::mailbox::model::MailboxWrite;
use holdfast::record::kind::RecordKind;
use holdfast::sync::completeness::{Tally, completeness};
use holdfast::sync::control;
use holdfast::sync::error::SyncError;
use holdfast::sync::model::Side;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::Fault;

async fn tallies(office: &Office, row: &MailboxRow) -> Vec<Tally> {
    completeness(&office.engine, &granted(Explain), row)
        .await
        .unwrap()
}

async fn assert_adds_up(office: &Office, row: &MailboxRow) {
    for tally in tallies(office, row).await {
        assert!(tally.adds_up(), "{tally:?}");
    }
}

#[tokio::test]
async fn it_adds_up_after_a_first_turn_after_edits_and_after_faults() {
    let office = Office::open(3, 60).await;
    let row = office.add(0).await;
    let before = tallies(&office, &row).await;
    assert!(
        before.iter().any(|tally| tally.missing > 0),
        "nothing was synchronised yet"
    );
    office.sync(&row).await;
    assert_adds_up(&office, &row).await;
    let listed: u64 = tallies(&office, &row)
        .await
        .iter()
        .map(|tally| tally.listed)
        .sum();
    assert!(listed > 100, "{listed}");
    // Edits: a few items go, on a side each.
    for kind in [RecordKind::Contacts, RecordKind::Tasks] {
        let item = office.items(&row, kind).await.pop().unwrap().item.id;
        office.in_mailbox(&row, kind, MailboxWrite::Delete { item }).await;
    }
    office.settle(&row).await;
    assert_adds_up(&office, &row).await;
    // Faults: every second row is locked, again and again.
    let other = office.add(1).await;
    office.crm_fails("collections_create", Fault::LockedRow, None);
    office.sync(&other).await;
    let faulty = tallies(&office, &other).await;
    assert!(faulty.iter().any(|tally| tally.failed > 0), "{faulty:?}");
    for tally in faulty {
        assert!(tally.adds_up(), "{tally:?}");
    }
}

#[tokio::test]
async fn a_planted_hole_is_found_by_its_id_and_repaired_without_a_double() {
    let office = Office::open(2, 40).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    assert_adds_up(&office, &row).await;
    let contacts = office.items(&row, RecordKind::Contacts).await.len();
    let id = row.mailbox.id;
    let kind = RecordKind::Contacts.number();
    let planted: (i64, String) = office
        .engine
        .db
        .run_for(id, move |conn| {
            let one: (i64, String) = links::table
                .filter(links::kind.eq(kind))
                .select((links::item_key, links::crm_id))
                .first(conn)?;
            diesel::delete(
                links::table
                    .filter(links::kind.eq(kind))
                    .filter(links::item_key.eq(one.0)),
            )
            .execute(conn)?;
            diesel::delete(skips::table.filter(skips::kind.eq(RecordKind::Mail.number()))).execute(conn)?;
            Ok::<_, SyncError>(one)
        })
        .await
        .unwrap();
    let tallies = tallies(&office, &row).await;
    let of = |kind, side| {
        tallies
            .iter()
            .find(|tally| tally.kind == kind && tally.side == side)
            .unwrap()
    };
    let crm = of(RecordKind::Contacts, Side::Crm);
    assert_eq!((crm.missing, &crm.holes), (1, &vec![planted.1]));
    assert_eq!(of(RecordKind::Contacts, Side::Mailbox).missing, 1);
    assert!(of(RecordKind::Mail, Side::Mailbox).missing > 0);
    assert!(of(RecordKind::Calendar, Side::Mailbox).adds_up());
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    control::resync(db, clock, &granted(ManageMailboxes), id)
        .await
        .unwrap();
    office.settle(&row).await;
    assert_adds_up(&office, &row).await;
    assert_eq!(office.items(&row, RecordKind::Contacts).await.len(), contacts);
}
