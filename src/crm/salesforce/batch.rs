//! What the writes of one call share.

use super::wire::describe::Object;
use crate::crm::model::{CrmId, CrmUser};
use crate::record::kind::RecordKind;

/// What all writes of a batch share.
pub(super) struct Batch<'a> {
    /// As whom.
    pub(super) user: &'a CrmUser,
    /// Of which kind the records are.
    pub(super) kind: RecordKind,
    /// What the user may do with their object.
    pub(super) object: &'a Object,
    /// The user's id.
    pub(super) owner: CrmId,
    /// Calls are made as this very user, so that what he makes is his.
    pub(super) acts_as_user: bool,
    /// Events hold several contacts in their columns.
    pub(super) shared: bool,
    /// Whoever is a column of an event has a row as well.
    pub(super) columns_have_rows: bool,
}
