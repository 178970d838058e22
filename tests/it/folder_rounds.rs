//! Several folders of one stream, round by round: where the cursor of a stream goes on, and what a page of it tells.

use crate::folders::folders;
use crate::harness::acts::task;
use crate::harness::exchange::LabExchange;
use crate::harness::outlook::{self, Outlook};
use crate::harness::until;
use holdfast::foundation::explain::Explain as _;
use holdfast::mailbox::model::{
    ChangePage, ItemChange, MailboxCursor, MailboxRef, MailboxWrite, Notify, Stamp,
};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::FolderRules;
use holdfast_lab::faults::{Fault, Rule, Side};
use std::collections::BTreeMap;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Ada's mailbox as the port knows it, with a choice for tasks.
fn chosen(exchange: &LabExchange, rules: &FolderRules) -> MailboxRef {
    let mut mailbox = exchange.mailbox();
    mailbox.folders.tasks = rules.choice();
    mailbox
}

async fn page(
    server: &impl MailboxServer,
    mailbox: &MailboxRef,
    cursor: Option<&MailboxCursor>,
) -> ChangePage {
    let page = server
        .changes(mailbox, RecordKind::Tasks, cursor, 512)
        .await
        .unwrap();
    assert!(!page.more);
    page
}

fn calls(exchange: &LabExchange) -> BTreeMap<String, u64> {
    exchange.lab.parts.stats.side(Side::Exchange).operations
}

fn a_task(title: &str) -> String {
    format!("<t:Task><t:Subject>{title}</t:Subject></t:Task>")
}

#[tokio::test]
async fn a_cursor_from_before_there_were_folders_goes_on_and_the_default_folder_alone_costs_one_call() {
    let exchange = LabExchange::empty().await;
    let (outlook, server) = (Outlook::of(&exchange.lab, 0), exchange.server());
    let folder = outlook.make_folder("tasks", "TasksFolder", "Customers").await;
    outlook.make_in(&outlook::known("tasks"), &a_task("before")).await;
    outlook.make_in(&outlook::folder(&folder), &a_task("named")).await;
    let alone = chosen(&exchange, &folders(true, &[]));
    let first = page(&server, &alone, None).await;
    assert_eq!(first.changes.len(), 1);
    exchange.lab.parts.stats.reset();
    let second = page(&server, &alone, Some(&first.cursor)).await;
    assert!(second.changes.is_empty());
    assert_eq!(
        calls(&exchange),
        BTreeMap::from([("SyncFolderItems".to_owned(), 1)])
    );
    // By a process that has just come up: what was read is not read again.
    let (server, both) = (
        exchange.server(),
        chosen(&exchange, &folders(true, &["Customers"])),
    );
    let third = page(&server, &both, Some(&first.cursor)).await;
    assert_eq!(third.changes.len(), 1);
    // And one that reads the default folder no more must look at what it read there.
    let only = chosen(&exchange, &folders(false, &["Customers"]));
    let lost = server
        .changes(&only, RecordKind::Tasks, Some(&first.cursor), 512)
        .await;
    assert_eq!(lost.unwrap_err().code(), "mailbox.cursor_lost");
    let lost = server
        .changes(&alone, RecordKind::Tasks, Some(&third.cursor), 512)
        .await;
    assert_eq!(lost.unwrap_err().code(), "mailbox.cursor_lost");
}

#[tokio::test]
async fn both_ends_of_a_move_are_in_one_page_though_it_happens_while_the_folders_are_read() {
    let exchange = LabExchange::empty().await;
    let (outlook, server) = (Outlook::of(&exchange.lab, 0), exchange.server());
    let folder = outlook.make_folder("tasks", "TasksFolder", "Customers").await;
    let item = outlook
        .make_in(&outlook::folder(&folder), &a_task("on its way"))
        .await;
    let mailbox = chosen(&exchange, &folders(true, &["Customers"]));
    let first = page(&server, &mailbox, None).await;
    // The default folder was read, and the other one is about to be.
    exchange.lab.parts.stats.reset();
    exchange.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some("SyncFolderItems".to_owned()),
        mailbox: None,
        fault: Fault::Slow { ms: 2_000 },
        times: Some(1),
        skip: 1,
        probability: None,
        seed: 0,
    });
    let moves = async {
        until("the second folder is asked for", SOON, async || {
            (calls(&exchange).get("SyncFolderItems") == Some(&2)).then_some(())
        })
        .await;
        outlook.move_to(&outlook::known("tasks"), &item).await
    };
    let (second, moved) = tokio::join!(page(&server, &mailbox, Some(&first.cursor)), moves);
    let told: Vec<String> = second
        .changes
        .into_iter()
        .map(|change| match change {
            ItemChange::Upserted(item) => item.id.0,
            ItemChange::Deleted(id) => format!("gone {}", id.0),
        })
        .collect();
    assert!(told.contains(&format!("gone {item}")), "{told:?}");
    assert!(told.contains(&moved), "{told:?}");
}

#[tokio::test]
async fn an_item_that_was_made_in_a_named_folder_is_found_by_its_stamp() {
    let exchange = LabExchange::empty().await;
    let (outlook, server) = (Outlook::of(&exchange.lab, 0), exchange.server());
    outlook.make_folder("tasks", "TasksFolder", "Customers").await;
    let mailbox = chosen(&exchange, &folders(false, &["Customers"]));
    let stamp = Stamp("5e1ec7ed".to_owned());
    let write = MailboxWrite::Create {
        stamp: stamp.clone(),
        record: task("named"),
    };
    let kind = RecordKind::Tasks;
    let made = server
        .write(&mailbox, kind, &[write], Notify::Nobody)
        .await
        .unwrap()
        .pop();
    let found = server.find_stamped(&mailbox, kind, &[stamp]).await.unwrap().pop();
    assert_eq!(found.unwrap().unwrap().id, made.unwrap().unwrap().item.id);
}
