//! What becomes of two that are linked when one of them takes part no more. Pure.
//!
//! An item leaves when the policy changed ([`Scope::Left`]), when its owner gave it another category or gave its folder
//! another name, when a contact leaves the CRM's list, or when it was moved out of the window. An item that the window
//! went past did not leave: nobody did anything to it.

use super::fingerprint::Prints;
use super::model::{Reason, Scope, Seen, Side, Verdict};
use super::policy::{Common, OutOfScope};
use crate::record::field::Field;

/// Why a side left since both were last in step; `None` where it takes part, or has long been out.
pub fn reason(base: &Prints, seen: &Seen) -> Option<Reason> {
    match seen.scope {
        Scope::Left(reason) | Scope::Out(reason @ (Reason::Category | Reason::Folder | Reason::List)) => {
            Some(reason)
        }
        Scope::Out(Reason::Window) => {
            let moved = base.differing(&seen.prints).has(Field::When);
            moved.then_some(Reason::Window)
        }
        Scope::In | Scope::Out(_) => None,
    }
}

/// The verdict on a pair of which a side left; `None` where none did, or where both stay linked.
///
/// Only a copy is removed, and only when the side that it was made of left: what its owner marks in the mailbox removes
/// nothing there.
pub fn verdict(base: &Prints, mailbox: Option<&Seen>, crm: Option<&Seen>, policy: Common) -> Option<Verdict> {
    let why = |side: Option<&Seen>| side.and_then(|seen| reason(base, seen));
    let is_copy = |side: Option<&Seen>| side.is_some_and(|seen| seen.copy);
    let (here, there) = (why(mailbox), why(crm));
    let reason = here.or(there)?;
    let removes = policy.out_of_scope == OutOfScope::Remove;
    match policy.out_of_scope {
        OutOfScope::Keep => None,
        _ if removes && here.is_some() && is_copy(crm) && policy.flow.to_crm() => {
            Some(Verdict::DeleteInCrm {
                because: Some(reason),
            })
        }
        _ if removes && there.is_some() && is_copy(mailbox) && policy.flow.to_mailbox() => {
            Some(Verdict::DeleteInMailbox {
                because: Some(reason),
            })
        }
        OutOfScope::Unlink | OutOfScope::Remove => Some(Verdict::LetGo(reason)),
    }
}

/// The verdict where the counterpart of a side that left is gone already: we removed it before a crash, and carry that
/// out again, which finds nothing to remove and lets what stays alone. To take it for a deletion of a person's would
/// remove the original as well.
pub fn carried_out(base: &Prints, stays: &Seen, removed: Side, policy: Common) -> Option<Verdict> {
    let because = Some(reason(base, stays)?);
    match (policy.out_of_scope, removed) {
        (OutOfScope::Remove, Side::Crm) if policy.flow.to_crm() => Some(Verdict::DeleteInCrm { because }),
        (OutOfScope::Remove, Side::Mailbox) if policy.flow.to_mailbox() => {
            Some(Verdict::DeleteInMailbox { because })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::{ConflictRule, Deletion, FieldRules, Flow};
    use super::*;
    use crate::record::field::FieldSet;
    use proptest::prelude::*;

    fn prints(when: u8) -> Prints {
        Prints::from_pairs([(Field::Subject, [1; 6]), (Field::When, [when; 6])])
    }

    fn seen(scope: Scope, when: u8, copy: bool) -> Seen {
        Seen {
            modified: None,
            prints: prints(when),
            writable: FieldSet::of(&[Field::Subject, Field::When]),
            scope,
            earlier: false,
            copy,
            masked: false,
        }
    }

    fn common(out_of_scope: OutOfScope, flow: Flow) -> Common {
        Common {
            flow,
            conflict: ConflictRule::MergeByField,
            deletion: Deletion::Follow,
            conflict_fields: FieldRules::default(),
            out_of_scope,
        }
    }

    #[test]
    fn what_the_window_went_past_did_not_leave_and_what_was_moved_out_of_it_did() {
        let out = Scope::Out(Reason::Window);
        assert_eq!(reason(&prints(2), &seen(out, 2, false)), None);
        assert_eq!(reason(&prints(2), &seen(out, 3, false)), Some(Reason::Window));
        let narrowed = Scope::Left(Reason::Window);
        assert_eq!(
            reason(&prints(2), &seen(narrowed, 2, false)),
            Some(Reason::Window)
        );
    }

    #[test]
    fn a_removal_that_a_crash_made_us_forget_is_repeated_and_does_not_turn_against_the_original() {
        let left = seen(Scope::Left(Reason::Window), 1, false);
        let policy = common(OutOfScope::Remove, Flow::Both);
        let because = Some(Reason::Window);
        let said = |removed| carried_out(&prints(1), &left, removed, policy);
        assert_eq!(said(Side::Crm), Some(Verdict::DeleteInCrm { because }));
        assert_eq!(said(Side::Mailbox), Some(Verdict::DeleteInMailbox { because }));
        let stayed = seen(Scope::In, 1, false);
        assert_eq!(carried_out(&prints(1), &stayed, Side::Crm, policy), None);
    }

    fn scopes() -> impl Strategy<Value = Scope> {
        prop_oneof![
            Just(Scope::In),
            Just(Scope::Out(Reason::Window)),
            Just(Scope::Out(Reason::Category)),
            Just(Scope::Out(Reason::Folder)),
            Just(Scope::Left(Reason::Window)),
            Just(Scope::Left(Reason::Series)),
        ]
    }

    fn choices() -> impl Strategy<Value = OutOfScope> {
        prop_oneof![
            Just(OutOfScope::Keep),
            Just(OutOfScope::Unlink),
            Just(OutOfScope::Remove)
        ]
    }

    fn flows() -> impl Strategy<Value = Flow> {
        prop_oneof![Just(Flow::Both), Just(Flow::ToCrm), Just(Flow::ToMailbox)]
    }

    proptest! {
        #[test]
        fn nothing_is_deleted_but_a_copy_of_what_left_and_only_where_the_policy_removes(
            here in scopes(), there in scopes(), choice in choices(), flow in flows(),
            copies in (any::<bool>(), any::<bool>()), when in (1_u8..3, 1_u8..3),
        ) {
            let base = prints(1);
            let (mailbox, crm) = (seen(here, when.0, copies.0), seen(there, when.1, copies.1));
            let stays = choice == OutOfScope::Keep
                || reason(&base, &mailbox).or(reason(&base, &crm)).is_none();
            match verdict(&base, Some(&mailbox), Some(&crm), common(choice, flow)) {
                None => prop_assert!(stays),
                Some(Verdict::DeleteInCrm { .. }) => prop_assert!(
                    choice == OutOfScope::Remove && crm.copy && flow.to_crm() && reason(&base, &mailbox).is_some()
                ),
                Some(Verdict::DeleteInMailbox { .. }) => prop_assert!(
                    choice == OutOfScope::Remove && mailbox.copy && flow.to_mailbox() && reason(&base, &crm).is_some()
                ),
                Some(Verdict::LetGo(_)) => prop_assert!(!stays),
                Some(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
