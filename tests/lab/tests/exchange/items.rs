//! CreateItem, GetItem, UpdateItem, MoveItem, CopyItem, DeleteItem, SendItem.

use holdfast_lab::ledger::Noticed;

use crate::office::{Office, delete, get, message, set};

const STAMP: &str = "<t:ExtendedFieldURI PropertySetId=\"6f1c3c9e-2a77-4c3f-9d0a-3c5b6a1d2e4f\" \
    PropertyName=\"stamp\" PropertyType=\"String\"/>";

/// MoveItem or CopyItem to a folder.
fn to_folder(operation: &str, folder: &str, item: &str) -> String {
    format!(
        "<m:{operation}><m:ToFolderId><t:DistinguishedFolderId Id=\"{folder}\"/></m:ToFolderId>\
         <m:ItemIds><t:ItemId {item}/></m:ItemIds></m:{operation}>"
    )
}

fn subject(text: &str) -> String {
    format!("<t:Message><t:Subject>{text}</t:Subject></t:Message>")
}

#[tokio::test]
async fn an_old_change_key_is_refused_where_nothing_may_be_overwritten() {
    let office = Office::new().await;
    let made = office.create(0, "drafts", &message("A")).await.item();
    let first = set("NeverOverwrite", &made, "item:Subject", &subject("B"));
    let changed = office.ask(0, &first).await.good();
    assert_ne!(changed.item(), made, "a change gives another change key");
    let stale = office
        .ask(0, &set("NeverOverwrite", &made, "item:Subject", &subject("C")))
        .await;
    assert_eq!(stale.codes(), ["ErrorIrresolvableConflict"]);
    let id = format!("Id=\"{}\"", changed.ids()[0]);
    let keyless = office
        .ask(0, &set("NeverOverwrite", &id, "item:Subject", &subject("C")))
        .await;
    assert_eq!(keyless.codes(), ["ErrorChangeKeyRequired"]);
    office
        .ask(0, &set("AlwaysOverwrite", &made, "item:Subject", &subject("D")))
        .await
        .good();
    assert_eq!(office.read(0, &made).await.good().texts("t:Subject"), ["D"]);
}

#[tokio::test]
async fn a_moved_item_has_another_id_and_the_old_one_is_gone() {
    let office = Office::new().await;
    let made = office.create(0, "drafts", &message("A")).await.item();
    let moved = office.ask(0, &to_folder("MoveItem", "inbox", &made)).await.good();
    assert_ne!(moved.item(), made);
    assert_eq!(office.read(0, &made).await.codes(), ["ErrorItemNotFound"]);
    assert_eq!(
        office.read(0, &moved.item()).await.good().texts("t:Subject"),
        ["A"]
    );
}

#[tokio::test]
async fn a_copy_carries_the_stamp_of_its_original() {
    let office = Office::new().await;
    let item = format!(
        "<t:Message><t:Subject>A</t:Subject><t:ExtendedProperty>{STAMP}<t:Value>s-1</t:Value>\
         </t:ExtendedProperty></t:Message>"
    );
    let made = office.create(0, "drafts", &item).await.item();
    let copy = office
        .ask(0, &to_folder("CopyItem", "inbox", &made))
        .await
        .good()
        .item();
    assert_ne!(copy, made);
    let asked = format!(
        "<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>{STAMP}\
         </t:AdditionalProperties></m:ItemShape><m:ItemIds><t:ItemId {copy}/><t:ItemId {made}/></m:ItemIds></m:GetItem>"
    );
    assert_eq!(
        office.ask(0, &asked).await.good().texts("t:Value"),
        ["s-1", "s-1"]
    );
}

