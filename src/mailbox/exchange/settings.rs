//! What the connector must be told. Plain values: the settings file's types are another room's.

use super::wire::envelope::Identity;
use crate::foundation::secret::Secret;
use crate::mailbox::model::MailboxRef;
use std::time::Duration;
use url::Url;

/// How the service account signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// NTLMv2 with channel binding.
    Ntlm,
    /// The password in a header of every request; over TLS, or to this very machine, only.
    Basic,
}

/// By what a mailbox is named in the impersonation header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpersonateBy {
    /// Its SMTP address.
    Smtp,
    /// Its owner's user principal name.
    Upn,
    /// Its owner's security identifier.
    Sid,
}

/// One Exchange organisation and the account that acts in it.
#[derive(Clone)]
pub struct ExchangeSettings {
    /// The EWS address, normally `https://HOST/EWS/Exchange.asmx`.
    pub url: Url,
    /// `DOMAIN\user` or `user@domain`.
    pub login: String,
    /// Its password.
    pub password: Secret<String>,
    /// How it signs in.
    pub sign_in: SignIn,
    /// How mailboxes are named.
    pub impersonate_by: ImpersonateBy,
    /// Requests under way at once, over all mailboxes.
    pub max_concurrency: usize,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Items asked for in one GetItem request.
    pub read_batch: usize,
    /// Whether streaming notifications are listened to.
    pub notifications: bool,
    /// For how many minutes a notification stream is opened, 1 to 30.
    pub stream_minutes: u32,
    /// A notification stream that says nothing for so long is dead. Exchange gives a sign of life every 45 seconds.
    pub silence: Duration,
}

impl ExchangeSettings {
    /// Settings with the defaults: NTLM, by SMTP address, eight requests at once, two minutes, fifty items.
    pub fn new(url: Url, login: impl Into<String>, password: Secret<String>) -> Self {
        Self {
            url,
            login: login.into(),
            password,
            sign_in: SignIn::Ntlm,
            impersonate_by: ImpersonateBy::Smtp,
            max_concurrency: 8,
            timeout: Duration::from_secs(120),
            read_batch: 50,
            notifications: true,
            stream_minutes: 30,
            silence: Duration::from_secs(90),
        }
    }

    /// As whom a request in this mailbox acts. For a mailbox whose name of the wanted kind nobody gave, the
    /// address stands in: as the user principal name, which it mostly is, or as itself.
    pub(super) fn identity(&self, mailbox: &MailboxRef) -> Identity {
        let MailboxRef { address, account, .. } = mailbox;
        match (self.impersonate_by, &account.sid) {
            (ImpersonateBy::Upn, _) => Identity::Upn(account.upn.as_ref().unwrap_or(address).clone()),
            (ImpersonateBy::Sid, Some(sid)) => Identity::Sid(sid.clone()),
            (ImpersonateBy::Smtp | ImpersonateBy::Sid, _) => Identity::Smtp(address.clone()),
        }
    }
}
