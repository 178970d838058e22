//! What both a turn and a preview begin with: the changes of each side, from a cursor or, where that is lost,
//! from the start. Writes nothing.

use super::error::SyncError;
use super::gather::Pending;
use super::stream::Stream;
use crate::crm::model::{CrmChange, CrmCursor};
use crate::foundation::failure::Class;
use crate::mailbox::model::{ChangePage, MailboxCursor};
use crate::record::kind::RecordKind;

/// What was pulled of the CRM.
#[derive(Default)]
pub struct Pulled {
    /// The cursor behind it; `None` for mail, which has no feed.
    pub cursor: Option<CrmCursor>,
    /// How many changes.
    pub read: u64,
    /// The cursor was lost: the feed was read from its beginning.
    pub lost: bool,
}

/// Pulls the CRM's changes into memory; `seen` is told of each.
///
/// # Errors
/// The CRM's.
pub async fn crm(
    stream: &Stream,
    mut cursor: Option<CrmCursor>,
    pending: &mut Pending,
    mut seen: impl FnMut(&CrmChange),
) -> Result<Pulled, SyncError> {
    let mut pulled = Pulled::default();
    if stream.kind() == RecordKind::Mail {
        return Ok(pulled);
    }
    loop {
        let answer = stream
            .crm
            .changes(&stream.row.user, stream.kind(), cursor.as_ref())
            .await;
        match answer {
            Ok(page) => {
                pulled.read += page.changes.len() as u64;
                for change in page.changes {
                    seen(&change);
                    pending.add(stream, change);
                }
                cursor = Some(page.cursor);
                if !page.more {
                    pulled.cursor = cursor;
                    return Ok(pulled);
                }
            }
            Err(error) if error.class() == Class::CursorLost && cursor.is_some() => {
                cursor = None;
                pulled.lost = true;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The mailbox's next page, and whether the cursor was lost: then it is the first one.
///
/// # Errors
/// The mail server's.
pub async fn mailbox(
    stream: &Stream,
    cursor: Option<&MailboxCursor>,
    size: usize,
) -> Result<(ChangePage, bool), SyncError> {
    let (mailbox, kind) = (&stream.row.mailbox, stream.kind());
    match stream.server.changes(mailbox, kind, cursor, size).await {
        Err(error) if error.class() == Class::CursorLost && cursor.is_some() => {
            Ok((stream.server.changes(mailbox, kind, None, size).await?, true))
        }
        answer => Ok((answer?, false)),
    }
}
