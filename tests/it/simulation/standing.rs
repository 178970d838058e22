//! Things whose two go their own ways: one was kept at home by its owner, or one was removed where the policy keeps the
//! other.

use super::things::{Due, Thing};
use super::way::Way;
use holdfast::sync::model::Side;
use holdfast::sync::policy::OutOfScope;

/// How the two of a thing stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are one.
    Linked,
    /// One was removed, and the one on this side stays.
    Alone(Side),
    /// The item is at home, and the record goes its own way.
    Apart,
    /// The item is at home, and its copy in the CRM is taken away.
    Taken,
    /// It left in the middle of something, or came back: nobody can tell.
    Open,
}

impl Thing {
    /// What is due on this side where the two go their own ways.
    pub(super) fn due_alone(&self, side: Side, way: Way) -> Due {
        match self.standing {
            Standing::Alone(stays) if side != stays => Due::Gone,
            Standing::Taken if side == Side::Crm => Due::Gone,
            Standing::Open if way.left == OutOfScope::Remove && side == Side::Crm => Due::Either,
            Standing::Open if self.may_be_gone(side, way) => Due::Either,
            Standing::Open => Due::There,
            _ if self.is_removed(side) => Due::Gone,
            _ => Due::There,
        }
    }
}
