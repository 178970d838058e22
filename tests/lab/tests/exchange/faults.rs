//! What goes wrong when a test wants it to.

use holdfast_lab::faults::{Fault, Rule, Side};
use hyper::StatusCode;

use crate::office::{Office, create, message};
use crate::synchronisation::sync;

fn once(office: &Office, operation: &str, fault: Fault) {
    office.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some(operation.to_owned()),
        mailbox: None,
        fault,
        times: Some(1),
        skip: 0,
        probability: None,
        seed: 0,
    });
}

async fn drafts(office: &Office) -> usize {
    office.ask(0, &sync("drafts", None, 512)).await.good().ids().len()
}

#[tokio::test]
async fn a_busy_server_says_for_how_long() {
    let office = Office::new().await;
    once(&office, "SyncFolderItems", Fault::Busy { back_off_ms: 1234 });
    let answer = office.ask(0, &sync("drafts", None, 10)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.codes(), ["ErrorServerBusy"]);
    assert!(
        answer
            .text
            .contains("<t:Value Name=\"BackOffMilliseconds\">1234</t:Value>")
    );
    office.ask(0, &sync("drafts", None, 10)).await.good();
}

#[tokio::test]
async fn a_lost_answer_does_not_mean_that_nothing_was_done() {
    let office = Office::new().await;
    let before = drafts(&office).await;
    once(&office, "CreateItem", Fault::ApplyThenCut);
    let items = message("A") + &message("B");
    assert!(office.try_ask(0, &create("drafts", &items)).await.is_none());
    assert_eq!(drafts(&office).await, before + 2);
    once(&office, "CreateItem", Fault::HalfApplied);
    assert!(office.try_ask(0, &create("drafts", &items)).await.is_none());
    assert_eq!(drafts(&office).await, before + 3);
}

#[tokio::test]
async fn a_lost_cursor_is_an_invalid_state() {
    let office = Office::new().await;
    let state = office
        .ask(0, &sync("drafts", None, 512))
        .await
        .good()
        .texts("m:SyncState");
    once(&office, "SyncFolderItems", Fault::LostCursor);
    let answer = office.ask(0, &sync("drafts", Some(&state[0]), 10)).await;
    assert_eq!(answer.codes(), ["ErrorInvalidSyncStateData"]);
}

#[tokio::test]
async fn illegal_characters_reach_the_client_as_references() {
    let office = Office::new().await;
    let made = office.create(0, "drafts", &message("A")).await.item();
    once(&office, "GetItem", Fault::IllegalXml);
    let read = office.read(0, &made).await;
    assert!(read.text.contains("<t:Subject>&#x0B;&#x1F;A"), "{}", read.text);
}

#[tokio::test]
async fn a_proxys_page_comes_instead_of_an_answer() {
    let office = Office::new().await;
    once(&office, "SyncFolderItems", Fault::Html { status: 200 });
    let answer = office.ask(0, &sync("drafts", None, 10)).await;
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
}
