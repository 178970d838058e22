//! What became of a page: links, skips, failures, counts; and how one work adds to it.

use crate::crm::model::CrmId;
use crate::foundation::content::Content;
use crate::foundation::explain::Explain;
use crate::foundation::failure::Class;
use crate::mailbox::model::ItemRef;
use crate::record::field::{Field, FieldSet};
use crate::sync::failed::name::name_of;
use crate::sync::fingerprint::Prints;
use crate::sync::gather::Work;
use crate::sync::journal::{Act, Entry};
use crate::sync::keys::{item_key, record_key, version};
use crate::sync::model::{Change, ItemKey, Link, Reason, Seen, Side};
use crate::sync::notes::Note;
use crate::sync::report::Counts;
use crate::sync::store::outcome::PageOutcome;
use crate::sync::stream::Stream;

/// What became of a page's verdicts.
#[derive(Default)]
pub struct Applied {
    /// What to remember.
    pub page: PageOutcome,
    /// What was done.
    pub counts: Counts,
    /// Items that failed: side, work's ids, code and class; the caller adds attempts and the next try.
    pub failed: Vec<Failed>,
    /// Works whose other side turned out to be different from what the plan was told; plan them again.
    pub again: Vec<Work>,
}

/// An item that could not be written.
pub struct Failed {
    /// Where the news came from.
    pub origin: Side,
    /// The mailbox's item.
    pub item: Option<ItemRef>,
    /// The CRM's record.
    pub crm: Option<CrmId>,
    /// The stable code.
    pub code: &'static str,
    /// Its class.
    pub class: Class,
    /// What people call it, as far as it was read.
    pub name: Option<Content<String>>,
}

pub(super) fn settle(work: &Work, applied: &mut Applied) {
    applied.page.settled.push((work.origin, work.key()));
}

pub(super) fn skip(work: &Work, reason: Reason, applied: &mut Applied) {
    *applied.counts.skipped.entry(reason).or_default() += 1;
    settle(work, applied);
    applied.page.skipped.push((work.origin, work.key(), reason));
}

pub(super) fn unlink(work: &Work, applied: &mut Applied) {
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    settle(work, applied);
}

/// Ends a link of which one side is gone and the other stays. What stays would be new to the next turn that hears
/// of it, and would bring back what a person deleted: so it is remembered as parted.
pub(super) fn part(work: &Work, applied: &mut Applied) {
    unlink(work, applied);
    let Some(link) = &work.link else { return };
    let stays = match (&work.pair.mailbox, &work.pair.crm) {
        (Some(Change::Deleted), Some(Change::Deleted)) => return,
        (Some(Change::Deleted), _) => (Side::Crm, record_key(&link.crm)),
        (_, Some(Change::Deleted)) => (Side::Mailbox, link.key),
        _ => return,
    };
    *applied.counts.skipped.entry(Reason::Parted).or_default() += 1;
    applied.page.skipped.push((stays.0, stays.1, Reason::Parted));
}

/// Ends a link of which both sides stay. What would be made again beside a counterpart that is still there is left
/// alone from now on; a counterpart that is a copy of ours is found again by its key or stamp.
pub(super) fn let_go(work: &Work, reason: Reason, applied: &mut Applied) {
    unlink(work, applied);
    *applied.counts.skipped.entry(reason).or_default() += 1;
    let seen = |side| match side {
        Side::Mailbox => upserted(&work.pair.mailbox),
        Side::Crm => upserted(&work.pair.crm),
    };
    for (side, key) in work.keys() {
        let other = match side {
            Side::Mailbox => Side::Crm,
            Side::Crm => Side::Mailbox,
        };
        let findable = seen(other).is_some_and(|seen| seen.copy);
        let own = seen(side).and_then(|seen| seen.scope.reason());
        let why = own.filter(|_| findable).unwrap_or(Reason::LeftScope);
        applied.page.skipped.push((side, key, why));
    }
}

/// Notes why what stays after a deletion on this side has no counterpart.
pub(super) fn remains(work: &Work, deleted: Side, reason: Reason, applied: &mut Applied) {
    *applied.counts.skipped.entry(reason).or_default() += 1;
    let stays = work.keys().filter(|(side, _)| *side != deleted);
    applied
        .page
        .skipped
        .extend(stays.map(|(side, key)| (side, key, reason)));
}

fn upserted(change: &Option<Change>) -> Option<&Seen> {
    match change {
        Some(Change::Upserted(seen)) => Some(seen),
        _ => None,
    }
}

