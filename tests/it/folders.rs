//! Folders of a person's choice: what lies in a folder that the policy names takes part, what lies elsewhere does not, and
//! whoever moves an item, or changes the choice, orphans nothing.

use crate::harness::acts::{granted, made_by_owner, made_by_user, task};
use crate::harness::office::subject;
use crate::harness::outlook::{self, Outlook};
use crate::harness::{Node, Office, began, sales};
use crate::notifications::{arrives_in_the_crm, at_rest, hardly_asks};
use chrono::TimeDelta;
use holdfast::access::permission::{Explain, ManagePolicies};
use holdfast::foundation::explain::Explain as _;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::completeness::completeness;
use holdfast::sync::control::set_policy;
use holdfast::sync::error::SyncError;
use holdfast::sync::explain::explain;
use holdfast::sync::policy::{FolderRules, OutOfScope, Policy};
use holdfast::sync::preview::preview;
use holdfast::sync::report::Quiet;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeMap;

pub fn folders(default: bool, also: &[&str]) -> FolderRules {
    FolderRules {
        default,
        also: also.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// A policy with this choice of folders for each record type.
pub fn choosing(rules: &FolderRules, choice: OutOfScope) -> Policy {
    let mut policy = Policy::default();
    policy.calendar.folders = rules.clone();
    policy.contacts.folders = rules.clone();
    policy.tasks.folders = rules.clone();
    policy.calendar.common.out_of_scope = choice;
    policy.tasks.common.out_of_scope = choice;
    policy
}

pub fn named(choice: OutOfScope) -> Policy {
    choosing(&folders(true, &["customers"]), choice)
}

pub fn default_alone(choice: OutOfScope) -> Policy {
    choosing(&folders(true, &[]), choice)
}

/// An office under a policy; Ada has a folder for tasks of this name, whose identifier is given as well.
pub async fn with_folder(policy: Policy) -> (Office, MailboxRow, String) {
    let office = Office::open(2, 0).await;
    office.policy("house", policy).await;
    let row = office.add_with(0, "house").await;
    let outlook = Outlook::of(&office.lab, 0);
    let id = outlook
        .make_folder("msgfolderroot", "TasksFolder", "Customers")
        .await;
    (office, row, id)
}

/// Makes a task in a folder as its owner would.
pub async fn make_in(office: &Office, folder: &str, title: &str) -> ItemId {
    let item = format!("<t:Task><t:Subject>{title}</t:Subject></t:Task>");
    let outlook = Outlook::of(&office.lab, 0);
    ItemId(outlook.make_in(&outlook::folder(folder), &item).await)
}

/// The titles of the tasks in the folders that the mailbox's policy chooses, and in the CRM.
pub async fn titles(office: &Office, row: &MailboxRow) -> [Vec<String>; 2] {
    let row = office.engine.with_folders(row).await.unwrap();
    let items = office.items(&row, RecordKind::Tasks).await;
    let items = items.iter().map(|item| subject(&item.record).to_owned());
    let records = office.records(&row, RecordKind::Tasks).await;
    let records = records.iter().map(|record| subject(&record.record).to_owned());
    let mut both = [items.collect::<Vec<_>>(), records.collect()];
    both.iter_mut().for_each(|titles| titles.sort());
    both
}

async fn records(office: &Office, row: &MailboxRow) -> BTreeMap<String, String> {
    let records = office.records(row, RecordKind::Tasks).await;
    let pair =
        |record: &holdfast::crm::model::CrmRecord| (subject(&record.record).to_owned(), record.id.0.clone());
    records.iter().map(pair).collect()
}

async fn rename_item(office: &Office, row: &MailboxRow, id: &ItemId, to: &str) {
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Subject]),
        record: task(to),
    };
    office.in_mailbox(row, RecordKind::Tasks, write).await;
}

pub async fn rename_record(office: &Office, row: &MailboxRow, from: &str, to: &str) {
    let id = records(office, row).await[from].clone();
    sales::set(&office.lab, &id, json!({"Subject": to}));
}

pub async fn foreseen(office: &Office, row: &MailboxRow) -> BTreeMap<&'static str, u64> {
    let mut said = preview(&office.engine, row, &Quiet).await.unwrap().totals;
    said.remove("skip");
    said
}

/// Each record type with its default folder, the element of its folders and an item named NAME.
fn sorts() -> [(RecordKind, &'static str, &'static str, String); 3] {
    let day = (began() + TimeDelta::days(3)).date_naive();
    let meeting = format!(
        "<t:CalendarItem><t:Subject>NAME</t:Subject><t:Start>{day}T10:00:00Z</t:Start><t:End>{day}T11:00:00Z</t:End>\
         </t:CalendarItem>"
    );
    let card = "<t:Contact><t:GivenName>Ada</t:GivenName><t:Surname>NAME</t:Surname></t:Contact>";
    let task = "<t:Task><t:Subject>NAME</t:Subject></t:Task>";
    [
        (RecordKind::Tasks, "tasks", "TasksFolder", task.to_owned()),
        (
            RecordKind::Contacts,
            "contacts",
            "ContactsFolder",
            card.to_owned(),
        ),
        (RecordKind::Calendar, "calendar", "CalendarFolder", meeting),
    ]
}

