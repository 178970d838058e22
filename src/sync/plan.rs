//! What to do about each pair. Pure, and the heart of it all: property-tested in `plan/properties.rs`.

use super::conflict::{Merge, SideState, match_up, merge};
use super::fingerprint::Prints;
use super::leaving;
use super::model::{Change, Pair, Reason, Scope, Seen, Side, Verdict};
use super::policy::{Common, ConflictRule, Deletion, FieldRules};
use crate::record::field::FieldSet;

/// One verdict for each pair, in order.
pub fn plan(pairs: &[Pair], policy: Common) -> Vec<Verdict> {
    pairs.iter().map(|pair| decide(pair, policy)).collect()
}

/// Decides about one pair.
pub fn decide(pair: &Pair, policy: Common) -> Verdict {
    match &pair.base {
        None => unlinked(pair, policy),
        Some(base) => linked(base, pair, policy),
    }
}

fn unlinked(pair: &Pair, policy: Common) -> Verdict {
    match (&pair.mailbox, &pair.crm) {
        (Some(Change::Upserted(mailbox)), Some(Change::Upserted(crm))) => {
            if let Some(reason) = out(mailbox).or_else(|| out(crm)) {
                return Verdict::Skip(reason);
            }
            let policy = held_back(Some(mailbox), policy);
            from_merge(match_up(SideState::from(mailbox), SideState::from(crm), policy))
        }
        (Some(Change::Upserted(mailbox)), _) => match out(mailbox) {
            Some(reason) => Verdict::Skip(reason),
            None if policy.flow.to_crm() => Verdict::CreateInCrm,
            None => Verdict::Skip(Reason::Direction),
        },
        (_, Some(Change::Upserted(crm))) => match out(crm) {
            Some(reason) => Verdict::Skip(reason),
            None if policy.flow.to_mailbox() => Verdict::CreateInMailbox,
            None => Verdict::Skip(Reason::Direction),
        },
        _ => Verdict::Ignore,
    }
}

fn linked(base: &Prints, pair: &Pair, policy: Common) -> Verdict {
    match (&pair.mailbox, &pair.crm) {
        (Some(Change::Deleted), Some(Change::Deleted)) => Verdict::Unlink,
        (Some(Change::Deleted), crm) => deleted_in_mailbox(base, crm.as_ref(), policy),
        (mailbox, Some(Change::Deleted)) => deleted_in_crm(base, mailbox.as_ref(), policy),
        (mailbox, crm) => both_there(base, upserted(mailbox), upserted(crm), policy),
    }
}

/// An edit beats a deletion, since a deletion can be repeated and an edit cannot; unless the policy says
/// that the side that deleted always wins.
fn deleted_in_mailbox(base: &Prints, crm: Option<&Change>, policy: Common) -> Verdict {
    if let Some(Change::Upserted(seen)) = crm
        && let Some(verdict) = leaving::carried_out(base, seen, Side::Mailbox, policy)
    {
        return verdict;
    }
    if edited(base, crm) && policy.conflict != ConflictRule::MailboxWins && policy.flow.to_mailbox() {
        return Verdict::CreateInMailbox;
    }
    if policy.flow.to_crm() && policy.deletion == Deletion::Follow {
        Verdict::DeleteInCrm { because: None }
    } else {
        Verdict::Unlink
    }
}

fn deleted_in_crm(base: &Prints, mailbox: Option<&Change>, policy: Common) -> Verdict {
    if let Some(Change::Upserted(seen)) = mailbox {
        if let Some(verdict) = kept_from_others(seen, policy) {
            return verdict;
        }
        if let Some(verdict) = leaving::carried_out(base, seen, Side::Crm, policy) {
            return verdict;
        }
    }
    if edited(base, mailbox) && policy.conflict != ConflictRule::CrmWins && policy.flow.to_crm() {
        return Verdict::CreateInCrm;
    }
    if policy.flow.to_mailbox() && policy.deletion == Deletion::Follow {
        Verdict::DeleteInMailbox { because: None }
    } else {
        Verdict::Unlink
    }
}

/// What somebody edited. That somebody who was asked answers is no work on the meeting.
fn changed(base: &Prints, seen: &Seen) -> FieldSet {
    base.differing(&seen.prints).minus(FieldSet::ONE_WAY)
}

fn edited(base: &Prints, change: Option<&Change>) -> bool {
    upserted(&change.cloned()).is_some_and(|seen| seen.scope == Scope::In && !changed(base, seen).is_empty())
}

