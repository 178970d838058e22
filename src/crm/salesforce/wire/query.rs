//! `GET query?q=` and `queryAll?q=` ("Query", "QueryAll", REST API guide).

use serde::Deserialize;

/// One page of rows.
#[derive(Deserialize)]
pub(in crate::crm::salesforce) struct Rows<T> {
    /// The rows.
    #[serde(default = "Vec::new")]
    pub(in crate::crm::salesforce) records: Vec<T>,
    /// How many rows the query finds in all.
    #[serde(default, rename = "totalSize")]
    pub(in crate::crm::salesforce) total: Option<u64>,
    /// False where there are more.
    #[serde(default)]
    pub(in crate::crm::salesforce) done: bool,
    /// The path of the next page, from the root of the host.
    #[serde(default, rename = "nextRecordsUrl")]
    pub(in crate::crm::salesforce) next: Option<String>,
}

/// Which rows a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::crm::salesforce) enum Scope {
    /// Living rows.
    Living,
    /// Deleted and archived ones too.
    All,
}

/// The path below the version's, for a query that is encoded already.
pub(in crate::crm::salesforce) fn path(scope: Scope, encoded: &str) -> String {
    match scope {
        Scope::Living => format!("query?q={encoded}"),
        Scope::All => format!("queryAll?q={encoded}"),
    }
}
