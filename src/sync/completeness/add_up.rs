//! Every stream of a mailbox, both sides.

use super::model::{NAMED, Said, Tally};
use super::{list, store};
use crate::access::Granted;
use crate::access::permission::Explain;
use crate::record::kind::RecordKind;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::model::{Side, StreamId};
use crate::sync::notes::Note;
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::store::notes;
use crate::sync::stream::Stream;
use std::collections::BTreeMap;

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
        mailbox.noted = noted(engine, stream.id).await?;
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

async fn noted(engine: &Engine, id: StreamId) -> Result<Vec<Said>, SyncError> {
    let rows = engine
        .db
        .run_for(id.mailbox, move |conn| notes::of_stream(conn, id))
        .await?;
    let mut said: BTreeMap<Note, Said> = BTreeMap::new();
    for (note, people, item) in rows {
        let said = said.entry(note).or_insert_with(|| Said {
            note,
            items: 0,
            count: 0,
            ids: Vec::new(),
        });
        said.items += 1;
        said.count += u64::from(people.unsigned_abs());
        if said.ids.len() < NAMED {
            said.ids.extend(item.map(|item| item.0));
        }
    }
    Ok(said.into_values().collect())
}

async fn held(engine: &Engine, id: StreamId, towards: Side) -> Result<u64, SyncError> {
    engine
        .db
        .run_for(id.mailbox, move |conn| store::held(conn, id, towards))
        .await
}
