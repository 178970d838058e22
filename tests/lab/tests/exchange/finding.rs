//! FindItem and FindFolder: restrictions, order, pages.

use crate::office::{Office, message};

fn find(rest: &str) -> String {
    format!(
        "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>{rest}\
         <m:ParentFolderIds><t:DistinguishedFolderId Id=\"drafts\"/></m:ParentFolderIds></m:FindItem>"
    )
}

async fn letters(office: &Office) {
    let items: String = ["QX-A", "QX-B", "QX-C", "QX-D", "QX-E"].map(message).concat();
    office.create(0, "drafts", &items).await;
}

const BY_SUBJECT: &str = "<m:SortOrder><t:FieldOrder Order=\"Descending\"><t:FieldURI FieldURI=\"item:Subject\"/>\
    </t:FieldOrder></m:SortOrder>";

const LETTERS: &str = "<m:Restriction><t:And><t:IsGreaterThan><t:FieldURI FieldURI=\"item:Subject\"/>\
    <t:FieldURIOrConstant><t:Constant Value=\"QX-A\"/></t:FieldURIOrConstant></t:IsGreaterThan>\
    <t:IsLessThanOrEqualTo><t:FieldURI FieldURI=\"item:Subject\"/><t:FieldURIOrConstant><t:Constant Value=\"QX-E\"/>\
    </t:FieldURIOrConstant></t:IsLessThanOrEqualTo></t:And></m:Restriction>";

#[tokio::test]
async fn pages_of_a_restriction_come_in_the_order_asked_for_and_say_which_is_the_last() {
    let office = Office::new().await;
    letters(&office).await;
    let mut seen = Vec::new();
    for (offset, last) in [(0, "false"), (2, "true")] {
        let view = format!(
            "<m:IndexedPageItemView MaxEntriesReturned=\"2\" Offset=\"{offset}\" BasePoint=\"Beginning\"/>"
        );
        let page = office
            .ask(0, &find(&format!("{view}{LETTERS}{BY_SUBJECT}")))
            .await
            .good();
        assert_eq!(page.attributes("m:RootFolder", "TotalItemsInView"), ["4"]);
        assert_eq!(page.attributes("m:RootFolder", "IncludesLastItemInRange"), [last]);
        seen.extend(page.texts("t:Subject"));
    }
    assert_eq!(seen, ["QX-E", "QX-D", "QX-C", "QX-B"]);
}

#[tokio::test]
async fn a_uid_cannot_be_searched() {
    let office = Office::new().await;
    let restriction = "<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI=\"calendar:UID\"/><t:FieldURIOrConstant>\
        <t:Constant Value=\"x\"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>";
    let answer = office.ask(0, &find(restriction)).await;
    assert_eq!(answer.codes(), ["ErrorUnsupportedPathForQuery"]);
}

#[tokio::test]
async fn folders_that_are_not_there_are_still_an_empty_and_last_page() {
    let office = Office::new().await;
    let none = "<m:FindFolder Traversal=\"Shallow\"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>\
        <m:IndexedPageFolderView MaxEntriesReturned=\"10\" Offset=\"0\" BasePoint=\"Beginning\"/>\
        <m:ParentFolderIds><t:DistinguishedFolderId Id=\"outbox\"/></m:ParentFolderIds></m:FindFolder>";
    let answer = office.ask(0, none).await.good();
    assert_eq!(answer.attributes("m:RootFolder", "TotalItemsInView"), ["0"]);
    assert_eq!(
        answer.attributes("m:RootFolder", "IncludesLastItemInRange"),
        ["true"]
    );
    assert!(answer.text.contains("<t:Folders"));
}

#[tokio::test]
async fn a_list_shows_no_bodies() {
    let office = Office::new().await;
    let item = "<t:Message><t:Subject>A</t:Subject><t:Body BodyType=\"Text\">long text</t:Body></t:Message>";
    office.create(0, "drafts", item).await;
    let listed = find("").replace(">Default<", ">AllProperties<");
    let answer = office.ask(0, &listed).await.good();
    assert!(!answer.text.contains("long text"));
}