/// A meeting that its owner has made private since must not stay where others read it, and one that was called off does
/// not take place. A record of it that is gone already was deleted for that, before a crash: it is no reason to delete
/// the meeting.
fn kept_from_others(mailbox: &Seen, policy: Common) -> Option<Verdict> {
    match out(mailbox) {
        Some(reason @ (Reason::Private | Reason::Cancelled)) if policy.flow.to_crm() => {
            Some(Verdict::DeleteInCrm {
                because: Some(reason),
            })
        }
        _ => None,
    }
}

fn both_there(base: &Prints, mailbox: Option<&Seen>, crm: Option<&Seen>, policy: Common) -> Verdict {
    if let Some(verdict) = mailbox.and_then(|seen| kept_from_others(seen, policy)) {
        return verdict;
    }
    if let Some(verdict) = leaving::verdict(base, mailbox, crm, policy) {
        return verdict;
    }
    if mailbox.and_then(out).or(crm.and_then(out)).is_some() {
        return Verdict::InStep { base: base.clone() };
    }
    // A side without news holds what the link says. Nothing is written onto an item that was not looked at:
    // who wants a quiet side to take part shows it as it was last seen.
    let quiet = SideState {
        prints: base,
        modified: None,
        writable: FieldSet::NONE,
        earlier: false,
    };
    let policy = held_back(mailbox, policy);
    let (mailbox, crm) = (
        mailbox.map_or(quiet, SideState::from),
        crm.map_or(quiet, SideState::from),
    );
    from_merge(merge(base, mailbox, crm, policy))
}

/// What is held back of an item is held back of what the CRM had of it before, whoever edited that meanwhile.
fn held_back(mailbox: Option<&Seen>, policy: Common) -> Common {
    match mailbox {
        Some(seen) if seen.masked => Common {
            conflict: ConflictRule::MailboxWins,
            conflict_fields: FieldRules::default(),
            ..policy
        },
        _ => policy,
    }
}

fn from_merge(merge: Merge) -> Verdict {
    let Merge {
        to_crm,
        to_mailbox,
        base,
        conflicted,
    } = merge;
    if to_crm.is_empty() && to_mailbox.is_empty() {
        Verdict::InStep { base }
    } else {
        Verdict::Update {
            to_crm,
            to_mailbox,
            base,
            conflicted,
        }
    }
}

fn upserted(change: &Option<Change>) -> Option<&Seen> {
    match change {
        Some(Change::Upserted(seen)) => Some(seen),
        _ => None,
    }
}

fn out(seen: &Seen) -> Option<Reason> {
    seen.scope.reason()
}

#[cfg(test)]
mod tests {
    use super::super::policy::{Flow, OutOfScope};
    use super::*;
    use crate::record::field::Field;

    fn seen(subject: u8, body: u8, masked: bool) -> Change {
        let fields = FieldSet::of(&[Field::Subject, Field::Body]);
        Change::Upserted(Seen {
            modified: None,
            prints: prints(subject, body),
            writable: if masked { FieldSet::NONE } else { fields },
            scope: Scope::In,
            earlier: false,
            copy: false,
            masked,
        })
    }

    fn prints(subject: u8, body: u8) -> Prints {
        Prints::from_pairs([(Field::Subject, [subject; 6]), (Field::Body, [body; 6])])
    }

    #[test]
    fn what_is_held_back_of_an_item_does_not_stay_in_the_crm_whoever_edited_it_there_and_whoever_wins() {
        for conflict in [
            ConflictRule::CrmWins,
            ConflictRule::NewestWins,
            ConflictRule::MergeByField,
        ] {
            let policy = Common {
                flow: Flow::Both,
                conflict,
                deletion: Deletion::Follow,
                conflict_fields: FieldRules::default().with(Field::Subject, ConflictRule::CrmWins),
                out_of_scope: OutOfScope::Keep,
            };
            // Its owner made it private, while a colleague worked on the record.
            let pair = Pair {
                base: Some(prints(1, 1)),
                mailbox: Some(seen(2, 2, true)),
                crm: Some(seen(3, 3, false)),
            };
            let Verdict::Update {
                to_crm, to_mailbox, ..
            } = decide(&pair, policy)
            else {
                panic!("{conflict:?}: nothing is written");
            };
            assert!(to_mailbox.is_empty() && to_crm.has(Field::Subject) && to_crm.has(Field::Body));
        }
    }
}
