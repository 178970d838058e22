//! First readings have workers of their own number: whoever works already does not wait for them.

use crate::harness::acts::{made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::{Node, Office, until};
use diesel::prelude::*;
use holdfast::foundation::db::schema::streams;
use holdfast::record::kind::RecordKind;
use holdfast::sync::error::SyncError;
use holdfast_lab::faults::{Fault, Rule, Side};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// First readings that are under way.
async fn first_readings(office: &Office) -> i64 {
    let count = |conn: &mut PgConnection| {
        let held = streams::table
            .filter(streams::lease_owner.is_not_null())
            .filter(streams::first_read_done.eq(false));
        Ok::<i64, SyncError>(held.count().get_result(conn)?)
    };
    office.engine.db.run(count).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_crosses_while_more_first_readings_wait_than_there_are_workers() {
    let mut office = Office::open(4, 10).await;
    office.engine.settings.workers = 4;
    let ada = office.add(0).await;
    office.settle(&ada).await;
    for person in 1..4 {
        let row = office.add(person).await;
        office.lab.parts.faults.add(Rule {
            side: Side::Exchange,
            operation: Some("SyncFolderItems".to_owned()),
            mailbox: Some(row.mailbox.address.clone()),
            fault: Fault::Slow { ms: 600_000 },
            times: None,
            skip: 0,
            probability: None,
            seed: 1,
        });
    }
    let node = Node::start(&office.engine);
    until(
        "first readings hold all the workers that they get",
        SOON,
        async || (first_readings(&office).await == 3).then_some(()),
    )
    .await;
    let write = made_by_owner(task("Meanwhile"));
    office.in_mailbox(&ada, RecordKind::Tasks, write).await;
    until("the task is in the CRM", SOON, async || {
        let records = office.records(&ada, RecordKind::Tasks).await;
        let crossed = records
            .iter()
            .any(|record| subject(&record.record) == "Meanwhile");
        crossed.then_some(())
    })
    .await;
    assert_eq!(first_readings(&office).await, 3);
    drop(node);
}