#[tokio::test]
async fn what_lies_in_a_named_folder_crosses_where_the_policy_names_it_and_nowhere_else() {
    let office = Office::open(2, 0).await;
    office.policy("house", default_alone(OutOfScope::Keep)).await;
    let row = office.add_with(0, "house").await;
    let outlook = Outlook::of(&office.lab, 0);
    let sorts = sorts();
    for (_, known, element, item) in &sorts {
        let wanted = outlook.make_folder(known, element, "Customers").await;
        let other = outlook.make_folder(known, element, "Private").await;
        for (folder, name) in [
            (outlook::known(known), "default"),
            (outlook::folder(&wanted), "named"),
            (outlook::folder(&other), "elsewhere"),
        ] {
            outlook.make_in(&folder, &item.replace("NAME", name)).await;
        }
    }
    // The org has cards of its own.
    let ours = |name: &String| ["default", "named", "elsewhere", "late"].contains(&name.as_str());
    let crossed = async |kind| {
        let records = office.records(&row, kind).await;
        let names = records.iter().map(|one| subject(&one.record).to_owned());
        let mut names: Vec<String> = names.filter(ours).collect();
        names.sort();
        names
    };
    office.settle(&row).await;
    for (kind, ..) in &sorts {
        assert_eq!(crossed(*kind).await, ["default"], "{kind:?}");
    }
    office.policy("house", named(OutOfScope::Keep)).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("create in CRM", 3)])
    );
    office.settle(&row).await;
    for (kind, ..) in &sorts {
        assert_eq!(crossed(*kind).await, ["default", "named"], "{kind:?}");
    }
    // The named one alone, of what is new.
    let only = choosing(&folders(false, &["Absent", " CUSTOMERS "]), OutOfScope::Keep);
    office.policy("house", only).await;
    office.settle(&row).await;
    for (_, known, _, item) in &sorts {
        outlook
            .make_in(&outlook::known(known), &item.replace("NAME", "late"))
            .await;
    }
    office.settle(&row).await;
    for (kind, ..) in &sorts {
        assert_eq!(crossed(*kind).await, ["default", "named"], "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn news_in_a_named_folder_crosses_though_nobody_asks_for_an_hour() {
    let (office, row, folder) = with_folder(named(OutOfScope::Keep)).await;
    let _node = Node::start(&hardly_asks(&office.engine));
    at_rest(&office, &[&row]).await;
    make_in(&office, &folder, "in the folder").await;
    arrives_in_the_crm(&office, &row, "in the folder").await;
    // A folder that comes to bear a name of the policy, and one that a new policy names.
    let outlook = Outlook::of(&office.lab, 0);
    let (second, third) = (
        outlook.make_folder("tasks", "TasksFolder", "Customers").await,
        outlook.make_folder("tasks", "TasksFolder", "Partners").await,
    );
    make_in(&office, &second, "in a new folder").await;
    arrives_in_the_crm(&office, &row, "in a new folder").await;
    let policy = choosing(&folders(true, &["customers", "partners"]), OutOfScope::Keep);
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    set_policy(db, clock, &granted(ManagePolicies), "house", policy)
        .await
        .unwrap();
    make_in(&office, &third, "in a folder that is named now").await;
    arrives_in_the_crm(&office, &row, "in a folder that is named now").await;
}

#[tokio::test]
async fn what_is_made_in_the_crm_goes_to_the_default_folder_or_where_it_takes_no_part_to_the_first_named_one()
{
    let (office, row, _) = with_folder(named(OutOfScope::Keep)).await;
    let outlook = Outlook::of(&office.lab, 0);
    outlook.make_folder("tasks", "TasksFolder", "Others").await;
    let in_default = async || {
        let items = office.items(&row, RecordKind::Tasks).await;
        items
            .iter()
            .map(|item| subject(&item.record).to_owned())
            .collect::<Vec<_>>()
    };
    office
        .in_crm(&row, RecordKind::Tasks, made_by_user("1", task("first")))
        .await;
    office.settle(&row).await;
    assert_eq!(in_default().await, ["first"]);
    let tasks_only = |also: &[&str]| {
        let mut policy = Policy::default();
        policy.tasks.folders = folders(false, also);
        policy
    };
    office
        .policy("house", tasks_only(&["Absent", "Others", "Customers"]))
        .await;
    office
        .in_crm(&row, RecordKind::Tasks, made_by_user("2", task("second")))
        .await;
    office.settle(&row).await;
    assert_eq!(in_default().await, ["first"]);
    let [items, _] = titles(&office, &row).await;
    assert_eq!(items, ["second"]);
    office.policy("house", tasks_only(&["Others"])).await;
    assert_eq!(titles(&office, &row).await[0], ["second"]);
}

#[tokio::test]
async fn an_item_that_is_moved_between_two_folders_of_the_stream_keeps_its_record() {
    let (office, row, folder) = with_folder(named(OutOfScope::Keep)).await;
    let outlook = Outlook::of(&office.lab, 0);
    let mine = office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("mine")))
        .await;
    office
        .in_crm(&row, RecordKind::Tasks, made_by_user("1", task("theirs")))
        .await;
    office.settle(&row).await;
    let before = records(&office, &row).await;
    assert_eq!(before.len(), 2);
    let items = office.items(&row, RecordKind::Tasks).await;
    let theirs = items
        .iter()
        .find(|item| subject(&item.record) == "theirs")
        .unwrap();
    let to = outlook::folder(&folder);
    let moved = outlook.move_to(&to, &mine.0).await;
    outlook.move_to(&to, &theirs.item.id.0).await;
    let counts = office.sync(&row).await;
    let tasks = &counts[&RecordKind::Tasks];
    assert_eq!((tasks.written(), tasks.deleted_in_crm), (0, 0), "{tasks:?}");
    office.settle(&row).await;
    assert_eq!(records(&office, &row).await, before);
    // They go on, both ways.
    rename_item(&office, &row, &ItemId(moved), "mine, edited").await;
    rename_record(&office, &row, "theirs", "theirs, edited").await;
    office.settle(&row).await;
    let all = ["mine, edited", "theirs, edited"];
    assert_eq!(titles(&office, &row).await, [all, all]);
    assert_eq!(
        records(&office, &row).await.into_values().collect::<Vec<_>>(),
        before.into_values().collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn it_adds_up_with_folders_that_the_policy_names() {
    let office = Office::open(2, 20).await;
    office.policy("house", named(OutOfScope::Keep)).await;
    let row = office.add_with(0, "house").await;
    let outlook = Outlook::of(&office.lab, 0);
    let folder = outlook.make_folder("tasks", "TasksFolder", "Customers").await;
    for title in ["one", "two", "three"] {
        make_in(&office, &folder, title).await;
    }
    office.settle(&row).await;
    let tallies = completeness(&office.engine, &granted(Explain), &row)
        .await
        .unwrap();
    for tally in &tallies {
        assert!(tally.adds_up(), "{tally:?}");
    }
    let listed = async |policy| {
        office.policy("house", policy).await;
        let tallies = completeness(&office.engine, &granted(Explain), &row)
            .await
            .unwrap();
        let mut tasks = tallies
            .into_iter()
            .filter(|tally| tally.kind == RecordKind::Tasks);
        let tally = tasks.next().unwrap();
        (tally.listed, tally.counted.unwrap())
    };
    let (all, counted) = listed(named(OutOfScope::Keep)).await;
    assert_eq!(all, counted);
    assert_eq!(listed(default_alone(OutOfScope::Keep)).await, (all - 3, all - 3));
    let only = choosing(&folders(false, &["Customers"]), OutOfScope::Keep);
    let mut tasks_only = Policy::default();
    tasks_only.tasks.folders = only.tasks.folders;
    assert_eq!(listed(tasks_only).await, (3, 3));
}

#[tokio::test]
async fn a_mailbox_without_any_of_the_folders_says_so_and_goes_on_when_one_is_there() {
    let (office, row, _) = with_folder(Policy::default()).await;
    let mut policy = Policy::default();
    policy.tasks.folders = folders(false, &["Partners"]);
    office.policy("house", policy).await;
    let turns = office.try_sync(&row).await;
    for (kind, turn) in turns {
        match (kind, turn) {
            (RecordKind::Tasks, Err(error)) => {
                assert_eq!(error.code(), "mailbox.no_such_folder");
                assert!(error.sentence().contains("folders.also"));
            }
            (RecordKind::Tasks, Ok(_)) => panic!("there is no folder to read"),
            (_, turn) => assert!(turn.is_ok()),
        }
    }
    let outlook = Outlook::of(&office.lab, 0);
    let folder = outlook.make_folder("inbox", "TasksFolder", "partners").await;
    make_in(&office, &folder, "at last").await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, [["at last"], ["at last"]]);
}

#[tokio::test]
async fn a_policy_that_chooses_no_folder_is_not_stored() {
    let office = Office::open(1, 0).await;
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    let mut policy = Policy::default();
    policy.contacts.folders = folders(false, &[" "]);
    let refused = set_policy(db, clock, &granted(ManagePolicies), "house", policy).await;
    let error = refused.unwrap_err();
    assert!(matches!(
        error,
        SyncError::NoFolders {
            kind: RecordKind::Contacts
        }
    ));
    assert!(error.sentence().contains("contacts.folders.also"));
}

#[tokio::test]
async fn explain_names_the_folder_rule_for_an_item_that_lies_elsewhere() {
    let (office, row, folder) = with_folder(default_alone(OutOfScope::Keep)).await;
    let item = make_in(&office, &folder, "elsewhere").await;
    let said = async || explain(&office.engine, &row, &item.0).await.unwrap().unwrap();
    assert_eq!(said().await.decided.as_deref(), Some("tasks.folders (mailbox)"));
    office.policy("house", named(OutOfScope::Keep)).await;
    let said = said().await;
    assert_eq!((said.decided, said.verdict.as_str()), (None, "create in CRM"));
}
