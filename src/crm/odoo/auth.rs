//! Who a call acts as: each user's own API key, and for JSON-RPC the number that Odoo knows him by.
//!
//! A key is read from the keyring once and kept in memory. One that Odoo refuses is read again, once: it may have
//! been replaced meanwhile.

use super::settings::{OdooSettings, UserKeys};
use crate::crm::error::CrmError;
use crate::foundation::secret::Secret;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A user's way in.
pub(super) struct Pass {
    pub(super) login: String,
    pub(super) key: Secret<String>,
}

/// The ways in of all users.
pub(super) struct Auth {
    keys: Arc<dyn UserKeys>,
    held: Mutex<HashMap<String, Arc<Pass>>>,
    numbers: Mutex<HashMap<String, i64>>,
}

impl Auth {
    pub(super) fn new(settings: &OdooSettings) -> Self {
        Self {
            keys: Arc::clone(&settings.keys),
            held: Mutex::default(),
            numbers: Mutex::default(),
        }
    }

    /// The user's way in.
    ///
    /// # Errors
    /// [`CrmError::KeyMissing`].
    pub(super) async fn pass(&self, login: &str) -> Result<Arc<Pass>, CrmError> {
        if let Some(pass) = lock(&self.held).get(login) {
            return Ok(Arc::clone(pass));
        }
        let key = self.keys.key(login).await.ok_or(CrmError::KeyMissing)?;
        let pass = Arc::new(Pass {
            login: login.to_owned(),
            key,
        });
        lock(&self.held).insert(login.to_owned(), Arc::clone(&pass));
        Ok(pass)
    }

    /// The way in after one was refused; `None` where the keyring still has the one that was.
    pub(super) async fn renewed(&self, refused: &Pass) -> Result<Option<Arc<Pass>>, CrmError> {
        lock(&self.held).remove(&refused.login);
        let pass = self.pass(&refused.login).await?;
        Ok((pass.key.expose() != refused.key.expose()).then_some(pass))
    }

    /// The number that Odoo knows the user by, where it was asked before.
    pub(super) fn number(&self, login: &str) -> Option<i64> {
        lock(&self.numbers).get(login).copied()
    }

    /// Remembers a number. A user keeps his for life.
    pub(super) fn learn_number(&self, login: &str, number: i64) {
        lock(&self.numbers).insert(login.to_owned(), number);
    }
}

/// No code panics while it holds the lock, so a poisoned one holds good values all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
