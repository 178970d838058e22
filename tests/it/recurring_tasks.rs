//! Recurring tasks: the occurrence whose turn it is goes on being one task on both sides, and each one that was
//! completed stays as a completed task on both.

use crate::harness::outlook::Outlook;
use crate::harness::{Office, began};
use chrono::{Days, NaiveDate};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::mailbox::model::MailboxWrite;
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Status, Task};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::{Fault, Rule, Side};
use serde_json::json;
use std::collections::BTreeSet;

const TASKS: RecordKind = RecordKind::Tasks;

/// Due day, and whether it is done.
type Shown = BTreeSet<(NaiveDate, bool)>;

fn due() -> NaiveDate {
    began().date_naive() + Days::new(3)
}

fn week(number: u64) -> NaiveDate {
    due() + Days::new(7 * number)
}

async fn office() -> (Office, MailboxRow) {
    let office = Office::open(1, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    (office, row)
}

/// A task that comes back, made in Outlook.
async fn recurring(office: &Office, pattern: &str, range: &str) {
    let due = due();
    let weekday = due.format("%A");
    let pattern = match pattern {
        "weekly" => format!(
            "<t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>{weekday}</t:DaysOfWeek></t:WeeklyRecurrence>"
        ),
        _ => "<t:WeeklyRegeneration><t:Interval>1</t:Interval></t:WeeklyRegeneration>".to_owned(),
    };
    let range = match range {
        "for ever" => format!("<t:NoEndRecurrence><t:StartDate>{due}</t:StartDate></t:NoEndRecurrence>"),
        _ => format!(
            "<t:NumberedRecurrence><t:StartDate>{due}</t:StartDate><t:NumberOfOccurrences>2</t:NumberOfOccurrences>\
             </t:NumberedRecurrence>"
        ),
    };
    Outlook::of(&office.lab, 0)
        .ask(&format!(
            "<m:CreateItem MessageDisposition=\"SaveOnly\"><m:SavedItemFolderId><t:DistinguishedFolderId Id=\"tasks\"/>\
             </m:SavedItemFolderId><m:Items><t:Task><t:Subject>Report</t:Subject><t:DueDate>{due}T00:00:00Z</t:DueDate>\
             <t:Recurrence>{pattern}{range}</t:Recurrence><t:StartDate>{due}T00:00:00Z</t:StartDate></t:Task></m:Items>\
             </m:CreateItem>"
        ))
        .await;
}

fn task(record: &Record) -> &Task {
    match record {
        Record::Task(task) => task,
        _ => panic!("a task"),
    }
}

fn shown(records: impl Iterator<Item = Record>) -> Shown {
    let mut count = 0;
    let shown: Shown = records
        .map(|record| {
            count += 1;
            (
                task(&record).due.unwrap(),
                task(&record).status == Status::Completed,
            )
        })
        .collect();
    assert_eq!(shown.len(), count, "one of them is there twice");
    shown
}

async fn assert_both(office: &Office, row: &MailboxRow, expected: &[(NaiveDate, bool)]) {
    let expected: Shown = expected.iter().copied().collect();
    let items = office.items(row, TASKS).await.into_iter().map(|item| item.record);
    assert_eq!(shown(items), expected, "in the mailbox");
    let records = office
        .records(row, TASKS)
        .await
        .into_iter()
        .map(|record| record.record);
    assert_eq!(shown(records), expected, "in the CRM");
}

/// The record of the occurrence whose turn it is.
async fn open(office: &Office, row: &MailboxRow) -> (CrmId, Task) {
    let records = office.records(row, TASKS).await;
    let open = records
        .into_iter()
        .map(|record| (record.id, task(&record.record).clone()));
    let open: Vec<_> = open
        .filter(|(_, task)| task.status != Status::Completed)
        .collect();
    assert_eq!(open.len(), 1);
    open.into_iter().next().unwrap()
}

async fn complete_in_crm(office: &Office, row: &MailboxRow) {
    let (id, task) = open(office, row).await;
    let write = CrmWrite::Update {
        id,
        fields: FieldSet::of(&[Field::Status]),
        record: Record::Task(Task {
            status: Status::Completed,
            ..task
        }),
        matches: Vec::new(),
    };
    office.in_crm(row, TASKS, write).await;
}

async fn complete_in_mailbox(office: &Office, row: &MailboxRow) {
    let items = office.items(row, TASKS).await;
    let current = items
        .into_iter()
        .find(|item| task(&item.record).status != Status::Completed);
    let item = current.unwrap();
    let write = MailboxWrite::Update {
        item: item.item.clone(),
        fields: FieldSet::of(&[Field::Status]),
        record: Record::Task(Task {
            status: Status::Completed,
            ..task(&item.record).clone()
        }),
    };
    office.in_mailbox(row, TASKS, write).await;
}

#[tokio::test]
async fn an_occurrence_completed_in_the_mailbox_stays_as_done_and_the_record_moves_on_to_the_next() {
    let (office, row) = office().await;
    recurring(&office, "weekly", "for ever").await;
    office.settle(&row).await;
    assert_both(&office, &row, &[(week(0), false)]).await;
    let (id, _) = open(&office, &row).await;
    for done in 1..=2 {
        complete_in_mailbox(&office, &row).await;
        office.settle(&row).await;
        let mut expected: Vec<_> = (0..done).map(|number| (week(number), true)).collect();
        expected.push((week(done), false));
        assert_both(&office, &row, &expected).await;
    }
    assert_eq!(open(&office, &row).await.0, id);
}

#[tokio::test]
async fn an_occurrence_completed_in_the_crm_is_completed_in_the_mailbox_and_the_next_one_comes() {
    let (office, row) = office().await;
    recurring(&office, "weekly", "for ever").await;
    office.settle(&row).await;
    for done in 1..=2 {
        complete_in_crm(&office, &row).await;
        office.settle(&row).await;
        let mut expected: Vec<_> = (0..done).map(|number| (week(number), true)).collect();
        expected.push((week(done), false));
        assert_both(&office, &row, &expected).await;
    }
    let noticed = office.lab.parts.ledger.entries();
    assert!(noticed.is_empty(), "{noticed:?}");
}

#[tokio::test]
async fn the_last_occurrence_is_done_when_it_is_done() {
    let (office, row) = office().await;
    recurring(&office, "weekly", "twice").await;
    office.settle(&row).await;
    complete_in_crm(&office, &row).await;
    office.settle(&row).await;
    complete_in_crm(&office, &row).await;
    office.settle(&row).await;
    assert_both(&office, &row, &[(week(0), true), (week(1), true)]).await;
}

#[tokio::test]
async fn a_task_that_regenerates_comes_back_a_week_after_it_was_done() {
    let (office, row) = office().await;
    recurring(&office, "regenerating", "for ever").await;
    office.settle(&row).await;
    complete_in_crm(&office, &row).await;
    office.settle(&row).await;
    let today = began().date_naive();
    assert_both(&office, &row, &[(week(0), true), (today + Days::new(7), false)]).await;
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_completes_one_occurrence_and_no_second() {
    let (office, row) = office().await;
    recurring(&office, "weekly", "for ever").await;
    office.settle(&row).await;
    complete_in_crm(&office, &row).await;
    office.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some("UpdateItem".to_owned()),
        mailbox: None,
        fault: Fault::ApplyThenCut,
        times: Some(1),
        skip: 0,
        probability: None,
        seed: 1,
    });
    let turns = office.try_sync(&row).await;
    assert!(
        turns.iter().any(|(kind, turn)| *kind == TASKS && turn.is_err()),
        "the answer was lost"
    );
    office.settle(&row).await;
    assert_both(&office, &row, &[(week(0), true), (week(1), false)]).await;
}

