//! EventRelation ("EventRelation", Object Reference), as it comes with its event.

use serde::Deserialize;

/// A person who is related to an event.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::crm::salesforce) struct Relation {
    /// Whose record it is.
    pub(super) relation_id: Option<String>,
    /// What he answered.
    pub(super) status: Option<String>,
}
