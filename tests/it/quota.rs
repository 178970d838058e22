//! No CRM is asked more often than it allows, whoever asks; and who must wait says so and goes on by himself.

use crate::harness::{Node, Office, TestDb, until};
use chrono::{TimeDelta, Utc};
use holdfast::crm::budget::CallBudget as _;
use holdfast::foundation::failure::Class;
use holdfast::sync::budget::store::{self, Report};
use holdfast::sync::budget::{self, purse::Purse};
use holdfast::sync::error::SyncError;
use holdfast::sync::estimate;
use holdfast::sync::store::totals;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
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
            backfill: 0,
            backfill_percent: 100,
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
    let now = Utc::now();
    let told = db.run(move |conn| store::list(conn, now)).await.unwrap();
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
async fn whoever_outruns_the_calls_at_hand_gets_more_while_the_crm_allows_them() {
    let office = Office::open(1, 0).await;
    let ada = office.add(0).await;
    let purse = Arc::new(Purse::new(20));
    let engine = office.governed_engine(Arc::clone(&purse));
    let purses = BTreeMap::from([("main".to_owned(), Arc::clone(&purse))]);
    let (tell, told) = watch::channel(false);
    let filling = tokio::spawn(budget::run(engine.clone(), purses, told));
    until(
        "the first calls are fetched",
        Duration::from_secs(20),
        async || (purse.report().0 > 0).then_some(()),
    )
    .await;
    let crm = engine.crm("main").unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..300 {
        let (crm, user) = (Arc::clone(&crm), ada.user.clone());
        calls.spawn(async move { crm.probe(&user).await });
    }
    for probed in calls.join_all().await {
        probed.unwrap();
    }
    tell.send_replace(true);
    filling.await.unwrap();
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
async fn what_first_readings_take_counts_for_all_nodes_and_is_forgotten_after_a_day() {
    let test = TestDb::new();
    let db = test.db().await;
    let start = Utc::now();
    let told = async |hours: i64, backfill: u64| {
        let report = Report {
            crm: "sales".to_owned(),
            node: Uuid::new_v4(),
            left: 0,
            heard: Some((0, 1000)),
            reserve_percent: 20,
            backfill,
            backfill_percent: 50,
        };
        let now = start + TimeDelta::hours(hours);
        let fetched = db.run(move |conn| store::fetch(conn, &report, now));
        fetched.await.unwrap().backfill
    };
    assert_eq!(told(0, 300).await, 300);
    assert_eq!(told(0, 50).await, 350);
    assert_eq!(told(12, 100).await, 450);
    let now = start + TimeDelta::hours(12);
    let shown = db.run(move |conn| store::list(conn, now)).await.unwrap();
    assert_eq!((shown[0].backfill, shown[0].backfill_share), (450, 400));
    assert_eq!(told(25, 1).await, 101);
    assert_eq!(told(37, 0).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_reading_stops_at_its_share_of_calls_and_goes_on_with_the_day_while_live_work_never_waits() {
    let mut office = Office::open(2, 120).await;
    office.engine.settings.page_size = 2;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    office.settle(&ada).await;
    let purse = Arc::new(Purse::sharing(0, 10));
    let engine = office.governed_engine(Arc::clone(&purse));
    purse.put(100_000, Some((0, 100_000)));
    let well = |results: Vec<(_, Result<_, SyncError>)>| {
        for (kind, result) in results {
            result.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    };
    well(office.try_sync_by(&engine, &ada).await);
    assert_eq!(purse.backfill(), 0, "live work is not counted as a first reading");
    // A tenth of what the CRM allows is theirs, and of that a handful is left.
    let (_, allowed) = engine.crm("main").unwrap().calls().unwrap();
    let share = allowed / 10;
    purse.told_backfill(0, share - 15);
    let stopped = office.try_sync_by(&engine, &ben).await;
    let waits = |result: &Result<_, SyncError>| matches!(result, Err(SyncError::BackfillWaits { .. }));
    assert!(stopped.iter().all(|(_, result)| waits(result)), "{stopped:?}");
    let states = office
        .engine
        .db
        .run(|conn| totals::streams(conn, Utc::now()))
        .await
        .unwrap();
    let bens = states
        .iter()
        .filter(|stream| stream.mailbox == ben.mailbox.address);
    let (read, total) = bens.clone().fold((0, 0), |(read, total), stream| {
        (read + stream.read, total + stream.read_total.unwrap_or(0))
    });
    assert!(
        0 < read && read < total,
        "{read} of {total} were read before the share was taken"
    );
    assert!(
        bens.clone()
            .all(|stream| stream.error.as_deref() == Some("sync.backfill_waits"))
    );
    well(office.try_sync_by(&engine, &ada).await);
    // The day has moved on.
    purse.told_backfill(purse.backfill(), 0);
    well(office.try_sync_by(&engine, &ben).await);
    assert!(purse.backfill() > 0);
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