#[tokio::test]
async fn an_occurrence_deleted_in_the_crm_is_left_out_and_the_next_one_comes_and_a_single_task_goes() {
    let (office, row) = office().await;
    recurring(&office, "weekly", "twice").await;
    office.settle(&row).await;
    for expected in [vec![(week(1), false)], vec![]] {
        let (id, _) = open(&office, &row).await;
        office.in_crm(&row, TASKS, CrmWrite::Delete { id }).await;
        office.settle(&row).await;
        assert_both(&office, &row, &expected).await;
    }
}

#[tokio::test]
async fn the_rule_of_a_task_that_recurs_in_salesforce_stays_there_and_its_occurrences_are_tasks() {
    let (office, row) = office().await;
    let made = |number: u64| {
        Record::Task(Task {
            subject: "Call".into(),
            due: Some(week(number)),
            ..Task::default()
        })
    };
    // Salesforce makes the occurrences by itself, beside the row that says how.
    let rule = office.pages.was_there(&row.user, made(0)).await;
    let path = format!("/salesforce/records/{}", rule.0);
    office.administrate(
        "PATCH",
        &path,
        &json!({"IsRecurrence": true, "ActivityDate": null}),
    );
    for number in 0..2 {
        let one = office.pages.was_there(&row.user, made(number)).await;
        let path = format!("/salesforce/records/{}", one.0);
        office.administrate("PATCH", &path, &json!({"RecurrenceActivityId": rule.0}));
    }
    office.settle(&row).await;
    let items = office
        .items(&row, TASKS)
        .await
        .into_iter()
        .map(|item| item.record);
    assert_eq!(shown(items), Shown::from([(week(0), false), (week(1), false)]));
}
