//! Several nodes on one database: they share the work, a dead one is replaced, and one that slept too long has
//! no say any more.

use crate::harness::acts::{made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::{Office, Site, eventually};
use crate::kills::{Hand, nothing_twice_nothing_missing};
use chrono::{TimeDelta, Utc};
use holdfast::record::kind::RecordKind;
use holdfast::sync::error::SyncError;
use holdfast::sync::model::StreamId;
use holdfast::sync::pass::run_turn;
use holdfast::sync::report::Quiet;
use holdfast::sync::store::{mailboxes, streams, totals};
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(60);

fn status(site: &Site) -> Value {
    let output = site.run(&["--json", "status"]);
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn living(site: &Site) -> usize {
    let status = status(site);
    let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().filter(|node| node["alive"] == true).count()
}

#[tokio::test]
async fn a_turn_whose_lease_was_taken_writes_nothing_outside() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    office.settle(&ada).await;
    let write = made_by_owner(task("too late"));
    office.in_mailbox(&ada, RecordKind::Tasks, write).await;
    let stream = StreamId {
        mailbox: ada.mailbox.id,
        kind: RecordKind::Tasks,
    };
    let lease = async |owner: Uuid, ahead: TimeDelta| {
        let now = Utc::now() + ahead;
        let until = now + TimeDelta::seconds(60);
        let taken = office
            .engine
            .db
            .run(move |conn| streams::lease_one(conn, stream, owner, now, until));
        taken.await.unwrap().unwrap()
    };
    // A node takes the stream and falls asleep; when its lease is over, another one takes it.
    let slept = lease(Uuid::new_v4(), TimeDelta::zero()).await;
    let taken = lease(Uuid::new_v4(), TimeDelta::minutes(5)).await;
    let woken = run_turn(&office.engine, slept, &Quiet).await;
    assert!(matches!(woken, Err(SyncError::LeaseLost)), "{woken:?}");
    let written = office.records(&ada, RecordKind::Tasks).await;
    let late = written
        .iter()
        .filter(|record| subject(&record.record) == "too late");
    assert_eq!(late.count(), 0, "the sleeper wrote to the CRM");
    // The one that has the lease does the work.
    run_turn(&office.engine, taken, &Quiet).await.unwrap();
    let written = office.records(&ada, RecordKind::Tasks).await;
    let done = written
        .iter()
        .filter(|record| subject(&record.record) == "too late");
    assert_eq!(done.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_share_the_work_and_one_takes_over_from_the_other_within_seconds() {
    let mut site = Site::open(4, 40);
    let mut hand = Hand::new(&site);
    site.write_settings("workers = 1");
    site.start_daemon();
    let peer = site.start_peer("two", "workers = 1");
    eventually("two nodes live", SOON, || (living(&site) == 2).then_some(()));
    site.in_step();
    let worked = |folder: &str| site.log(folder).contains("turn done");
    eventually("both have done something", SOON, || {
        (worked("log") && worked("two-log")).then_some(())
    });
    hand.work(&site).await;
    nothing_twice_nothing_missing(&site, &hand);
    site.kill_daemon();
    let killed = Instant::now();
    hand.work(&site).await;
    nothing_twice_nothing_missing(&site, &hand);
    // Leases last five seconds here.
    assert!(
        killed.elapsed() < Duration::from_secs(30),
        "{:?}",
        killed.elapsed()
    );
    eventually("the dead one is missed", SOON, || {
        (living(&site) == 1).then_some(())
    });
    drop(peer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_stopped_and_wakes_late_does_no_harm() {
    let mut site = Site::open(2, 40);
    let mut hand = Hand::new(&site);
    site.start_daemon();
    let peer = site.start_peer("two", "");
    eventually("two nodes live", SOON, || (living(&site) == 2).then_some(()));
    for round in 0..4 {
        hand.work(&site).await;
        // In the middle of whatever it does.
        let until = site.requests() + round * 2;
        eventually("work goes on", SOON, || (site.requests() >= until).then_some(()));
        peer.signal(Signal::STOP);
        hand.work(&site).await;
        nothing_twice_nothing_missing(&site, &hand);
        eventually("the sleeper is missed", SOON, || {
            (living(&site) == 1).then_some(())
        });
        peer.signal(Signal::CONT);
        hand.work(&site).await;
        nothing_twice_nothing_missing(&site, &hand);
        eventually("both live again", SOON, || (living(&site) == 2).then_some(()));
    }
}

#[tokio::test]
async fn a_mailbox_that_was_refused_gets_another_try() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    office.settle(&ada).await;
    let (id, now) = (ada.mailbox.id, Utc::now());
    let (resumed, row, states) = office
        .engine
        .db
        .run(move |conn| {
            mailboxes::set_state(conn, id, "refused", Some("mailbox.outside_scope"))?;
            let resumed = mailboxes::resume_refused(conn, now)?;
            let row = mailboxes::get(conn, id)?.unwrap();
            Ok::<_, SyncError>((resumed, row, totals::streams(conn, now)?))
        })
        .await
        .unwrap();
    assert_eq!(resumed, 1);
    assert_eq!((row.state.as_str(), row.state_code), ("active", None));
    assert!(states.iter().all(|stream| stream.due_at <= now));
}
