//! SyncFolderItems and SyncFolderHierarchy: nothing is missed, nothing comes twice.

use std::collections::BTreeSet;

use crate::office::{Answer, Office, delete, message, set};

/// SyncFolderItems by id alone.
pub fn sync(folder: &str, state: Option<&str>, most: usize) -> String {
    let state = state.map_or(String::new(), |state| {
        format!("<m:SyncState>{state}</m:SyncState>")
    });
    format!(
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>\
         <t:DistinguishedFolderId Id=\"{folder}\"/></m:SyncFolderId>{state}\
         <m:MaxChangesReturned>{most}</m:MaxChangesReturned></m:SyncFolderItems>"
    )
}

fn state(answer: &Answer) -> String {
    answer.texts("m:SyncState")[0].clone()
}

fn last(answer: &Answer) -> bool {
    answer.texts("m:IncludesLastItemInRange") == ["true"]
}

/// The state after everything.
async fn latest(office: &Office, folder: &str) -> String {
    let mut known: Option<String> = None;
    loop {
        let page = office.ask(0, &sync(folder, known.as_deref(), 512)).await.good();
        if last(&page) {
            return state(&page);
        }
        known = Some(state(&page));
    }
}

/// The only kind of change in an answer.
fn kinds(answer: &Answer) -> Vec<&'static str> {
    ["t:Create", "t:Update", "t:Delete", "t:ReadFlagChange"]
        .into_iter()
        .filter(|kind| answer.text.contains(&format!("<{kind}>")))
        .collect()
}

#[tokio::test]
async fn a_first_synchronisation_brings_each_item_once_over_all_pages() {
    let office = Office::new().await;
    let items: String = (0..25).map(|number| message(&number.to_string())).collect();
    office.create(0, "drafts", &items).await;
    let (mut seen, mut known, mut pages) = (BTreeSet::new(), None, 0);
    loop {
        let page = office.ask(0, &sync("drafts", known.as_deref(), 10)).await.good();
        assert!(page.ids().len() <= 10);
        for id in page.ids() {
            assert!(seen.insert(id), "an item came twice");
        }
        pages += 1;
        if last(&page) {
            break;
        }
        known = Some(state(&page));
    }
    let whole = office.ask(0, &sync("drafts", None, 512)).await.good();
    assert_eq!(seen, whole.ids().into_iter().collect());
    assert!(pages >= 3 && seen.len() >= 25);
}

#[tokio::test]
async fn later_ones_bring_what_changed_since_and_in_which_way() {
    let office = Office::new().await;
    let start = latest(&office, "inbox").await;
    let made = office.create(0, "inbox", &message("New")).await;
    let created = office.ask(0, &sync("inbox", Some(&start), 10)).await.good();
    assert_eq!((kinds(&created), created.ids()), (vec!["t:Create"], made.ids()));

    let subject = "<t:Message><t:Subject>Other</t:Subject></t:Message>";
    let changed = set("NeverOverwrite", &made.item(), "item:Subject", subject);
    let changed = office.ask(0, &changed).await.good();
    let updated = office
        .ask(0, &sync("inbox", Some(&state(&created)), 10))
        .await
        .good();
    assert_eq!((kinds(&updated), updated.ids()), (vec!["t:Update"], made.ids()));

    let read = "<t:Message><t:IsRead>true</t:IsRead></t:Message>";
    let changed = set("NeverOverwrite", &changed.item(), "message:IsRead", read);
    let changed = office.ask(0, &changed).await.good();
    let flagged = office
        .ask(0, &sync("inbox", Some(&state(&updated)), 10))
        .await
        .good();
    assert_eq!(kinds(&flagged), ["t:ReadFlagChange"]);

    office.ask(0, &delete(&changed.item())).await.good();
    let gone = office
        .ask(0, &sync("inbox", Some(&state(&flagged)), 10))
        .await
        .good();
    assert_eq!((kinds(&gone), gone.ids()), (vec!["t:Delete"], made.ids()));
    let nothing = office
        .ask(0, &sync("inbox", Some(&state(&gone)), 10))
        .await
        .good();
    assert!(kinds(&nothing).is_empty());
}

#[tokio::test]
async fn the_same_state_gives_the_same_changes_again() {
    let office = Office::new().await;
    let start = latest(&office, "inbox").await;
    office.create(0, "inbox", &message("New")).await;
    let first = office.ask(0, &sync("inbox", Some(&start), 10)).await.good();
    let again = office.ask(0, &sync("inbox", Some(&start), 10)).await.good();
    assert_eq!(first.ids(), again.ids());
}

#[tokio::test]
async fn a_state_that_is_none_is_refused() {
    let office = Office::new().await;
    let other = latest(&office, "contacts").await;
    for state in ["bm90aGluZw==", &other] {
        let answer = office.ask(0, &sync("inbox", Some(state), 10)).await;
        assert_eq!(answer.codes(), ["ErrorInvalidSyncStateData"]);
    }
}

#[tokio::test]
async fn a_new_folder_is_in_the_next_hierarchy() {
    let office = Office::new().await;
    let hierarchy = |state: Option<String>| {
        let state = state.map_or(String::new(), |state| {
            format!("<m:SyncState>{state}</m:SyncState>")
        });
        format!(
            "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>{state}\
             </m:SyncFolderHierarchy>"
        )
    };
    let first = office.ask(0, &hierarchy(None)).await.good();
    assert!(first.text.contains("<t:Create>"));
    let folder = "<m:CreateFolder><m:ParentFolderId><t:DistinguishedFolderId Id=\"inbox\"/></m:ParentFolderId>\
        <m:Folders><t:Folder><t:DisplayName>Projects</t:DisplayName></t:Folder></m:Folders></m:CreateFolder>";
    office.ask(0, folder).await.good();
    let next = office.ask(0, &hierarchy(Some(state(&first)))).await.good();
    assert_eq!(next.texts("t:DisplayName"), ["Projects"]);
    let none = office.ask(0, &hierarchy(Some(state(&next)))).await.good();
    assert!(none.texts("t:DisplayName").is_empty());
}
