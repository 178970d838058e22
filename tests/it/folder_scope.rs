//! What becomes of items whose folder takes part no more: it is named no more, has another name, or was thrown away.

use crate::folders::{default_alone, foreseen, make_in, named, rename_record, titles, with_folder};
use crate::harness::acts::{made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::outlook::{self, Outlook, rule};
use crate::harness::{Office, began, sales};
use chrono::TimeDelta;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::OutOfScope;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeMap;

/// On both sides: one that its owner made in the folder, one that he put there and the CRM's user made, one that people
/// made on either side, and one in the default folder.
async fn four_tasks(choice: OutOfScope) -> (Office, MailboxRow, String) {
    let (office, row, folder) = with_folder(named(choice)).await;
    let outlook = Outlook::of(&office.lab, 0);
    make_in(&office, &folder, "mine").await;
    let twice = "<t:Task><t:Subject>twice</t:Subject><t:Body BodyType=\"Text\">by hand</t:Body></t:Task>";
    outlook.make_in(&outlook::folder(&folder), twice).await;
    let by_hand = json!({"Subject": "twice", "Description": "by hand"});
    sales::make(&office.lab, 0, "Task", by_hand).await;
    sales::make(&office.lab, 0, "Task", json!({"Subject": "theirs"})).await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("at home")))
        .await;
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let theirs = items
        .iter()
        .find(|item| subject(&item.record) == "theirs")
        .unwrap();
    outlook
        .move_to(&outlook::folder(&folder), &theirs.item.id.0)
        .await;
    office.settle(&row).await;
    let all = ["at home", "mine", "theirs", "twice"];
    assert_eq!(titles(&office, &row).await, [all, all]);
    (office, row, folder)
}

#[tokio::test]
async fn under_keep_what_lies_in_a_folder_that_is_named_no_more_stays_linked_and_catches_up_when_it_is_again()
{
    let (mut office, row, _) = four_tasks(OutOfScope::Keep).await;
    office.policy("house", default_alone(OutOfScope::Keep)).await;
    assert!(foreseen(&office, &row).await.is_empty());
    // A process that has just come up remembers nothing of folders, neither now nor when all is judged.
    office.engine = office.engine_with(|_| {});
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 0);
    office.engine = office.engine_with(|_| {});
    rename_record(&office, &row, "mine", "mine, edited").await;
    rename_record(&office, &row, "at home", "at home, edited").await;
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 1);
    office.settle(&row).await;
    office.policy("house", named(OutOfScope::Keep)).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("update in mailbox", 1)])
    );
    office.settle(&row).await;
    let all = ["at home, edited", "mine, edited", "theirs", "twice"];
    assert_eq!(titles(&office, &row).await, [all, all]);
}

#[tokio::test]
async fn under_unlink_what_lies_in_a_folder_that_is_named_no_more_goes_its_own_way_and_is_joined_when_it_is_again()
 {
    let (office, row, _) = four_tasks(OutOfScope::Unlink).await;
    office.policy("house", default_alone(OutOfScope::Unlink)).await;
    assert_eq!(foreseen(&office, &row).await, BTreeMap::from([("unlink", 3)]));
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].written(), 0);
    rename_record(&office, &row, "mine", "mine, edited").await;
    office.settle(&row).await;
    let there = ["at home", "mine, edited", "theirs", "twice"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(titles(&office, &row).await, [vec!["at home".to_owned()], there]);
    rename_record(&office, &row, "mine, edited", "mine").await;
    office.policy("house", named(OutOfScope::Unlink)).await;
    office.settle(&row).await;
    let all = ["at home", "mine", "theirs", "twice"];
    assert_eq!(titles(&office, &row).await, [all, all]);
    // Linked, and not merely equal.
    rename_record(&office, &row, "mine", "mine again").await;
    office.settle(&row).await;
    let all = ["at home", "mine again", "theirs", "twice"];
    assert_eq!(titles(&office, &row).await, [all, all]);
}

#[tokio::test]
async fn under_remove_the_copies_of_what_lies_in_a_folder_that_is_named_no_more_go_and_what_people_made_stays()
 {
    let (office, row, _) = four_tasks(OutOfScope::Remove).await;
    office.policy("house", default_alone(OutOfScope::Remove)).await;
    let expected = BTreeMap::from([("delete in CRM", 1), ("unlink", 2)]);
    assert_eq!(foreseen(&office, &row).await, expected);
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].deleted_in_crm, 1);
    office.settle(&row).await;
    let there = ["at home", "theirs", "twice"].map(str::to_owned).to_vec();
    assert_eq!(titles(&office, &row).await, [vec!["at home".to_owned()], there]);
    office.policy("house", named(OutOfScope::Remove)).await;
    office.settle(&row).await;
    let all = ["at home", "mine", "theirs", "twice"];
    assert_eq!(titles(&office, &row).await, [all, all]);
}

/// One task in the folder and three in the default one, on both sides.
async fn one_of_four(choice: OutOfScope) -> (Office, MailboxRow, String) {
    let (office, row, folder) = with_folder(named(choice)).await;
    make_in(&office, &folder, "mine").await;
    for title in REST {
        office
            .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task(title)))
            .await;
    }
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, [ALL, ALL]);
    (office, row, folder)
}

const REST: [&str; 3] = ["at home", "at work", "on the way"];
const ALL: [&str; 4] = ["at home", "at work", "mine", "on the way"];

#[tokio::test]
async fn a_folder_that_gets_another_name_takes_its_items_out_and_its_old_name_brings_them_back() {
    let (office, row, folder) = one_of_four(OutOfScope::Remove).await;
    let outlook = Outlook::of(&office.lab, 0);
    outlook.rename_folder(&folder, "TasksFolder", "Clients").await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, [REST, REST]);
    outlook.rename_folder(&folder, "TasksFolder", "Customers").await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, [ALL, ALL]);
}

#[tokio::test]
async fn a_folder_that_is_thrown_away_deletes_what_is_in_it_though_the_policy_keeps_what_leaves() {
    let (office, row, folder) = one_of_four(OutOfScope::Keep).await;
    Outlook::of(&office.lab, 0).throw_away_folder(&folder).await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, [REST, REST]);
}

#[tokio::test]
async fn the_dates_of_a_series_leave_with_their_folder_and_come_back_with_it() {
    let (office, row, _) = with_folder(named(OutOfScope::Remove)).await;
    let outlook = Outlook::of(&office.lab, 0);
    let folder = outlook
        .make_folder("calendar", "CalendarFolder", "Customers")
        .await;
    let first = began().date_naive() + TimeDelta::days(1);
    let pattern = "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>";
    let range = format!(
        "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>3</t:NumberOfOccurrences>\
         </t:NumberedRecurrence>"
    );
    let series = format!(
        "<t:CalendarItem><t:Subject>Round</t:Subject><t:Start>{first}T09:00:00Z</t:Start><t:End>{first}T09:30:00Z\
         </t:End>{}</t:CalendarItem>",
        rule(pattern, &range, "UTC")
    );
    outlook.make_in(&outlook::folder(&folder), &series).await;
    let dates = async || office.records(&row, RecordKind::Calendar).await.len();
    office.settle(&row).await;
    assert_eq!(dates().await, 3);
    office.policy("house", default_alone(OutOfScope::Remove)).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("delete in CRM", 3)])
    );
    office.settle(&row).await;
    assert_eq!(dates().await, 0);
    office.policy("house", named(OutOfScope::Remove)).await;
    office.settle(&row).await;
    assert_eq!(dates().await, 3);
}
