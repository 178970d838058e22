//! Opportunity and Case.

use crate::salesforce::error::ApiResult;
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

/// The stage says whether it is closed and won.
pub fn opportunity(row: &mut Row) -> ApiResult<()> {
    let stage = row.text("StageName").to_owned();
    row.set("IsClosed", stage.starts_with("Closed"));
    row.set("IsWon", stage == "Closed Won");
    Ok(())
}

/// A contact given at creation becomes the primary contact role.
pub fn after_opportunity(tx: &mut Transaction, id: &str, old: Option<&Row>) -> ApiResult<()> {
    let contact = tx
        .state
        .row("Opportunity", id)
        .map(|row| row.text("ContactId").to_owned())
        .unwrap_or_default();
    if old.is_some() || contact.is_empty() {
        return Ok(());
    }
    let mut role = Row::new();
    role.set("OpportunityId", id);
    role.set("ContactId", contact);
    role.set("IsPrimary", true);
    tx.create_named("OpportunityContactRole", role)?;
    Ok(())
}

/// Numbers a new case, follows its contact's account, and closes by status.
pub fn case(tx: &Transaction, old: Option<&Row>, row: &mut Row) -> ApiResult<()> {
    if old.is_none() {
        let number = tx.state.table("Case").len() + 1001;
        row.set("CaseNumber", format!("{number:08}"));
    }
    let contact = tx.state.row("Contact", row.text("ContactId"));
    if let (true, Some(contact)) = (row.text("AccountId").is_empty(), contact) {
        let account = contact.text("AccountId").to_owned();
        if !account.is_empty() {
            row.set("AccountId", account);
        }
    }
    let closed = row.text("Status") == "Closed";
    row.set("IsClosed", closed);
    Ok(())
}
