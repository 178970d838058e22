//! What lies behind is kept for a while, and then forgotten.

use crate::harness::Office;
use crate::harness::acts::{made_by_owner, task};
use chrono::TimeDelta;
use diesel::prelude::*;
use holdfast::foundation::db::schema::turns;
use holdfast::record::kind::RecordKind;
use holdfast::sync::error::SyncError;
use holdfast::sync::store::mailboxes::MailboxRow;

async fn past_turns(office: &Office, row: &MailboxRow) -> i64 {
    let tasks = turns::table.filter(turns::kind.eq(RecordKind::Tasks.number()));
    let count = move |conn: &mut PgConnection| Ok::<i64, SyncError>(tasks.count().get_result(conn)?);
    office.engine.db.run_for(row.mailbox.id, count).await.unwrap()
}

#[tokio::test]
async fn a_turn_is_remembered_as_long_as_the_journal_goes_back_and_no_longer() {
    let mut office = Office::open(1, 0).await;
    let row = office.add(0).await;
    for (keep, expected) in [(TimeDelta::days(1), [1, 2]), (TimeDelta::zero(), [1, 1])] {
        office.engine.settings.journal_keep = keep;
        for expected in expected {
            let write = made_by_owner(task("One more"));
            office.in_mailbox(&row, RecordKind::Tasks, write).await;
            office.sync(&row).await;
            assert_eq!(past_turns(&office, &row).await, expected, "{keep}");
        }
    }
}
