//! Who is here: read once, known to every turn, and read again as soon as anything about a mailbox has changed.

use crate::harness::Office;
use crate::harness::acts::granted;
use holdfast::access::permission::ManageMailboxes;
use holdfast::record::person::address_key;
use holdfast::sync::control;
use holdfast::sync::store::directory::{Directory, People};
use std::sync::Arc;

async fn read(office: &Office, directory: &Directory) -> Arc<People> {
    let directory = directory.clone();
    office
        .engine
        .db
        .run(move |conn| directory.read(conn))
        .await
        .unwrap()
}

#[tokio::test]
async fn who_is_here_is_read_once_until_something_about_a_mailbox_changes_whoever_changes_it() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    let (mine, theirs) = (Directory::default(), Directory::default());
    let first = read(&office, &mine).await;
    assert!(first.synchronised.contains(&address_key(&row.mailbox.address)));
    assert!(
        Arc::ptr_eq(&first, &read(&office, &mine).await),
        "nothing has changed"
    );
    assert!(read(&office, &theirs).await.synchronised == first.synchronised);
    // What a turn learns of its own mailbox beside that is no reason.
    office.settle(&row).await;
    let settled = read(&office, &mine).await;
    let other = office.add(1).await;
    control::pause(&office.engine.db, &granted(ManageMailboxes), row.mailbox.id)
        .await
        .unwrap();
    for directory in [&mine, &theirs] {
        let now = read(&office, directory).await;
        assert!(!Arc::ptr_eq(&settled, &now));
        let expected = [address_key(&other.mailbox.address)];
        assert!(now.synchronised == expected.into_iter().collect());
        let user = row.user.id.clone().or(other.user.id.clone());
        assert!(user.is_none_or(|user| now.is_here("main", &user)));
    }
}
