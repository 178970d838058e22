//! The keyring itself: opened once at the start, asked for the rest of the daemon's life.

use super::error::KeyringError;
use super::key_file::{KeyFile, KeyProvider};
use super::mailbox_key::MailboxKey;
use super::seal::{Place, Sealer, random};
use super::store;
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::foundation::secret::Secret;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The secret that every database has; opening it proves that the key is the right one.
const ORGANISATION_KEY: &str = "organisation.key";

/// Seals, opens and hands out keys. Cheap to clone; clones share one cache.
#[derive(Clone)]
pub struct Keyring {
    inner: Arc<Inner>,
}

struct Inner {
    sealer: Sealer,
    db: Db,
    clock: Clock,
    organisation: MailboxKey,
    /// A mailbox's key never changes, so what was opened once stays true. About 300 bytes each.
    mailboxes: RwLock<HashMap<MailboxId, MailboxKey>>,
}

fn secret_place(name: &str) -> Place<'_> {
    Place {
        table: "sealed_secrets",
        column: "sealed",
        row: name,
    }
}

impl Keyring {
    /// Takes the key-encryption key from its provider and proves that it belongs to this database.
    ///
    /// # Errors
    /// The provider's errors, and [`KeyringError::WrongKey`].
    pub async fn open(provider: &dyn KeyProvider, db: Db, clock: Clock) -> Result<Self, KeyringError> {
        let sealer = Sealer::new(&provider.key_encryption_key()?);
        let fresh = sealer.seal(
            secret_place(ORGANISATION_KEY),
            &Secret::new(random::<32>()?.to_vec()),
        )?;
        let now = clock.now();
        let sealed: Result<Vec<u8>, KeyringError> = db
            .run(move |conn| Ok(store::keep_secret(conn, ORGANISATION_KEY, &fresh, now)?))
            .await;
        let key = sealer
            .open(secret_place(ORGANISATION_KEY), &sealed?)
            .map_err(|_| KeyringError::WrongKey)?;
        let organisation = MailboxKey::new(key.expose());
        let mailboxes = RwLock::default();
        Ok(Self {
            inner: Arc::new(Inner {
                sealer,
                db,
                clock,
                organisation,
                mailboxes,
            }),
        })
    }

    /// Makes the key file if it is absent, for `holdfast migrate`. False when it was already there.
    ///
    /// # Errors
    /// [`KeyringError::KeyFileLost`] when secrets are sealed already: a new key would not open them, and
    /// would hide that the old one is missing.
    pub async fn create_key_file(key_file: &KeyFile, db: &Db) -> Result<bool, KeyringError> {
        if key_file.exists() {
            return Ok(false);
        }
        let sealed: Result<bool, KeyringError> = db.run(|conn| Ok(store::any_secret(conn)?)).await;
        if sealed? {
            return Err(KeyringError::KeyFileLost {
                path: key_file.path().to_owned(),
            });
        }
        key_file.create()
    }

    /// Seals and stores a secret under a name such as `mail_server.head.password`.
    ///
    /// # Errors
    /// The database's.
    pub async fn seal_secret(&self, name: &str, value: Secret<Vec<u8>>) -> Result<(), KeyringError> {
        let sealed = self.inner.sealer.seal(secret_place(name), &value)?;
        let (name, now) = (name.to_owned(), self.inner.clock.now());
        self.inner
            .db
            .run(move |conn| Ok(store::put_secret(conn, &name, &sealed, now)?))
            .await
    }

    /// Reads and opens a secret. Not cached: it is in memory only while somebody signs in with it.
    ///
    /// # Errors
    /// [`KeyringError::NotStored`], [`KeyringError::Damaged`], or the database's.
    pub async fn open_secret(&self, name: &str) -> Result<Secret<Vec<u8>>, KeyringError> {
        let wanted = name.to_owned();
        let sealed: Result<_, KeyringError> = self
            .inner
            .db
            .run(move |conn| Ok(store::secret(conn, &wanted)?))
            .await;
        let sealed = sealed?.ok_or_else(|| KeyringError::NotStored {
            name: name.to_owned(),
        })?;
        self.inner.sealer.open(secret_place(name), &sealed)
    }

    /// The key of a mailbox, made on first use.
    ///
    /// # Errors
    /// [`KeyringError::Damaged`], or the database's; an unknown mailbox is a refused row.
    pub async fn mailbox_key(&self, mailbox: MailboxId) -> Result<MailboxKey, KeyringError> {
        if let Some(key) = self.cached(mailbox) {
            return Ok(key);
        }
        let row = mailbox.to_string();
        let place = Place {
            table: "mailbox_keys",
            column: "sealed",
            row: &row,
        };
        let read: Result<_, KeyringError> = self
            .inner
            .db
            .run_for(mailbox, move |conn| Ok(store::mailbox_key(conn, mailbox)?))
            .await;
        let sealed = match read? {
            Some(sealed) => sealed,
            None => {
                let fresh = self
                    .inner
                    .sealer
                    .seal(place, &Secret::new(random::<32>()?.to_vec()))?;
                let keep = move |conn: &mut _| Ok(store::keep_mailbox_key(conn, mailbox, &fresh)?);
                self.inner.db.run_for::<_, KeyringError, _>(mailbox, keep).await?
            }
        };
        let key = MailboxKey::new(self.inner.sealer.open(place, &sealed)?.expose());
        // No code panics while it holds the lock, so a poisoned one holds good keys all the same.
        let mut cache = self
            .inner
            .mailboxes
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        cache.insert(mailbox, key.clone());
        Ok(key)
    }

    fn cached(&self, mailbox: MailboxId) -> Option<MailboxKey> {
        self.inner
            .mailboxes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&mailbox)
            .cloned()
    }

    /// The key for what belongs to no single mailbox, such as one copy of a mail for the whole organisation.
    pub fn organisation_key(&self) -> &MailboxKey {
        &self.inner.organisation
    }
}
