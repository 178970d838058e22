//! Carries verdicts out: batched, item by item judged, safe to repeat.
//!
//! The order is chosen for crashes and for moves. Creates come first and deletions last, so that an item that
//! left and came back under another id is linked again before its old link would have deleted its record.
//! Mailbox items are created only after their stamps were looked for.

use crate::sync::error::SyncError;
use crate::sync::gather::Work;
use crate::sync::model::{Reason, Side, Verdict};
use crate::sync::stream::Stream;
use applied::{in_step, let_go, part, settle, skip};
use create::{create_in_crm, create_in_mailbox};
use delete::{Deletion, delete};
use update::{Update, update};

mod applied;
mod create;
mod delete;
mod foretell;
mod tell;
mod update;
pub(in crate::sync) mod write;

pub use applied::{Applied, Failed, called, failure_key};
pub use foretell::foretell;

/// Carries out the verdicts of a page.
///
/// # Errors
/// What stops the whole turn. What was written until then is found again by its keys when the page is
/// repeated.
pub async fn apply(stream: &Stream, works: Vec<(Work, Verdict)>) -> Result<Applied, SyncError> {
    let mut applied = Applied::default();
    let mut sorted = Sorted::default();
    for (work, verdict) in works {
        sorted.add(stream, work, verdict, &mut applied);
    }
    // The record of a recurring task moves on before the occurrence that was done gets one of its own: for a moment
    // there would be two that say the same.
    let (moving, updates): (Vec<Update>, Vec<Update>) = sorted
        .update
        .into_iter()
        .partition(|update| update::recurs(&update.work));
    update(stream, moving, &mut applied).await?;
    create_in_mailbox(stream, sorted.create_in_mailbox, &mut applied).await?;
    create_in_crm(stream, sorted.create_in_crm, &mut applied).await?;
    update(stream, updates, &mut applied).await?;
    delete(stream, sorted.delete, &mut applied).await?;
    Ok(applied)
}

#[derive(Default)]
struct Sorted {
    create_in_mailbox: Vec<Work>,
    create_in_crm: Vec<Work>,
    update: Vec<Update>,
    delete: Vec<Deletion>,
}

impl Sorted {
    fn add(&mut self, stream: &Stream, work: Work, verdict: Verdict, applied: &mut Applied) {
        match verdict {
            Verdict::CreateInCrm if !stream.capabilities.may_create(stream.kind()) => {
                skip(&work, Reason::NoRight, applied);
            }
            Verdict::CreateInCrm => self.create_in_crm.push(work),
            Verdict::CreateInMailbox => self.create_in_mailbox.push(work),
            Verdict::Update {
                to_crm,
                to_mailbox,
                base,
                conflicted,
            } => {
                applied.counts.conflicts += u64::from(!conflicted.is_empty());
                self.update.push(Update {
                    work,
                    to_crm,
                    to_mailbox,
                    base,
                });
            }
            Verdict::DeleteInCrm { because } => {
                self.delete.push(Deletion {
                    work,
                    side: Side::Crm,
                    because,
                });
            }
            Verdict::DeleteInMailbox { because } => {
                self.delete.push(Deletion {
                    work,
                    side: Side::Mailbox,
                    because,
                });
            }
            Verdict::InStep { base } => in_step(&work, base, applied),
            Verdict::Unlink => part(&work, applied),
            Verdict::LetGo(reason) => let_go(&work, reason, applied),
            Verdict::Skip(reason) => skip(&work, reason, applied),
            Verdict::Ignore => settle(&work, applied),
        }
    }
}
