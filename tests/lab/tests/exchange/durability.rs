//! With a state file every acknowledged write is there after the lab is gone, under the same ids.

use holdfast_lab::Options;

use crate::office::{Office, delete, message, set};
use crate::synchronisation::sync;

#[tokio::test]
async fn a_restarted_lab_has_the_same_items_change_keys_and_states() {
    let file = std::env::temp_dir().join(format!("holdfast-lab-{}.state", uuid::Uuid::new_v4().simple()));
    let options = Options {
        people: 2,
        items_per_person: 20,
        state: Some(file.clone()),
        ..Options::default()
    };
    let office = Office::with(options.clone()).await;
    let state = office
        .ask(0, &sync("drafts", None, 512))
        .await
        .good()
        .texts("m:SyncState")[0]
        .clone();
    let kept = office.create(0, "drafts", &message("Kept")).await.item();
    let gone = office.create(0, "drafts", &message("Gone")).await.item();
    let subject = "<t:Message><t:Subject>Changed</t:Subject></t:Message>";
    let kept = office
        .ask(0, &set("NeverOverwrite", &kept, "item:Subject", subject))
        .await
        .good()
        .item();
    office.ask(0, &delete(&gone)).await.good();
    let changes = office
        .ask(0, &sync("drafts", Some(&state), 512))
        .await
        .good()
        .text;
    let world = office.lab.parts.exchange.content();
    office.lab.shutdown();

    let again = Office::with(options).await;
    assert!(
        again.lab.parts.exchange.content() == world,
        "the same items and properties"
    );
    let after = again.ask(0, &sync("drafts", Some(&state), 512)).await.good().text;
    assert_eq!(after, changes, "an old state goes on where it was");
    let read = again.read(0, &kept).await.good();
    assert_eq!(read.item(), kept);
    assert_eq!(read.texts("t:Subject"), ["Changed"]);
    assert_eq!(again.read(0, &gone).await.codes(), ["ErrorItemNotFound"]);
    let next = again.create(0, "drafts", &message("Next")).await.item();
    assert!(next != gone && next != kept, "ids are never given twice");
    drop(again);
    std::fs::remove_file(file).expect("the state file is there");
}
