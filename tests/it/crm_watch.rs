//! What people do in the CRM crosses when they do it; and where nobody watches the CRM, each stream is asked.

use crate::harness::acts::{event, made_by_user, task};
use crate::harness::office::subject;
use crate::harness::{Node, Office, Site, began, eventually, until};
use crate::notifications::{at_rest, hardly_asks, stream_states};
use chrono::{TimeDelta, Utc};
use holdfast::crm::model::CrmWrite;
use holdfast::record::Record;
use holdfast::record::event::When;
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::Engine;
use holdfast::sync::pace::Pace;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::watches;
use holdfast::sync::watch as crm_watch;
use holdfast_lab::faults::Fault;
use std::time::Duration;
use tokio::sync::watch;

const SOON: Duration = Duration::from_secs(30);

async fn is_watched(office: &Office) -> bool {
    let now = Utc::now();
    let watched = office
        .engine
        .db
        .run(move |conn| watches::is_watched(conn, "main", now));
    watched.await.unwrap()
}

async fn watched(office: &Office) {
    until("the CRM is watched", SOON, async || {
        is_watched(office).await.then_some(())
    })
    .await;
}

/// Waits until an item of this title is there, or is not.
async fn in_the_mailbox(office: &Office, row: &MailboxRow, kind: RecordKind, title: &str, is_there: bool) {
    until(
        &format!("{title} is in the mailbox: {is_there}"),
        SOON,
        async || {
            let items = office.items(row, kind).await;
            let copies = items.iter().filter(|item| subject(&item.record) == title).count();
            (copies == usize::from(is_there)).then_some(())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_and_deleted_in_the_crm_crosses_though_nobody_asks_for_an_hour() {
    let office = Office::open(3, 12).await;
    let (ada, ben) = (office.add(0).await, office.add(1).await);
    let _node = Node::start(&hardly_asks(&office.watching_engine(2)));
    watched(&office).await;
    at_rest(&office, &[&ada, &ben]).await;
    let write = made_by_user("call", task("call the ward"));
    let call = office.in_crm(&ada, RecordKind::Tasks, write).await;
    in_the_mailbox(&office, &ada, RecordKind::Tasks, "call the ward", true).await;
    let when = When::Timed {
        start: began() + TimeDelta::days(3),
        end: began() + TimeDelta::days(3) + TimeDelta::hours(1),
    };
    let round = made_by_user("round", Record::Event(event("round", when)));
    office.in_crm(&ben, RecordKind::Calendar, round).await;
    in_the_mailbox(&office, &ben, RecordKind::Calendar, "round", true).await;
    office
        .in_crm(&ada, RecordKind::Tasks, CrmWrite::Delete { id: call })
        .await;
    in_the_mailbox(&office, &ada, RecordKind::Tasks, "call the ward", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_a_watch_over_tells_what_happened_while_nobody_watched() {
    // Nothing to write at first, of which an echo would come.
    let office = Office::open(2, 0).await;
    let ada = office.add(0).await;
    let engine = hardly_asks(&office.watching_engine(1));
    let node = Node::start(&engine);
    watched(&office).await;
    at_rest(&office, &[&ada]).await;
    drop(node);
    let write = made_by_user("call", task("call the ward"));
    office.in_crm(&ada, RecordKind::Tasks, write).await;
    // Nothing else of a node, so that whatever becomes due was told by the watch.
    let (tell, told) = watch::channel(false);
    let next = Engine {
        node: uuid::Uuid::new_v4(),
        ..engine
    };
    let watching = tokio::spawn(crm_watch::run(next, told));
    let due = async |kind: RecordKind| {
        let states = stream_states(&office).await;
        let mut due = states.iter().filter(|state| state.due_at <= Utc::now());
        due.any(|state| state.kind == kind)
    };
    until("the stream of the task is due", SOON, async || {
        due(RecordKind::Tasks).await.then_some(())
    })
    .await;
    assert!(!due(RecordKind::Calendar).await, "nothing happened there");
    tell.send_replace(true);
    watching.await.unwrap();
    assert!(!is_watched(&office).await, "it was given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_can_watch_any_more_streams_are_due_within_the_quiet_rest() {
    let office = Office::open(2, 6).await;
    let ada = office.add(0).await;
    let mut engine = hardly_asks(&office.watching_engine(1));
    let quiet = TimeDelta::minutes(20);
    engine.settings.pace.quiet = quiet;
    engine.settings.pace.busy = quiet;
    let _node = Node::start(&engine);
    watched(&office).await;
    at_rest(&office, &[&ada]).await;
    office.crm_fails("composite", Fault::Down, None);
    until("nobody watches", SOON, async || {
        (!is_watched(&office).await).then_some(())
    })
    .await;
    let states = stream_states(&office).await;
    assert!(states.iter().all(|state| state.due_at <= Utc::now() + quiet));
    office.lab.parts.faults.clear();
    watched(&office).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_heard_on_both_sides_rests_long() {
    let pace = Pace {
        busy: TimeDelta::seconds(60),
        quiet: TimeDelta::seconds(120),
        listening: TimeDelta::hours(1),
    };
    for (watches, least, most) in [(true, 3000, 3600), (false, 50, 120)] {
        let office = Office::open(2, 6).await;
        let ada = office.add(0).await;
        let mut engine = match watches {
            true => office.watching_engine(1),
            false => office.engine.clone(),
        };
        engine.settings.pace = pace;
        let _node = Node::start(&engine);
        until("the task stream rests as it may", SOON, async || {
            let states = stream_states(&office).await;
            let of_tasks = states
                .iter()
                .find(|state| state.mailbox_id == ada.mailbox.id && state.kind == RecordKind::Tasks)?;
            let rests = (of_tasks.due_at - Utc::now()).num_seconds();
            (!of_tasks.running && (least..=most).contains(&rests)).then_some(())
        })
        .await;
    }
}

#[test]
fn a_daemon_watches_the_crm_that_its_settings_say_and_status_tells_of_it() {
    let mut site = Site::open(1, 4);
    site.start_daemon();
    eventually("status says that the CRM is watched", SOON, || {
        let output = site.run(&["status"]);
        let said = String::from_utf8(output.stdout).unwrap();
        said.contains("crm.lab: watched").then_some(())
    });
    let output = site.run(&["--json", "status"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(status["watches"][0]["watched"], true);
}
