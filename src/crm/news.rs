//! Whose records changed: what one question tells of all users of a CRM at once.

use super::model::{CrmCursor, CrmId};
use crate::record::kind::RecordKind;
use std::collections::BTreeSet;

/// News since a cursor.
#[derive(Clone, Debug)]
pub struct CrmNews {
    /// Users, each with a kind of his own records of which at least one was made, changed or deleted. Nothing is left out
    /// that came to light within two minutes of its time; a user and kind may be told of twice for one change.
    pub whose: BTreeSet<(CrmId, RecordKind)>,
    /// The cursor after this.
    pub cursor: CrmCursor,
    /// True where there is more to be told at once.
    pub more: bool,
}
