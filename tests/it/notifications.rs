//! News crosses when it happens and not when somebody asks; and when the telling fails, nothing is lost.

use crate::harness::acts::{made_by_owner, made_by_user, task};
use crate::harness::office::subject;
use crate::harness::{Node, Office, until};
use chrono::{TimeDelta, Utc};
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::Engine;
use holdfast::sync::error::SyncError;
use holdfast::sync::pace::Pace;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::totals::{self, StreamStatus};
use holdfast::sync::store::{listeners, nodes, streams};
use holdfast_lab::faults::{Fault, Rule, Side};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const HOUR: TimeDelta = TimeDelta::hours(1);

/// Asks once an hour, so that whatever crosses sooner was told.
pub fn hardly_asks(engine: &Engine) -> Engine {
    let mut engine = engine.clone();
    engine.settings.lease = TimeDelta::seconds(5);
    engine.settings.join_after = Duration::from_millis(500);
    engine.settings.pace = Pace {
        busy: HOUR,
        quiet: HOUR,
        listening: HOUR,
    };
    engine
}

pub async fn in_outlook(office: &Office, row: &MailboxRow, title: &str) {
    let write = made_by_owner(task(title));
    office.in_mailbox(row, RecordKind::Tasks, write).await;
}

pub async fn arrives_in_the_crm(office: &Office, row: &MailboxRow, title: &str) {
    until(&format!("{title} is in the CRM"), SOON, async || {
        let records = office.records(row, RecordKind::Tasks).await;
        let copies = records
            .iter()
            .filter(|record| subject(&record.record) == title)
            .count();
        assert!(copies <= 1, "{title} is there twice");
        (copies == 1).then_some(())
    })
    .await;
}

async fn is_heard(office: &Office, row: &MailboxRow) -> bool {
    let (id, now) = (row.mailbox.id, Utc::now());
    let heard = office
        .engine
        .db
        .run(move |conn| listeners::is_heard(conn, id, now));
    heard.await.unwrap()
}

pub async fn stream_states(office: &Office) -> Vec<StreamStatus> {
    let now = Utc::now();
    let states = office.engine.db.run(move |conn| totals::streams(conn, now));
    states.await.unwrap()
}

/// Everybody is listened to, no turn runs and none is due for long.
pub async fn at_rest(office: &Office, rows: &[&MailboxRow]) {
    until("everything is heard and at rest", SOON, async || {
        for row in rows {
            if !is_heard(office, row).await {
                return None;
            }
        }
        let later = Utc::now() + HOUR / 2;
        let states = stream_states(office).await;
        states
            .iter()
            .all(|state| !state.running && state.due_at > later)
            .then_some(())
    })
    .await;
}

