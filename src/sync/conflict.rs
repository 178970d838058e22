//! Two sides, one record: what each must take over from the other. Pure.

use super::fingerprint::{EMPTY, Prints};
use super::model::{Scope, Seen};
use super::policy::{Common, ConflictRule};
use crate::record::field::{Field, FieldSet};
use chrono::{DateTime, Utc};

/// Where one side's record was made from the other's and a crash kept us from remembering it: the prints at
/// which both were in step, which are those of the side that has not changed since. Without them the conflict
/// rule would take the copy for a work of its own and could put it over what a person wrote into the original.
/// `takes` are the fields that the copy could take over. `None` where a side does not say when it changed, or
/// does not take part.
pub fn base_of_copy(original: &Seen, copy: &Seen, takes: FieldSet) -> Option<Prints> {
    if original.scope != Scope::In || copy.scope != Scope::In {
        return None;
    }
    if copy.modified? <= original.modified? {
        return Some(copy.prints.clone());
    }
    Some(original.prints.taken_over(takes))
}

/// The outcome of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Fields whose value goes from the mailbox to the CRM.
    pub to_crm: FieldSet,
    /// Fields whose value goes from the CRM to the mailbox.
    pub to_mailbox: FieldSet,
    /// The prints at which both sides will be in step once that is written.
    pub base: Prints,
    /// Fields that both sides had changed to different values.
    pub conflicted: FieldSet,
}

/// A side as the merge needs it.
#[derive(Debug, Clone, Copy)]
pub struct SideState<'a> {
    /// What it holds now.
    pub prints: &'a Prints,
    /// When it changed, where known.
    pub modified: Option<DateTime<Utc>>,
    /// What may be written onto it.
    pub writable: FieldSet,
}

impl<'a> From<&'a Seen> for SideState<'a> {
    fn from(seen: &'a Seen) -> Self {
        Self {
            prints: &seen.prints,
            modified: seen.modified,
            writable: seen.writable,
        }
    }
}

/// Merges two linked sides against the prints at which they were last in step.
///
/// A field that may not be written to the side that should take it (a permission, the direction of the
/// policy, an attendee's copy) stays as it is on both sides, and its base stays too: once it may be
/// written, the difference is still known.
pub fn merge(base: &Prints, mailbox: SideState<'_>, crm: SideState<'_>, policy: Common) -> Merge {
    let fields = mailbox.prints.fields().and(crm.prints.fields());
    let changed_by_mailbox = changed(base, mailbox.prints, fields);
    let changed_by_crm = changed(base, crm.prints, fields);
    let differing = mailbox.prints.differing(crm.prints);
    let conflicted = changed_by_mailbox.and(changed_by_crm).and(differing);
    let whole_record = !matches!(policy.conflict, ConflictRule::MergeByField);
    let both_changed =
        !changed_by_mailbox.and(differing).is_empty() && !changed_by_crm.and(differing).is_empty();
    let mailbox_first = mailbox_wins(policy.conflict, mailbox.modified, crm.modified);

    let towards_crm = |field: Field| {
        if both_changed && whole_record || conflicted.has(field) {
            mailbox_first
        } else {
            changed_by_mailbox.has(field)
        }
    };
    settle(base, mailbox, crm, policy, differing, conflicted, towards_crm)
}

/// Merges two sides that were never linked (a match by address, key or stamp): there is no base. An empty
/// field takes the other side's value; where both hold different values, the conflict rule decides.
pub fn match_up(mailbox: SideState<'_>, crm: SideState<'_>, policy: Common) -> Merge {
    let differing = mailbox.prints.differing(crm.prints);
    let mailbox_first = mailbox_wins(policy.conflict, mailbox.modified, crm.modified);
    let conflicted = differing
        .iter()
        .filter(|field| mailbox.prints.get(*field) != EMPTY && crm.prints.get(*field) != EMPTY)
        .fold(FieldSet::NONE, FieldSet::with);
    let towards_crm = |field: Field| {
        if conflicted.has(field) {
            mailbox_first
        } else {
            crm.prints.get(field) == EMPTY
        }
    };
    settle(
        &Prints::none(),
        mailbox,
        crm,
        policy,
        differing,
        conflicted,
        towards_crm,
    )
}

fn settle(
    base: &Prints,
    mailbox: SideState<'_>,
    crm: SideState<'_>,
    policy: Common,
    differing: FieldSet,
    conflicted: FieldSet,
    towards_crm: impl Fn(Field) -> bool,
) -> Merge {
    let fields = mailbox.prints.fields().and(crm.prints.fields());
    let mut merge = Merge {
        to_crm: FieldSet::NONE,
        to_mailbox: FieldSet::NONE,
        base: Prints::none(),
        conflicted,
    };
    let pairs = fields.iter().map(|field| {
        let print = if !differing.has(field) {
            mailbox.prints.get(field)
        } else if towards_crm(field) {
            if policy.flow.to_crm() && crm.writable.has(field) {
                merge.to_crm = merge.to_crm.with(field);
                mailbox.prints.get(field)
            } else {
                base.get(field)
            }
        } else if policy.flow.to_mailbox() && mailbox.writable.has(field) {
            merge.to_mailbox = merge.to_mailbox.with(field);
            crm.prints.get(field)
        } else {
            base.get(field)
        };
        (field, print)
    });
    merge.base = Prints::from_pairs(pairs.collect::<Vec<_>>());
    merge
}

fn changed(base: &Prints, now: &Prints, fields: FieldSet) -> FieldSet {
    fields
        .iter()
        .filter(|field| base.get(*field) != now.get(*field))
        .fold(FieldSet::NONE, FieldSet::with)
}

fn mailbox_wins(rule: ConflictRule, mailbox: Option<DateTime<Utc>>, crm: Option<DateTime<Utc>>) -> bool {
    match rule {
        ConflictRule::MailboxWins => true,
        ConflictRule::CrmWins => false,
        ConflictRule::NewestWins | ConflictRule::MergeByField => match (mailbox, crm) {
            (Some(mailbox), Some(crm)) => mailbox >= crm,
            (None, Some(_)) => false,
            _ => true,
        },
    }
}
