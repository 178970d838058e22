//! What was agreed with the people of a world: a policy for each of them, at random.

use super::way::field;
use holdfast::record::kind::RecordKind;
use holdfast::sync::guard::limits::{Limit, Limits};
use holdfast::sync::policy::{
    CategoryRules, Common, ConflictRule, Deletion, FieldRules, Flow, MailBody, OutOfScope, Policy,
    PrivateItems,
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

const LEAVING: [OutOfScope; 3] = [OutOfScope::Keep, OutOfScope::Unlink, OutOfScope::Remove];

/// The category by which people in these worlds keep a thing to themselves.
pub const HOME: &str = "Home";

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
    for (kind, common, categories) in [
        (
            RecordKind::Calendar,
            &mut policy.calendar.common,
            &mut policy.calendar.categories,
        ),
        (
            RecordKind::Contacts,
            &mut policy.contacts.common,
            &mut policy.contacts.categories,
        ),
        (
            RecordKind::Tasks,
            &mut policy.tasks.common,
            &mut policy.tasks.categories,
        ),
    ] {
        *common = any_common(rng, kind);
        // One way, what leaves is as it is without a link.
        if common.flow == Flow::Both && rng.random_bool(0.3) {
            *categories = CategoryRules {
                allow: Vec::new(),
                block: vec![HOME.to_owned()],
            };
        }
    }
    policy.calendar.private = match rng.random_range(0..4) {
        0 => PrivateItems::Full,
        // What is masked has no title by which the verdict would know it where it stays behind.
        1 if policy.calendar.common.deletion == Deletion::Follow => PrivateItems::Mask,
        _ => PrivateItems::Skip,
    };
    // Drawn aside, so that whoever deletes little lives the same life under any guard.
    policy.guard.contacts = any_limits(&mut rng.clone());
    policy.guard.tasks = policy.guard.contacts;
    if rng.random_bool(0.3) {
        policy.mail.body = MailBody::HeaderOnly;
    }
    for (kind, likely) in [
        (RecordKind::Mail, 0.6),
        (RecordKind::Calendar, 0.35),
        (RecordKind::Tasks, 0.25),
    ] {
        if rng.random_bool(likely) {
            policy.attachments.of.push(kind);
        }
    }
    policy
}

/// Half of the guards ask a person from the first or second deletion of a day on, however many things there are.
fn any_limits(rng: &mut StdRng) -> Limits {
    if rng.random_bool(0.5) {
        return Limits::default();
    }
    let limit = Limit {
        more_than: rng.random_range(0..=1),
        percent: 0,
    };
    Limits {
        in_crm: limit,
        in_mailbox: limit,
    }
}

fn any_common(rng: &mut StdRng, kind: RecordKind) -> Common {
    let any_rule = |rng: &mut StdRng| *RULES.choose(rng).unwrap_or(&ConflictRule::MergeByField);
    let mut own = FieldRules::default();
    if rng.random_bool(0.3) {
        let slot = rng.random_range(0..2);
        own = own.with(field(kind, slot), any_rule(rng));
    }
    Common {
        conflict: any_rule(rng),
        flow: match rng.random_range(0..100) {
            0..10 => Flow::ToCrm,
            10..18 => Flow::ToMailbox,
            _ => Flow::Both,
        },
        deletion: match rng.random_bool(0.15) {
            true => Deletion::Keep,
            false => Deletion::Follow,
        },
        conflict_fields: own,
        out_of_scope: *LEAVING.choose(rng).unwrap_or(&OutOfScope::Keep),
    }
}
