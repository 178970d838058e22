//! The SQL of failures, one by one.

use crate::crm::model::CrmId;
use crate::foundation::db::schema::failures;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, Side, StreamId};
use crate::sync::store::links::unpack_id;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, SmallInt, Timestamptz};

/// A failure of a mailbox, by its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedItem {
    /// The failure's number.
    pub id: i64,
    /// Where the item is.
    pub side: Side,
    /// Which, where it is in the mailbox.
    pub item: Option<ItemId>,
    /// Which, where it is in the CRM.
    pub crm: Option<CrmId>,
}

/// A failure's name, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedName {
    /// The failure's number.
    pub id: i64,
    /// Of which stream.
    pub stream: StreamId,
    /// Where the item is.
    pub side: Side,
    /// Which, shortened.
    pub key: ItemKey,
    /// The name.
    pub sealed: Vec<u8>,
}

/// Every failure of a mailbox, by its ids.
pub fn items(conn: &mut PgConnection, mailbox: MailboxId) -> Result<Vec<FailedItem>, SyncError> {
    type Row = (i64, i16, Option<Vec<u8>>, Option<String>);
    let rows: Vec<Row> = failures::table
        .filter(failures::mailbox_id.eq(mailbox.0))
        .select((failures::id, failures::side, failures::item_id, failures::crm_id))
        .load(conn)?;
    let item = |(id, side, item, crm): Row| FailedItem {
        id,
        side: Side::from_number(side),
        item: item.and_then(|bytes| unpack_id(&bytes)),
        crm: crm.map(CrmId),
    };
    Ok(rows.into_iter().map(item).collect())
}

/// The names of a mailbox's failures that began after this.
pub fn names(
    conn: &mut PgConnection,
    mailbox: MailboxId,
    after: DateTime<Utc>,
) -> Result<Vec<SealedName>, SyncError> {
    type Row = (i64, i16, i16, i64, Option<Vec<u8>>);
    let rows: Vec<Row> = failures::table
        .filter(failures::mailbox_id.eq(mailbox.0))
        .filter(failures::name.is_not_null())
        .filter(failures::first_at.gt(after))
        .select((
            failures::id,
            failures::kind,
            failures::side,
            failures::item_key,
            failures::name,
        ))
        .load(conn)?;
    let name = |(id, kind, side, key, sealed): Row| {
        Some(SealedName {
            id,
            stream: StreamId {
                mailbox,
                kind: RecordKind::from_number(kind)?,
            },
            side: Side::from_number(side),
            key: ItemKey(key),
            sealed: sealed?,
        })
    };
    Ok(rows.into_iter().filter_map(name).collect())
}

/// Erases the names of failures of all mailboxes that began by then; how many.
pub fn forget_names(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<i64, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        forgotten: i64,
    }
    let row: Row = diesel::sql_query("SELECT forget_failed_names($1) AS forgotten")
        .bind::<Timestamptz, _>(before)
        .get_result(conn)?;
    Ok(row.forgotten)
}

/// Whose failure this is; `None` where there is none of this number.
pub fn place(conn: &mut PgConnection, id: i64) -> Result<Option<StreamId>, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Int4)]
        mailbox_id: i32,
        #[diesel(sql_type = SmallInt)]
        kind: i16,
    }
    let row: Option<Row> = diesel::sql_query("SELECT * FROM failure_place($1)")
        .bind::<BigInt, _>(id)
        .get_result(conn)
        .optional()?;
    Ok(row.and_then(|row| {
        Some(StreamId {
            mailbox: MailboxId(row.mailbox_id),
            kind: RecordKind::from_number(row.kind)?,
        })
    }))
}

/// Makes one failure due now.
pub fn make_due(
    conn: &mut PgConnection,
    stream: StreamId,
    id: i64,
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    diesel::update(
        failures::table
            .find(id)
            .filter(failures::mailbox_id.eq(stream.mailbox.0)),
    )
    .set(failures::next_retry_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// The code of a failure; `None` once there is none any more.
pub fn code(conn: &mut PgConnection, stream: StreamId, id: i64) -> Result<Option<String>, SyncError> {
    Ok(failures::table
        .find(id)
        .filter(failures::mailbox_id.eq(stream.mailbox.0))
        .select(failures::code)
        .first(conn)
        .optional()?)
}
