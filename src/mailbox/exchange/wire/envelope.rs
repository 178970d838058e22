//! The SOAP envelope of a request, and its headers.
//!
//! Source: "ExchangeImpersonation" and "RequestServerVersion" in the EWS reference.

use super::version::Version;
use super::writer::Writer;

/// As whom a request acts. An SID or a UPN saves the server a look-up in its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An SMTP address of the mailbox.
    Smtp(String),
    /// The user principal name of its owner.
    Upn(String),
    /// The security identifier of its owner, as `S-1-5-21-…`.
    Sid(String),
    /// Nobody but the account that signed in.
    Itself,
}

/// A whole request.
pub fn envelope(version: Version, identity: &Identity, body: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::default();
    w.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    w.raw(concat!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"",
        " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"",
        " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\"><s:Header>"
    ));
    w.empty("t:RequestServerVersion", &[("Version", version.name())]);
    let named = match identity {
        Identity::Smtp(address) => Some(("t:SmtpAddress", address)),
        Identity::Upn(name) => Some(("t:PrincipalName", name)),
        Identity::Sid(sid) => Some(("t:SID", sid)),
        Identity::Itself => None,
    };
    if let Some((element, name)) = named {
        w.element("t:ExchangeImpersonation", &[], |w| {
            w.element("t:ConnectingSID", &[], |w| w.leaf(element, &[], name));
        });
    }
    w.raw("</s:Header><s:Body>");
    body(&mut w);
    w.raw("</s:Body></s:Envelope>");
    w.finish()
}
