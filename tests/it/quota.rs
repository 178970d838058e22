//! No CRM is asked more often than it allows, whoever asks; and who must wait says so and goes on by himself.

use crate::harness::{Node, Office, TestDb, until};
use chrono::{TimeDelta, Utc};
use holdfast::crm::budget::CallBudget as _;
use holdfast::foundation::failure::Class;
use holdfast::sync::budget::purse::Purse;
use holdfast::sync::budget::store::{self, Report};
use holdfast::sync::error::SyncError;
use holdfast::sync::estimate;
use holdfast::sync::store::totals;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn nodes_that_share_a_crm_do_not_spend_the_same_calls() {
    let test = TestDb::new();
    let db = test.db().await;
    let fetch = async |node: Uuid, left: u64, heard: Option<(u64, u64)>| {
        let report = Report {
            crm: "sales".to_owned(),
            node,
            left,
            heard,
            reserve_percent: 20,
        };
        let now = Utc::now();
        db.run(move |conn| store::fetch(conn, &report, now))
            .await
            .unwrap()
    };
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    // Of 1000 calls 200 are left to others, and 760 are used: 40 are there for both together.
    let first = fetch(one, 0, Some((760, 1000))).await;
    assert_eq!(first.calls, 40);
    let second = fetch(two, 0, None).await;
    assert_eq!((second.calls, second.known), (0, Some((760, 1000))));
    // The first spent 30 of its 40, and the CRM has counted them.
    assert_eq!(fetch(one, 10, Some((790, 1000))).await.calls, 0);
    assert_eq!(fetch(two, 0, None).await.calls, 0);
    // The window has moved on.
    assert_eq!(fetch(two, 0, Some((700, 1000))).await.calls, 40);
    let told = db.run(store::list).await.unwrap();
    assert_eq!((told[0].used, told[0].ours), (700, 800));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_waits_for_the_crms_calls_says_so_and_goes_on_by_itself() {
    let office = Office::open(1, 12).await;
    let ada = office.add(0).await;
    let purse = Arc::new(Purse::new(20));
    let engine = office.governed_engine(Arc::clone(&purse));
    // What is left is for others.
    purse.put(0, Some((90_000, 100_000)));
    let node = Node::start(&engine);
    let code = async || {
        let now = Utc::now();
        let states = office.engine.db.run(move |conn| totals::streams(conn, now));
        states.await.unwrap().into_iter().next().unwrap().error
    };
    until(
        "the stream says that it waits",
        Duration::from_secs(20),
        async || (code().await.as_deref() == Some("crm.limit_reached")).then_some(()),
    )
    .await;
    assert!(purse.pressure() > 1.0);
    let waiting = office.engine.db.run(|conn| {
        let now = Utc::now();
        totals::streams(conn, now)
    });
    let waiting = waiting.await.unwrap();
    assert!(
        waiting
            .iter()
            .filter(|stream| stream.error.is_some())
            .all(|stream| stream.due_at > Utc::now() + TimeDelta::minutes(4)),
        "nobody knocks again and again"
    );
    node.stop().await;
    // Calls are there again.
    purse.put(10_000, Some((10, 100_000)));
    for (kind, result) in office.try_sync_by(&engine, &ada).await {
        result.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
    }
    assert_eq!(code().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_reading_waits_while_calls_are_scarce_and_live_work_goes_on() {
    let office = Office::open(2, 12).await;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    office.settle(&ada).await;
    let purse = Arc::new(Purse::new(0));
    let engine = office.governed_engine(Arc::clone(&purse));
    // Nine tenths are used.
    purse.put(100_000, Some((900, 1000)));
    for (kind, result) in office.try_sync_by(&engine, &ben).await {
        assert!(
            matches!(&result, Err(error @ SyncError::Crm(_)) if matches!(error.class(), Class::Throttled { .. })),
            "{kind:?}: {result:?}"
        );
    }
    for (kind, result) in office.try_sync_by(&engine, &ada).await {
        result.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        // The CRM's own word counts from the first answer on; it is said again for each stream.
        purse.put(0, Some((900, 1000)));
    }
}

#[tokio::test]
async fn the_estimate_of_the_first_synchronisation_is_of_the_right_size() {
    let office = Office::open(1, 400).await;
    let ada = office.add(0).await;
    let estimate = estimate::mailbox(&office.engine, &ada).await.unwrap();
    let before = office.crm_calls();
    office.sync(&ada).await;
    let took = office.crm_calls() - before;
    assert!(
        estimate.first >= took / 2 && estimate.first <= took * 2,
        "estimated {}, took {took}",
        estimate.first
    );
}
