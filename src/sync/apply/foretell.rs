//! Who would be told of verdicts, were they carried out. Decides as [`super::apply`] does, and writes nothing.

use super::delete::of_somebody;
use super::tell::{self, invites};
use super::update::in_mailbox;
use crate::sync::error::SyncError;
use crate::sync::gather::Work;
use crate::sync::model::Verdict;
use crate::sync::stream::Stream;
use crate::sync::told::Told;

/// Who would be told of these, in order.
///
/// # Errors
/// The mail server's, of which what is to be called off is asked.
pub async fn foretell(stream: &Stream, works: &[(Work, Verdict)]) -> Result<Vec<Told>, SyncError> {
    if !invites(stream) {
        return Ok(vec![Told::default(); works.len()]);
    }
    let ended = works.iter().map(|(work, verdict)| match verdict {
        Verdict::DeleteInMailbox { because } => of_somebody(work, *because),
        _ => None,
    });
    let mut news = tell::of_deletions(stream, ended.collect()).await?;
    for ((work, verdict), news) in works.iter().zip(&mut news) {
        let written = match verdict {
            Verdict::CreateInMailbox => {
                let record = work.crm_record.as_ref();
                record.map(|record| tell::of_create(stream, &record.record))
            }
            Verdict::Update { to_mailbox, .. } => in_mailbox(stream, work, *to_mailbox).map(|(_, news)| news),
            _ => None,
        };
        *news += written.unwrap_or_default();
    }
    Ok(news)
}
