//! Every stream of a mailbox, both sides.

use super::model::Tally;
use super::{list, store};
use crate::access::Granted;
use crate::access::permission::Explain;
use crate::record::kind::RecordKind;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::model::{Side, StreamId};
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::stream::Stream;

/// Lists both sides of every stream of a mailbox and adds up. Changes nothing. What changed on either side since
/// the last turn shows as a hole: run one before.
///
/// # Errors
/// Whatever keeps us from asking.
pub async fn completeness(
    engine: &Engine,
    _: &Granted<Explain>,
    row: &MailboxRow,
) -> Result<Vec<Tally>, SyncError> {
    let mut tallies = Vec::new();
    let row = &engine.with_folders(row).await?;
    let probe = engine.mail_server(&row.mail_server)?.probe(&row.mailbox).await?;
    for kind in RecordKind::ALL {
        let stream = Stream::open(engine, row.clone(), kind).await?;
        if !stream.common.flow.to_crm() && !stream.common.flow.to_mailbox() {
            continue;
        }
        let mut mailbox = Tally::new(kind, Side::Mailbox);
        mailbox.counted = probe.count(kind).map(u64::from);
        list::mailbox(&engine.db, &stream, engine.settings.page_size, &mut mailbox).await?;
        mailbox.held = held(engine, stream.id, Side::Crm).await?;
        tallies.push(mailbox);
        if kind == RecordKind::Mail {
            continue;
        }
        let mut crm = Tally::new(kind, Side::Crm);
        crm.counted = stream.crm.count(&stream.row.user, kind).await?;
        list::crm(&engine.db, &stream, &mut crm).await?;
        crm.held = held(engine, stream.id, Side::Mailbox).await?;
        tallies.push(crm);
    }
    Ok(tallies)
}

async fn held(engine: &Engine, id: StreamId, towards: Side) -> Result<u64, SyncError> {
    engine
        .db
        .run_for(id.mailbox, move |conn| store::held(conn, id, towards))
        .await
}