#[tokio::test]
async fn a_deleted_item_is_gone_for_good_or_in_deleted_items() {
    let office = Office::new().await;
    let made = office.create(0, "drafts", &message("A")).await.item();
    office.ask(0, &delete(&made)).await.good();
    assert_eq!(office.read(0, &made).await.codes(), ["ErrorItemNotFound"]);
    let made = office.create(0, "drafts", &message("Kept")).await.item();
    let soft = delete(&made).replace("HardDelete", "MoveToDeletedItems");
    office.ask(0, &soft).await.good();
    let listed = "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>\
        <m:ParentFolderIds><t:DistinguishedFolderId Id=\"deleteditems\"/></m:ParentFolderIds></m:FindItem>";
    assert!(
        office
            .ask(0, listed)
            .await
            .good()
            .texts("t:Subject")
            .contains(&"Kept".to_owned())
    );
}

#[tokio::test]
async fn a_task_is_deleted_only_by_who_says_which_occurrences() {
    let office = Office::new().await;
    let task = "<t:Task><t:Subject>A</t:Subject></t:Task>";
    let made = office.create(0, "tasks", task).await.item();
    let silent = delete(&made).replace(" AffectedTaskOccurrences=\"AllOccurrences\"", "");
    let answer = office.ask(0, &silent).await;
    assert_eq!(answer.codes(), ["ErrorAffectedTaskOccurrencesRequired"]);
}

#[tokio::test]
async fn a_completed_task_is_complete_in_every_property() {
    let office = Office::new().await;
    let task = "<t:Task><t:Subject>A</t:Subject><t:PercentComplete>100</t:PercentComplete></t:Task>";
    let made = office.create(0, "tasks", task).await.item();
    let read = office.read(0, &made).await.good();
    assert_eq!(read.texts("t:Status"), ["Completed"]);
    assert_eq!(read.texts("t:IsComplete"), ["true"]);
    assert_eq!(read.texts("t:CompleteDate").len(), 1);
}

#[tokio::test]
async fn property_after_property_in_another_order_than_the_schemas_is_refused() {
    let office = Office::new().await;
    let item = "<t:Message><t:ToRecipients><t:Mailbox><t:EmailAddress>a@b.example</t:EmailAddress></t:Mailbox>\
        </t:ToRecipients><t:Subject>late</t:Subject></t:Message>";
    let answer = office.ask(0, &crate::office::create("drafts", item)).await;
    assert_eq!(answer.codes(), ["ErrorSchemaValidation"]);
}

#[tokio::test]
async fn a_sent_draft_arrives_is_kept_and_is_on_the_ledger() {
    let office = Office::new().await;
    let receiver = office.person(1).smtp.clone();
    let item = format!(
        "<t:Message><t:Subject>Sent</t:Subject><t:ToRecipients><t:Mailbox><t:EmailAddress>{receiver}\
         </t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message>"
    );
    let made = office.create(0, "drafts", &item).await.item();
    let send = format!(
        "<m:SendItem SaveItemToFolder=\"true\"><m:ItemIds><t:ItemId {made}/></m:ItemIds></m:SendItem>"
    );
    office.ask(0, &send).await.good();
    for (person, folder) in [(0, "sentitems"), (1, "inbox")] {
        let listed = format!(
            "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>\
             <m:ParentFolderIds><t:DistinguishedFolderId Id=\"{folder}\"/></m:ParentFolderIds></m:FindItem>"
        );
        let subjects = office.ask(person, &listed).await.good().texts("t:Subject");
        assert!(subjects.contains(&"Sent".to_owned()), "{folder}: {subjects:?}");
    }
    let mails = office.lab.parts.ledger.entries();
    assert!(
        mails
            .iter()
            .any(|noticed| matches!(noticed, Noticed::Mail { to, .. } if *to == [receiver.as_str()]))
    );
}

#[tokio::test]
async fn letters_of_every_script_come_back_as_they_went_in() {
    let office = Office::new().await;
    let text = "Žluťoučký Ελένη שלום سلام 会議 🎉 &amp; &lt;1&gt;";
    let made = office.create(0, "drafts", &message(text)).await;
    let read = office
        .ask(0, &get(&format!("<t:ItemId {}/>", made.item())))
        .await
        .good();
    assert_eq!(read.texts("t:Subject"), [text]);
}
