//! The members of a list of the CRM, asked for as a whole.
//!
//! The feed tells of a record that was changed, and each record that is read comes with whether it is in the list. A
//! record can come into a list and leave it without being changed itself, because its account was, or the list. So the
//! whole list is asked for where the links' records are ([`super::guard::survivors`]), and what is linked and not in it, or
//! in it and not linked, is looked at.

use super::error::SyncError;
use super::gather::Pending;
use super::store::links;
use super::stream::Stream;
use crate::crm::model::CrmId;
use crate::foundation::db::Db;
use std::collections::BTreeSet;

/// Records read at once.
const BATCH: usize = 200;

/// Adds the records to look at to the CRM's changes.
///
/// # Errors
/// The database's, or the CRM's.
pub async fn ask(db: &Db, stream: &Stream, pending: &mut Pending) -> Result<(), SyncError> {
    if stream.row.user.list.is_none() {
        return Ok(());
    }
    let user = &stream.row.user;
    let members: BTreeSet<CrmId> = stream
        .crm
        .listed(user, stream.kind())
        .await?
        .into_iter()
        .collect();
    let id = stream.id;
    let linked = db
        .run_for(id.mailbox, move |conn| links::all_records(conn, id))
        .await?;
    let odd: Vec<CrmId> = members.symmetric_difference(&linked).cloned().collect();
    for batch in odd.chunks(BATCH) {
        pending.read(stream, batch).await?;
    }
    Ok(())
}
