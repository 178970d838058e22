//! What a connection to one Odoo database needs to know. Plain data, not the configuration file's types.

use crate::foundation::secret::Secret;
use async_trait::async_trait;
use std::sync::Arc;
use url::Url;

/// One database of one Odoo server, and how to speak with it.
#[derive(Clone)]
pub struct OdooSettings {
    /// The server's root, such as `https://odoo.example.com`.
    pub url: Url,
    /// The database's name.
    pub database: String,
    /// Which interface; `None` for the newest that the server has.
    pub api: Option<Api>,
    /// Where the users' API keys are.
    pub keys: Arc<dyn UserKeys>,
}

/// The interfaces that Odoo has for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `/json/2`, from Odoo 19 on.
    Json2,
    /// `/jsonrpc`, in every version before, and until Odoo 22.
    JsonRpc,
}

/// Where a user's API key comes from.
#[async_trait]
pub trait UserKeys: Send + Sync {
    /// The key of the user with this login; `None` where none is stored, or where it cannot be opened.
    async fn key(&self, login: &str) -> Option<Secret<String>>;
}
