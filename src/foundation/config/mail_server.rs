//! `[mail_server.NAME]`: one Exchange organisation. Its password is the sealed secret
//! `mail_server.NAME.password`.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A mail server, signed in to with one service account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailServer {
    /// Which product and protocol.
    pub kind: MailServerKind,
    /// The address of its service, such as `https://mail.example.com/EWS/Exchange.asmx`.
    pub url: String,
    /// The service account: `DOMAIN\name` or a user principal name.
    pub login: String,
    /// How it signs in.
    #[serde(default = "SignIn::ntlm")]
    pub sign_in: SignIn,
    /// How a mailbox is named to the server.
    #[serde(default = "ImpersonateBy::smtp")]
    pub impersonate_by: ImpersonateBy,
    /// Requests at once, all mailboxes together.
    #[serde(default = "max_concurrency")]
    pub max_concurrency: u32,
    /// How long one request may take.
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// Whether it is listened to.
    #[serde(default = "notifications")]
    pub notifications: bool,
}

impl MailServer {
    /// How long one request may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }

    /// The name under which the password of the mail server `name` is sealed.
    pub fn password_secret(name: &str) -> String {
        format!("mail_server.{name}.password")
    }
}

/// Which product and protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailServerKind {
    /// Exchange Server 2013 to Subscription Edition, by Exchange Web Services.
    Exchange,
}

/// How the service account signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignIn {
    /// NTLMv2 with channel binding.
    Ntlm,
    /// Name and password over TLS.
    Basic,
}

impl SignIn {
    fn ntlm() -> Self {
        Self::Ntlm
    }
}

/// How a mailbox is named in ExchangeImpersonation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpersonateBy {
    /// By its primary address.
    Smtp,
    /// By the user principal name.
    Upn,
    /// By the security identifier.
    Sid,
}

impl ImpersonateBy {
    fn smtp() -> Self {
        Self::Smtp
    }
}

fn max_concurrency() -> u32 {
    8
}

fn timeout_s() -> u64 {
    100
}

fn notifications() -> bool {
    true
}
