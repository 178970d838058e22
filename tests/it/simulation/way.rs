//! What a policy says of the things of a stream, as far as the verdict needs it.

use holdfast::record::field::Field;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::{ConflictRule, Deletion, Flow, OutOfScope, Policy};

/// The field that people write a slot into.
pub fn field(kind: RecordKind, slot: usize) -> Field {
    match (kind, slot) {
        (RecordKind::Calendar, 0) => Field::Location,
        (RecordKind::Tasks, 1) => Field::Due,
        (RecordKind::Contacts, 0) => Field::JobTitle,
        (RecordKind::Contacts, _) => Field::BusinessPhone,
        _ => Field::Body,
    }
}

/// What the policy says of a thing's stream.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Who wins.
    pub conflict: ConflictRule,
    /// Who wins in each slot whose field has a rule of its own.
    pub own: [Option<ConflictRule>; 2],
    /// What becomes of the counterpart of what was removed.
    pub deletion: Deletion,
    /// What becomes of two of which one takes part no more.
    pub left: OutOfScope,
    /// There is a category that keeps a thing at home.
    pub keeps_home: bool,
    /// The side that everything comes from, where it goes one way only.
    pub source: Option<Side>,
    /// The sides' clocks say nothing of each other: which of two edits is the newer one is open.
    pub apart: bool,
}

impl Way {
    /// What this policy says.
    pub fn of(policy: &Policy, kind: RecordKind) -> Self {
        let common = policy.common(kind);
        let source = match common.flow {
            Flow::ToCrm => Some(Side::Mailbox),
            Flow::ToMailbox => Some(Side::Crm),
            Flow::Both | Flow::Off => None,
        };
        let categories = match kind {
            RecordKind::Calendar => &policy.calendar.categories,
            RecordKind::Contacts => &policy.contacts.categories,
            _ => &policy.tasks.categories,
        };
        Self {
            conflict: common.conflict,
            own: [0, 1].map(|slot| common.conflict_fields.get(field(kind, slot))),
            deletion: common.deletion,
            left: common.out_of_scope,
            keeps_home: !categories.block.is_empty(),
            source,
            apart: false,
        }
    }

    /// True where an edit on the other side does not bring back what this side removed.
    pub fn removal_wins(&self, by: Side) -> bool {
        self.conflict
            == match by {
                Side::Mailbox => ConflictRule::MailboxWins,
                Side::Crm => ConflictRule::CrmWins,
            }
    }
}
