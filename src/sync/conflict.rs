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
    // Whether the copy has heard of what goes one way, nobody knows: it is told once more.
    let in_step = match copy.modified? <= original.modified? {
        true => copy.prints.clone(),
        false => original.prints.taken_over(takes),
    };
    Some(in_step.without(FieldSet::ONE_WAY))
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
    /// Its change was seen at an earlier turn already.
    pub earlier: bool,
}

impl<'a> From<&'a Seen> for SideState<'a> {
    fn from(seen: &'a Seen) -> Self {
        Self {
            prints: &seen.prints,
            modified: seen.modified,
            writable: seen.writable,
            earlier: seen.earlier,
        }
    }
}

/// Merges two linked sides against the prints at which they were last in step.
///
/// A field that may not be written to the side that should take it (a permission, the direction of the
/// policy, an attendee's copy) stays as it is on both sides, and its base stays too: once it may be
/// written, the difference is still known.
pub fn merge(base: &Prints, mailbox: SideState<'_>, crm: SideState<'_>, policy: Common) -> Merge {
    let fields = compared(mailbox, crm);
    let changed_by_mailbox = changed(base, mailbox.prints, fields);
    let changed_by_crm = changed(base, crm.prints, fields);
    let differing = differing(mailbox, crm);
    let conflicted = changed_by_mailbox.and(changed_by_crm).and(differing);
    let whole_record = !matches!(policy.conflict, ConflictRule::MergeByField);
    // A field with a rule of its own is decided by itself and draws nothing else along.
    let alone = policy.conflict_fields.fields();
    let together = differing.minus(alone);
    let both_changed =
        !changed_by_mailbox.and(together).is_empty() && !changed_by_crm.and(together).is_empty();

    let towards_crm = |field: Field| {
        if both_changed && whole_record && !alone.has(field) || conflicted.has(field) {
            mailbox_wins(rule_of(field, policy), mailbox, crm)
        } else {
            changed_by_mailbox.has(field)
        }
    };
    settle(base, mailbox, crm, policy, differing, conflicted, towards_crm)
}

