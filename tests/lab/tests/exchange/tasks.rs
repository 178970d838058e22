//! Recurring tasks, as \[MS-OXOTASK\] and "Handling deletion-related errors in EWS in Exchange" have them.

use crate::office::{Office, delete, set};

fn task(range: &str) -> String {
    format!(
        "<t:Task><t:Subject>Again</t:Subject><t:DueDate>2031-03-03T00:00:00Z</t:DueDate><t:Recurrence>\
         <t:DailyRecurrence><t:Interval>2</t:Interval></t:DailyRecurrence>{range}</t:Recurrence>\
         <t:StartDate>2031-03-03T00:00:00Z</t:StartDate></t:Task>"
    )
}

const ENDLESS: &str = "<t:NoEndRecurrence><t:StartDate>2031-03-03</t:StartDate></t:NoEndRecurrence>";
const ONCE_MORE: &str = "<t:NumberedRecurrence><t:StartDate>2031-03-03</t:StartDate>\
    <t:NumberOfOccurrences>2</t:NumberOfOccurrences></t:NumberedRecurrence>";

async fn folder(office: &Office) -> Vec<String> {
    let listed = office
        .ask(
            0,
            "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>\
             <m:ParentFolderIds><t:DistinguishedFolderId Id=\"tasks\"/></m:ParentFolderIds></m:FindItem>",
        )
        .await
        .good();
    listed.ids()
}

#[tokio::test]
async fn a_recurring_task_that_is_completed_leaves_a_copy_behind_and_goes_on() {
    let office = Office::new().await;
    let made = office.create(0, "tasks", &task(ENDLESS)).await;
    let (id, before) = (made.ids()[0].clone(), folder(&office).await);
    let done = "<t:Task><t:Status>Completed</t:Status></t:Task>";
    let answer = office
        .ask(
            0,
            &set("AlwaysOverwrite", &format!("Id=\"{id}\""), "task:Status", done),
        )
        .await
        .good();
    assert_eq!(answer.ids(), [id.as_str()]);
    let now = office.read(0, &format!("Id=\"{id}\"")).await.good();
    assert_eq!(now.texts("t:Status"), ["NotStarted"]);
    assert_eq!(now.texts("t:DueDate"), ["2031-03-05T00:00:00Z"]);
    assert_eq!(now.texts("t:IsRecurring"), ["true"]);
    assert!(now.texts("t:CompleteDate").is_empty());
    let new: Vec<String> = folder(&office)
        .await
        .into_iter()
        .filter(|id| !before.contains(id))
        .collect();
    let [copy] = new.as_slice() else {
        panic!("one copy: {new:?}")
    };
    let copy = office.read(0, &format!("Id=\"{copy}\"")).await.good();
    assert_eq!(copy.texts("t:Status"), ["Completed"]);
    assert_eq!(copy.texts("t:DueDate"), ["2031-03-03T00:00:00Z"]);
    assert_eq!(copy.texts("t:IsRecurring"), ["false"]);
}

#[tokio::test]
async fn of_a_recurring_task_one_occurrence_is_deleted_and_of_no_other_nor_of_its_last() {
    let office = Office::new().await;
    let id = office.create(0, "tasks", &task(ONCE_MORE)).await.ids()[0].clone();
    let id = format!("Id=\"{id}\"");
    let occurrence = delete(&id).replace("AllOccurrences", "SpecifiedOccurrenceOnly");
    office.ask(0, &occurrence).await.good();
    let now = office.read(0, &id).await.good();
    assert_eq!(now.texts("t:DueDate"), ["2031-03-05T00:00:00Z"]);
    let last = office.ask(0, &occurrence).await;
    assert_eq!(last.codes(), ["ErrorCannotDeleteTaskOccurrence"]);
    office.ask(0, &delete(&id)).await.good();
    assert_eq!(office.read(0, &id).await.codes(), ["ErrorItemNotFound"]);
}
