//! What a connection to one Salesforce org needs to know. Plain data, not the configuration file's types.

use crate::foundation::secret::Secret;
use url::Url;

/// One org, and how to sign in to it.
#[derive(Clone)]
pub struct SalesforceSettings {
    /// Where tokens are asked for: `https://login.salesforce.com`, `https://test.salesforce.com`, the org's
    /// own My Domain, or an Experience Cloud site with its path. After that only the `instance_url` of the
    /// answer counts.
    pub login_url: Url,
    /// The consumer key of the External Client App.
    pub client_id: String,
    /// How to sign in.
    pub flow: Flow,
    /// The REST API version to speak, such as `62.0`; `None` for the one this connector was written against.
    /// An org that is older gets its own newest.
    pub api_version: Option<String>,
    /// With [`Flow::Jwt`], the user who sees everybody's records and as whom their news is asked for; `None` asks each
    /// user for his own. The integration user of the other flow sees them anyway.
    pub watch_user: Option<String>,
}

/// How to sign in.
#[derive(Clone)]
pub enum Flow {
    /// As each user, by an assertion signed with the application's key ("OAuth 2.0 JWT Bearer Flow for
    /// Server-to-Server Integration"). Sharing, field security and CreatedBy are then the user's own.
    Jwt {
        /// The application's private RSA key in PEM form.
        private_key_pem: Secret<String>,
        /// The `aud` claim; `None` for the login URL. Sites and some My Domain set-ups want another.
        audience: Option<String>,
    },
    /// As one integration user for all ("OAuth 2.0 Client Credentials Flow"); records are then created with
    /// the user as owner. Works against a My Domain only.
    ClientCredentials {
        /// The consumer secret.
        secret: Secret<String>,
    },
}

/// The newest version whose behaviour this connector was written against (Winter '25).
pub(super) const WRITTEN_AGAINST: &str = "62.0";

impl SalesforceSettings {
    /// The token endpoint, below the login URL's path.
    pub(super) fn token_url(&self) -> Url {
        let mut url = self.login_url.clone();
        let path = format!("{}/services/oauth2/token", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.set_query(None);
        url
    }

    /// The `aud` claim of an assertion: the login URL without a trailing slash.
    pub(super) fn default_audience(&self) -> String {
        self.login_url.as_str().trim_end_matches('/').to_owned()
    }

    /// As whom everybody's news is asked for. The name of an integration user does not matter.
    pub(super) fn watcher(&self) -> Option<&str> {
        match self.flow {
            Flow::Jwt { .. } => self.watch_user.as_deref(),
            Flow::ClientCredentials { .. } => Some(""),
        }
    }

    /// True where every call acts as its own user.
    pub(super) fn acts_as_user(&self) -> bool {
        matches!(self.flow, Flow::Jwt { .. })
    }
}