/// Merges two sides that were never linked (a match by address, key or stamp): there is no base. An empty
/// field takes the other side's value; where both hold different values, the conflict rule decides.
pub fn match_up(mailbox: SideState<'_>, crm: SideState<'_>, policy: Common) -> Merge {
    let differing = differing(mailbox, crm);
    let conflicted = differing
        .iter()
        .filter(|field| mailbox.prints.get(*field) != EMPTY && crm.prints.get(*field) != EMPTY)
        .fold(FieldSet::NONE, FieldSet::with);
    let towards_crm = |field: Field| {
        if conflicted.has(field) {
            mailbox_wins(rule_of(field, policy), mailbox, crm)
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
    let fields = compared(mailbox, crm);
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
    let mut pairs: Vec<_> = pairs.collect();
    for field in FieldSet::ONE_WAY.and(mailbox.prints.fields()).iter() {
        let (before, now) = (base.get(field), mailbox.prints.get(field));
        let goes = before != now && policy.flow.to_crm() && crm.writable.has(field);
        if goes {
            merge.to_crm = merge.to_crm.with(field);
        }
        pairs.push((field, if goes { now } else { before }));
    }
    merge.base = Prints::from_pairs(pairs);
    merge
}

/// The fields that both sides have and that are compared. What goes one way is none of them: whatever the CRM says of
/// it, a change in the mailbox goes there.
fn compared(mailbox: SideState<'_>, crm: SideState<'_>) -> FieldSet {
    let both = mailbox.prints.fields().and(crm.prints.fields());
    both.minus(FieldSet::ONE_WAY)
}

fn differing(mailbox: SideState<'_>, crm: SideState<'_>) -> FieldSet {
    mailbox.prints.differing(crm.prints).minus(FieldSet::ONE_WAY)
}

fn changed(base: &Prints, now: &Prints, fields: FieldSet) -> FieldSet {
    fields
        .iter()
        .filter(|field| base.get(*field) != now.get(*field))
        .fold(FieldSet::NONE, FieldSet::with)
}

fn rule_of(field: Field, policy: Common) -> ConflictRule {
    policy.conflict_fields.get(field).unwrap_or(policy.conflict)
}

/// The order in which we saw the changes beats timestamps: the two clocks may disagree. Only of what was seen
/// within one turn the timestamps decide.
fn mailbox_wins(rule: ConflictRule, mailbox: SideState<'_>, crm: SideState<'_>) -> bool {
    match rule {
        ConflictRule::MailboxWins => true,
        ConflictRule::CrmWins => false,
        ConflictRule::NewestWins | ConflictRule::MergeByField => match (mailbox.earlier, crm.earlier) {
            (true, false) => false,
            (false, true) => true,
            _ => match (mailbox.modified, crm.modified) {
                (Some(mailbox), Some(crm)) => mailbox >= crm,
                (None, Some(_)) => false,
                _ => true,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fingerprint::PRINT_BYTES;
    use crate::sync::policy::{Deletion, FieldRules, Flow};
    use chrono::TimeDelta;

    const SUBJECT: Field = Field::Subject;
    const BODY: Field = Field::Body;

    fn prints(subject: u8, body: u8) -> Prints {
        Prints::from_pairs([(SUBJECT, [subject; PRINT_BYTES]), (BODY, [body; PRINT_BYTES])])
    }

    fn side(prints: &Prints, second: i64, earlier: bool) -> SideState<'_> {
        SideState {
            prints,
            modified: Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(second)),
            writable: FieldSet::of(&[SUBJECT, BODY]),
            earlier,
        }
    }

    fn policy(conflict: ConflictRule, conflict_fields: FieldRules) -> Common {
        Common {
            flow: Flow::Both,
            conflict,
            deletion: Deletion::Follow,
            conflict_fields,
            out_of_scope: crate::sync::policy::OutOfScope::Keep,
        }
    }

    /// Which fields went to the CRM, as letters.
    fn to_crm(merge: &Merge) -> String {
        [(SUBJECT, 's'), (BODY, 'b')]
            .into_iter()
            .filter(|(field, _)| merge.to_crm.has(*field))
            .map(|(_, letter)| letter)
            .collect()
    }

    #[test]
    fn a_rule_of_a_field_beats_the_rule_of_the_record_and_draws_nothing_along() {
        use ConflictRule::{CrmWins, MailboxWins, MergeByField, NewestWins};
        // (mailbox changed, crm changed, record's rule, subject's rule, what goes to the CRM); the CRM is newer.
        let table = [
            ("sb", "sb", CrmWins, None, ""),
            ("sb", "sb", CrmWins, Some(MailboxWins), "s"),
            ("sb", "sb", MailboxWins, Some(CrmWins), "b"),
            ("sb", "sb", NewestWins, Some(MailboxWins), "s"),
            ("sb", "sb", MergeByField, Some(MailboxWins), "s"),
            // Only the mailbox changed the subject: there is nothing to contest, whatever its rule.
            ("s", "b", CrmWins, Some(CrmWins), "s"),
            ("s", "b", CrmWins, None, ""),
            ("s", "b", MailboxWins, None, "sb"),
            ("s", "b", MailboxWins, Some(MailboxWins), "s"),
        ];
        for (mailbox, crm, record, subject, expected) in table {
            let of = |changed: &str, by: u8| {
                let value = |letter| if changed.contains(letter) { by } else { 1 };
                prints(value('s'), value('b'))
            };
            let rules = subject.map_or(FieldRules::default(), |rule| {
                FieldRules::default().with(SUBJECT, rule)
            });
            let (mine, theirs) = (of(mailbox, 2), of(crm, 3));
            let merged = merge(
                &prints(1, 1),
                side(&mine, 1, false),
                side(&theirs, 2, false),
                policy(record, rules),
            );
            assert_eq!(
                to_crm(&merged),
                expected,
                "{mailbox} {crm} {record:?} {subject:?}"
            );
        }
    }

    #[test]
    fn what_goes_one_way_is_told_when_it_changes_and_neither_contested_nor_drawn_along() {
        let with = |of: Prints, answers: u8| {
            Prints::from_pairs(
                of.pairs()
                    .chain([(Field::Responses, [answers; PRINT_BYTES])])
                    .collect::<Vec<_>>(),
            )
        };
        let writable = FieldSet::of(&[SUBJECT, BODY, Field::Responses]);
        let (base, mine, theirs) = (with(prints(1, 1), 1), with(prints(1, 1), 2), prints(2, 1));
        let told = |flow, writable, crm: &Prints| {
            let policy = Common {
                flow,
                ..policy(ConflictRule::CrmWins, FieldRules::default())
            };
            let crm = SideState {
                writable,
                ..side(crm, 2, false)
            };
            let merged = merge(&base, side(&mine, 1, false), crm, policy);
            let answers = merged.base.get(Field::Responses);
            (merged.to_crm, merged.to_mailbox, merged.conflicted, answers)
        };
        let (answers, edit) = (FieldSet::of(&[Field::Responses]), FieldSet::of(&[SUBJECT]));
        let (new, old) = ([2; PRINT_BYTES], [1; PRINT_BYTES]);
        let nothing = FieldSet::NONE;
        assert_eq!(told(Flow::Both, writable, &theirs), (answers, edit, nothing, new));
        assert_eq!(
            told(Flow::ToCrm, writable, &theirs),
            (answers, nothing, nothing, new)
        );
        // Not told yet, and still known to be news.
        assert_eq!(
            told(Flow::ToMailbox, writable, &theirs),
            (nothing, edit, nothing, old)
        );
        assert_eq!(told(Flow::Both, nothing, &theirs), (nothing, edit, nothing, old));
        // A record that was not read again says nothing of its own.
        assert_eq!(
            told(Flow::Both, writable, &base),
            (answers, nothing, nothing, new)
        );
    }

    #[test]
    fn the_order_of_what_was_seen_beats_the_clocks() {
        // (mailbox's clock, seen before, crm's clock, seen before, the mailbox wins)
        let table = [
            (1, false, 2, false, false),
            (2, false, 1, false, true),
            (2, false, 2, false, true),
            // The mailbox's clock is years ahead, but its change was seen a turn earlier.
            (1_000_000_000, true, 1, false, false),
            (1, false, 1_000_000_000, true, true),
            // Both were seen before: nothing but the clocks is left.
            (1, true, 2, true, false),
        ];
        let (mine, theirs) = (prints(2, 1), prints(3, 1));
        for (at, seen, crm_at, crm_seen, mailbox_wins) in table {
            for rule in [ConflictRule::NewestWins, ConflictRule::MergeByField] {
                let merged = merge(
                    &prints(1, 1),
                    side(&mine, at, seen),
                    side(&theirs, crm_at, crm_seen),
                    policy(rule, FieldRules::default()),
                );
                let expected = if mailbox_wins { "s" } else { "" };
                assert_eq!(
                    to_crm(&merged),
                    expected,
                    "{at} {seen} {crm_at} {crm_seen} {rule:?}"
                );
            }
        }
    }
}