pub(super) fn in_step(work: &Work, base: Prints, applied: &mut Applied) {
    let (Some(item), Some(crm)) = (&work.item, &work.crm) else {
        settle(work, applied);
        return;
    };
    if work.link.is_none() {
        applied.counts.matched += 1;
    }
    // So that an undo knows of it.
    applied.page.journal.extend(work.ours.map(|side| Entry {
        side,
        act: Act::Found,
        key: item_key(&item.id),
        item: (side == Side::Mailbox).then(|| item.id.clone()),
        crm: Some(crm.clone()),
    }));
    applied.page.links.push(link(work, item, crm, base));
    settle(work, applied);
}

pub(super) fn link(work: &Work, item: &ItemRef, crm: &CrmId, base: Prints) -> Link {
    let seen = |change: &Option<Change>| match change {
        Some(Change::Upserted(Seen { modified, .. })) => *modified,
        _ => None,
    };
    let before = work.link.as_ref();
    let unknown = item.version.0.is_empty();
    Link {
        key: item_key(&item.id),
        version: match before {
            Some(before) if unknown => before.version,
            _ => version(&item.version),
        },
        item: Some(item.id.clone()),
        crm: crm.clone(),
        item_modified: seen(&work.pair.mailbox).or(before.and_then(|link| link.item_modified)),
        crm_modified: seen(&work.pair.crm).or(before.and_then(|link| link.crm_modified)),
        base,
        fixed: match &work.crm_record {
            Some(record) => record.fixed,
            None => before.is_some_and(|link| link.fixed),
        },
    }
}

/// Enters a write into the journal. Of a deletion it keeps the item's id too: the link goes with it, and the
/// guard counts the dates of one series as one act, which only their ids tell.
pub(super) fn wrote(work: &Work, side: Side, act: Act, crm: &CrmId, applied: &mut Applied) {
    let item = work.item.as_ref().map(|item| &item.id);
    let linked = work.link.as_ref();
    let lost = || item.or(linked.and_then(|link| link.item.as_ref())).cloned();
    applied.page.journal.push(Entry {
        side,
        act,
        key: item
            .map(item_key)
            .or(linked.map(|link| link.key))
            .unwrap_or(ItemKey(0)),
        item: (act == Act::Deleted).then(lost).flatten(),
        crm: Some(crm.clone()),
    });
}

pub(super) fn fail(work: &Work, error: &dyn Explain, class: Class, applied: &mut Applied) {
    applied.counts.failed += 1;
    applied.failed.push(Failed {
        origin: work.origin,
        item: work.item.clone(),
        crm: work.crm.clone(),
        code: error.code(),
        class,
        name: called(work),
    });
}

/// What people call the item of a work.
pub fn called(work: &Work) -> Option<Content<String>> {
    let record = work.crm_record.as_ref().map(|record| &record.record);
    let (first, second) = match work.origin {
        Side::Mailbox => (work.item_record.as_ref(), record),
        Side::Crm => (record, work.item_record.as_ref()),
    };
    first.or(second).and_then(name_of)
}

/// The prints of a side, as far as the other side took them over: a field that it does not take is empty
/// there.
pub(super) fn taken_over(change: &Option<Change>, takes: FieldSet) -> Prints {
    match change {
        Some(Change::Upserted(seen)) => seen.prints.taken_over(takes),
        _ => Prints::none(),
    }
}

/// The base after a write to the CRM that left people out whom the CRM refused: they are not on the record, and its
/// next news must not read as if somebody had taken them off.
pub(super) fn refused(
    stream: &Stream,
    work: &Work,
    without: &[CrmId],
    base: Prints,
    applied: &mut Applied,
) -> Prints {
    let (Some(record), Some(item)) = (&work.item_record, &work.item) else {
        return base;
    };
    if without.is_empty() {
        return base;
    }
    let count = u32::try_from(without.len()).unwrap_or(u32::MAX);
    let key = item_key(&item.id);
    applied
        .page
        .noted
        .notes
        .push((key, Note::AttendeesRefused, count));
    let print = (Field::Attendees, stream.print_without(record, without));
    Prints::from_pairs(base.pairs().chain([print]).collect::<Vec<_>>())
}

/// The shortened id under which a failure is remembered.
pub fn failure_key(failed: &Failed) -> ItemKey {
    match (failed.origin, &failed.item, &failed.crm) {
        (Side::Mailbox, Some(item), _) | (_, Some(item), None) => item_key(&item.id),
        (_, _, Some(crm)) => record_key(crm),
        (_, None, None) => ItemKey(0),
    }
}
