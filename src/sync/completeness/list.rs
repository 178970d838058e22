//! Lists a side anew and looks each entry up, page by page.

use super::model::{NAMED, Tally};
use super::store::{self, Account};
use crate::crm::model::{CrmChange, CrmId};
use crate::foundation::db::Db;
use crate::mailbox::model::{ItemChange, ItemId};
use crate::sync::error::SyncError;
use crate::sync::keys::{item_key, record_key};
use crate::sync::model::ItemKey;
use crate::sync::stream::Stream;

pub(super) async fn mailbox(
    db: &Db,
    stream: &Stream,
    page_size: usize,
    tally: &mut Tally,
) -> Result<(), SyncError> {
    let (mut cursor, id) = (None, stream.id);
    loop {
        let page = stream
            .server
            .changes(&stream.row.mailbox, id.kind, cursor.as_ref(), page_size)
            .await?;
        let items: Vec<ItemId> = page
            .changes
            .into_iter()
            .filter_map(|change| match change {
                ItemChange::Upserted(item) => Some(item.id),
                ItemChange::Deleted(_) => None,
            })
            .collect();
        let keys: Vec<ItemKey> = items.iter().map(item_key).collect();
        let asked = keys.clone();
        let accounts = db
            .run_for(id.mailbox, move |conn| store::of_items(conn, id, &asked))
            .await?;
        for (item, key) in items.into_iter().zip(keys) {
            tally.add(accounts.get(&key).copied(), || item.0);
        }
        cursor = Some(page.cursor);
        if !page.more {
            return Ok(());
        }
    }
}

pub(super) async fn crm(db: &Db, stream: &Stream, tally: &mut Tally) -> Result<(), SyncError> {
    let (mut cursor, id) = (None, stream.id);
    loop {
        let page = stream
            .crm
            .changes(&stream.row.user, id.kind, cursor.as_ref())
            .await?;
        // The feed lists the recycle bin as well.
        let records: Vec<CrmId> = page
            .changes
            .into_iter()
            .filter_map(|change| match change {
                CrmChange::Upserted(record) => Some(record.id),
                CrmChange::Deleted(_) => None,
            })
            .collect();
        let asked: Vec<(ItemKey, CrmId)> = records.iter().map(|id| (record_key(id), id.clone())).collect();
        let accounts = db
            .run_for(id.mailbox, move |conn| store::of_records(conn, id, &asked))
            .await?;
        for record in records {
            tally.add(accounts.get(&record_key(&record)).copied(), || record.0);
        }
        cursor = Some(page.cursor);
        if !page.more {
            return Ok(());
        }
    }
}

impl Tally {
    fn add(&mut self, account: Option<Account>, id: impl FnOnce() -> String) {
        self.listed += 1;
        match account {
            Some(Account::Written) => self.written += 1,
            Some(Account::Skipped(reason)) => *self.skipped.entry(reason).or_default() += 1,
            Some(Account::Failed) => self.failed += 1,
            None => {
                self.missing += 1;
                if self.holes.len() < NAMED {
                    self.holes.push(id());
                }
            }
        }
    }
}
