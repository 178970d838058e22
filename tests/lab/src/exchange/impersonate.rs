//! ExchangeImpersonation: in whose name a request runs.
//!
//! Source: "Impersonation and EWS in Exchange"; the codes from "ResponseCode".

use super::directory::{Directory, Principal};
use super::refusal::Refusal;
use super::xml::read::{Element, Ns};

/// The account in whose name a request runs: the caller's own, or the one that the header names.
///
/// # Errors
/// The name means nobody, or the caller may not act for them.
pub fn effective<'a>(
    directory: &'a Directory,
    caller: &'a Principal,
    named: Option<&Element>,
) -> Result<&'a Principal, Refusal> {
    let Some(named) = named else { return Ok(caller) };
    if named.ns != Ns::Types {
        return Err(Refusal::schema(format!(
            "Invalid child element '{}' of ConnectingSID.",
            named.name
        )));
    }
    let value = named.text.trim();
    if value.is_empty() {
        return Err(Refusal::invalid_value(&named.name, value));
    }
    let found = match named.name.as_str() {
        "PrincipalName" => directory.by_upn(value).ok_or_else(|| {
            Refusal::new(
                "ErrorInvalidUserPrincipalName",
                "The user principal name (UPN) is not valid.",
            )
        })?,
        "SID" => directory.by_sid(value).ok_or_else(|| {
            Refusal::new(
                "ErrorInvalidUserSid",
                "The specified user security identifier (SID) is not valid.",
            )
        })?,
        "PrimarySmtpAddress" | "SmtpAddress" => directory.by_smtp(value).ok_or_else(|| {
            Refusal::new(
                "ErrorNonExistentMailbox",
                "The SMTP address has no mailbox associated with it.",
            )
        })?,
        other => {
            return Err(Refusal::schema(format!(
                "Invalid child element '{other}' of ConnectingSID."
            )));
        }
    };
    if found.mailbox.is_none() {
        return Err(Refusal::new(
            "ErrorNonExistentMailbox",
            "No mailbox with such guid.",
        ));
    }
    if !caller.may_impersonate || !found.in_scope {
        return Err(Refusal::new(
            "ErrorImpersonateUserDenied",
            "The account does not have permission to impersonate the requested user.",
        ));
    }
    Ok(found)
}
