//! What a meeting that is kept for somebody else may do to its record, and when it is let go again.

use super::gather::Work;
use super::model::{Change, ItemKey, Reason, Scope, Verdict};
use super::stream::Stream;
use crate::sync::keys::item_key;

/// Bends the verdicts on kept meetings: a colleague who drops the meeting from his own calendar, marks his copy
/// private or leaves its scope decides about his copy, not about everybody's record. Returns the items whose links end.
pub fn settle(stream: &Stream, planned: &mut [(Work, Verdict)]) -> Vec<ItemKey> {
    let mut ended = Vec::new();
    for (work, verdict) in planned {
        let Some(key) = kept(stream, work) else { continue };
        let reason = match &work.pair.mailbox {
            Some(Change::Upserted(seen)) => match seen.scope {
                Scope::In => None,
                Scope::Out(reason) | Scope::Left(reason) => Some(reason),
            },
            _ => None,
        };
        let bent = match (&*verdict, reason) {
            // The organiser called it off, which every copy tells.
            (Verdict::DeleteInCrm { .. }, Some(Reason::Cancelled)) => continue,
            (Verdict::Update { .. } | Verdict::InStep { .. }, None) => continue,
            (_, Some(reason)) => Verdict::Skip(reason),
            (_, None) if matches!(work.pair.mailbox, Some(Change::Deleted)) => Verdict::Ignore,
            // The record is gone. His copy stays, and makes no other.
            (_, None) => Verdict::Skip(Reason::ColleaguesCopy),
        };
        *verdict = bent;
        ended.push(key);
    }
    ended
}

fn kept(stream: &Stream, work: &Work) -> Option<ItemKey> {
    let item = work.item.as_ref().map(|item| item_key(&item.id));
    let key = item.or(work.link.as_ref().map(|link| link.key))?;
    stream.keeping.owner(key).map(|_| key)
}
