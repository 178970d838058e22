//! What was agreed with the people of a world: a policy for each of them, at random.

use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::{
    Common, ConflictRule, Deletion, FieldRules, Flow, MailBody, OutOfScope, Policy, PrivateItems,
};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

const RULES: [ConflictRule; 4] = [
    ConflictRule::MailboxWins,
    ConflictRule::CrmWins,
    ConflictRule::NewestWins,
    ConflictRule::MergeByField,
];

/// Everything both ways, with this rule.
pub fn both_ways(conflict: ConflictRule) -> Policy {
    let common = Common {
        flow: Flow::Both,
        conflict,
        deletion: Deletion::Follow,
        conflict_fields: FieldRules::default(),
        out_of_scope: OutOfScope::Keep,
    };
    let mut policy = Policy::default();
    policy.calendar.common = common;
    policy.contacts.common = common;
    policy.tasks.common = common;
    policy
}

/// Any policy.
pub fn any(rng: &mut StdRng) -> Policy {
    let mut policy = both_ways(ConflictRule::MergeByField);
    for common in [
        &mut policy.calendar.common,
        &mut policy.contacts.common,
        &mut policy.tasks.common,
    ] {
        common.conflict = *RULES.choose(rng).unwrap_or(&ConflictRule::MergeByField);
        common.flow = match rng.random_range(0..100) {
            0..10 => Flow::ToCrm,
            10..18 => Flow::ToMailbox,
            _ => Flow::Both,
        };
    }
    policy.calendar.private = match rng.random_range(0..4) {
        0 => PrivateItems::Full,
        1 => PrivateItems::Mask,
        _ => PrivateItems::Skip,
    };
    if rng.random_bool(0.3) {
        policy.mail.body = MailBody::HeaderOnly;
    }
    if rng.random_bool(0.6) {
        policy.attachments.of = vec![RecordKind::Mail];
    }
    policy
}