fn operations(office: &Office, name: &str) -> u64 {
    let stats = office.lab.parts.stats.side(Side::Exchange);
    stats.operations.get(name).copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_in_outlook_crosses_though_nobody_asks_for_an_hour() {
    let office = Office::open(2, 12).await;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada, &ben]).await;
    in_outlook(&office, &ada, "call Ben").await;
    arrives_in_the_crm(&office, &ada, "call Ben").await;
    in_outlook(&office, &ben, "call Ada").await;
    arrives_in_the_crm(&office, &ben, "call Ada").await;
    assert_eq!(
        office.lab.parts.exchange.open_streams(),
        1,
        "one connection for the group"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_item_of_a_stream_that_rests_is_tried_again_at_its_time() {
    let office = Office::open(1, 12).await;
    let ada = office.add(0).await;
    let mut engine = hardly_asks(&office.engine);
    engine.settings.patience.first = TimeDelta::seconds(1);
    engine.settings.patience.last = TimeDelta::seconds(2);
    let _node = Node::start(&engine);
    at_rest(&office, &[&ada]).await;
    office.crm_fails("collections_create", Fault::LockedRow, Some(1));
    in_outlook(&office, &ada, "call Ben").await;
    arrives_in_the_crm(&office, &ada, "call Ben").await;
    assert_eq!(
        office.lab.parts.faults.rules().len(),
        0,
        "the fault was never met"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_is_added_later_is_heard_as_well() {
    let office = Office::open(2, 6).await;
    let ada = office.add(0).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada]).await;
    let ben = office.add(1).await;
    at_rest(&office, &[&ada, &ben]).await;
    in_outlook(&office, &ben, "later").await;
    arrives_in_the_crm(&office, &ben, "later").await;
    in_outlook(&office, &ada, "still").await;
    arrives_in_the_crm(&office, &ada, "still").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_goes_on_and_nothing_is_lost() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada]).await;
    for round in 0..4 {
        office.lab.parts.exchange.cut_streams();
        let title = format!("cut {round}");
        in_outlook(&office, &ada, &title).await;
        arrives_in_the_crm(&office, &ada, &title).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgot_its_subscriptions_is_subscribed_to_anew_and_nothing_is_lost() {
    let office = Office::open(2, 6).await;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada, &ben]).await;
    for round in 0..3 {
        // Between the two nobody is told of anything, as while a server restarts.
        office.lab.parts.exchange.subscriptions.clear();
        let title = format!("unheard {round}");
        in_outlook(&office, &ben, &title).await;
        office.lab.parts.exchange.cut_streams();
        arrives_in_the_crm(&office, &ben, &title).await;
        at_rest(&office, &[&ada, &ben]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_falls_silent_is_opened_anew() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    let engine = office.engine_with(|settings| settings.silence = Duration::from_secs(1));
    let _node = Node::start(&hardly_asks(&engine));
    at_rest(&office, &[&ada]).await;
    let opened = operations(&office, "GetStreamingEvents");
    until("the silent stream was opened twice more", SOON, async || {
        (operations(&office, "GetStreamingEvents") >= opened + 2).then_some(())
    })
    .await;
    in_outlook(&office, &ada, "after the silence").await;
    arrives_in_the_crm(&office, &ada, "after the silence").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_does_not_answer_keeps_nobody_else_from_being_heard() {
    let office = Office::open(3, 6).await;
    let (ada, ben, cem) = (office.add(0).await, office.add(1).await, office.add(2).await);
    office.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some("Subscribe".to_owned()),
        mailbox: Some(ben.mailbox.address.clone()),
        fault: Fault::Slow { ms: 3_600_000 },
        times: None,
        skip: 0,
        probability: None,
        seed: 0,
    });
    let engine = office.engine_with(|settings| settings.timeout = Duration::from_secs(2));
    let _node = Node::start(&hardly_asks(&engine));
    at_rest(&office, &[&ada, &cem]).await;
    for row in [&ada, &cem] {
        in_outlook(&office, row, "heard").await;
        arrives_in_the_crm(&office, row, "heard").await;
    }
    assert!(!is_heard(&office, &ben).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_notifications_are_refused_streams_are_asked() {
    let office = Office::open(1, 6).await;
    office.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some("Subscribe".to_owned()),
        mailbox: None,
        fault: Fault::HttpStatus {
            status: 403,
            retry_after: None,
        },
        times: None,
        skip: 0,
        probability: None,
        seed: 0,
    });
    let ada = office.add(0).await;
    let mut engine = hardly_asks(&office.engine);
    engine.settings.pace.busy = TimeDelta::milliseconds(500);
    engine.settings.pace.quiet = TimeDelta::milliseconds(500);
    let _node = Node::start(&engine);
    for title in ["asked", "asked again"] {
        in_outlook(&office, &ada, title).await;
        arrives_in_the_crm(&office, &ada, title).await;
    }
    assert!(!is_heard(&office, &ada).await);
    assert_eq!(operations(&office, "GetStreamingEvents"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_writes_come_to_rest() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada]).await;
    let turns = async || {
        let id = ada.mailbox.id.0;
        let fence: i64 = office
            .engine
            .db
            .run(move |conn| {
                use diesel::prelude::*;
                use holdfast::foundation::db::schema::streams;
                let row = streams::table.find((id, RecordKind::Tasks.number()));
                Ok::<_, SyncError>(row.select(streams::fence).first(conn)?)
            })
            .await
            .unwrap();
        fence
    };
    let before = turns().await;
    for round in 0..5 {
        let write = made_by_user(&format!("own-{round}"), task(&format!("from the CRM {round}")));
        office.in_crm(&ada, RecordKind::Tasks, write).await;
    }
    let (id, now) = (ada.mailbox.id, Utc::now());
    office
        .engine
        .db
        .run(move |conn| streams::make_due(conn, id, now))
        .await
        .unwrap();
    until("the tasks are in the mailbox", SOON, async || {
        let items = office.items(&ada, RecordKind::Tasks).await;
        let ours = items
            .iter()
            .filter(|item| subject(&item.record).starts_with("from the CRM"));
        (ours.count() == 5).then_some(())
    })
    .await;
    at_rest(&office, &[&ada]).await;
    let turns = turns().await - before;
    // One that writes, and at most two that our own events call for.
    assert!((1..=3).contains(&turns), "{turns} turns");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_do_not_both_listen_and_one_takes_over_from_the_other() {
    let office = Office::open(2, 6).await;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    let engine = hardly_asks(&office.engine);
    let (first, second) = (Node::start(&engine), Node::start(&engine));
    at_rest(&office, &[&ada, &ben]).await;
    until("both nodes give signs of life", SOON, async || {
        let nodes = office.engine.db.run(nodes::list).await.unwrap();
        (nodes.len() == 2).then_some(())
    })
    .await;
    in_outlook(&office, &ada, "two nodes").await;
    arrives_in_the_crm(&office, &ada, "two nodes").await;
    assert_eq!(office.lab.parts.exchange.open_streams(), 1);
    assert_eq!(operations(&office, "Subscribe"), 2);
    let listens: Option<uuid::Uuid> = office
        .engine
        .db
        .run(|conn| {
            use diesel::prelude::*;
            use holdfast::foundation::db::schema::listen_groups;
            let groups = listen_groups::table.select(listen_groups::lease_owner);
            Ok::<_, SyncError>(groups.first(conn)?)
        })
        .await
        .unwrap();
    let (ends, stays) = match listens == Some(first.id) {
        true => (first, second),
        false => (second, first),
    };
    ends.stop().await;
    at_rest(&office, &[&ada, &ben]).await;
    in_outlook(&office, &ben, "one node").await;
    arrives_in_the_crm(&office, &ben, "one node").await;
    assert_eq!(operations(&office, "Subscribe"), 4);
    let left = office.engine.db.run(nodes::list).await.unwrap();
    assert_eq!(left.iter().map(|node| node.id).collect::<Vec<_>>(), [stays.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_group_of_a_node_that_crashed_moves_to_another() {
    let office = Office::open(1, 6).await;
    let ada = office.add(0).await;
    let engine = hardly_asks(&office.engine);
    let first = Node::start(&engine);
    at_rest(&office, &[&ada]).await;
    let _second = Node::start(&engine);
    drop(first);
    in_outlook(&office, &ada, "after the crash").await;
    arrives_in_the_crm(&office, &ada, "after the crash").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_of_a_change_is_measured_from_the_change_and_what_was_there_before_has_none() {
    let office = Office::open(1, 12).await;
    let ada = office.add(0).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&ada]).await;
    let lag = async || {
        let states = stream_states(&office).await;
        let tasks = states.into_iter().find(|state| state.kind == RecordKind::Tasks);
        tasks.unwrap().lag_ms
    };
    assert_eq!(lag().await, None, "the first reading has no lag");
    in_outlook(&office, &ada, "how long").await;
    arrives_in_the_crm(&office, &ada, "how long").await;
    let lag = until("the lag is known", SOON, async || lag().await).await;
    assert!((0..10_000).contains(&lag), "{lag} ms");
}
