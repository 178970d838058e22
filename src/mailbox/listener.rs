//! Hints from a mail server that something happened. A hint says *look now* and never *this is what changed*:
//! one that is lost costs time and nothing else.

use super::error::MailboxError;
use super::model::MailboxRef;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use tokio::sync::mpsc;

/// A hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// From now on news of this mailbox is told. What happened before is not: every stream of it must be looked
    /// at once.
    Heard(MailboxId),
    /// The stream has news.
    News(MailboxId, RecordKind),
    /// This mailbox is not listened to for now, for the reason of this code. It must be asked instead.
    Deaf(MailboxId, &'static str),
}

/// How a connection ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// At its time, or because nobody takes the hints any more.
    Closed,
    /// The server lost track of some mailboxes; the next call subscribes to them anew.
    LostSome,
    /// Not one of the mailboxes can be listened to.
    Nobody,
}

/// Listens to a group of mailboxes on one connection at a time, and keeps its subscriptions between two.
#[async_trait]
pub trait MailboxListener: Send {
    /// Listens to these mailboxes until the connection ends. May be dropped at any moment and called again, with
    /// other mailboxes too.
    ///
    /// # Errors
    /// What keeps the whole group from being listened to.
    async fn listen(
        &mut self,
        mailboxes: &[MailboxRef],
        hints: &mpsc::Sender<Hint>,
    ) -> Result<Ended, MailboxError>;
}
