//! The keyring: every stored secret is sealed, and the key that opens them is not in the database.
//!
//! A *key-encryption key* of 32 bytes comes from a [`KeyProvider`]; the first one is a file outside the
//! database and outside its backup. Under it, AES-256-GCM seals passwords and tokens (table `sealed_secrets`)
//! and one key per mailbox (table `mailbox_keys`). What is sealed is bound to its place: table, column and row
//! are authenticated with it, so a value copied into another row does not open.
//!
//! A mailbox's key makes fingerprints ([`MailboxKey::print`]): HMAC-SHA256 of a field's value, enough to see *that* it
//! changed and useless for learning what it was. One key that follows from it seals the names of items that failed
//! ([`MailboxKey::sealer`]), and nothing else. With the mailbox's key row gone, all of that is noise.
//!
//! * [`key_file`] and the trait beside it: where the key-encryption key comes from
//! * [`seal`] the format of a sealed value, pure
//! * [`custody`] the keyring itself
//! * `store` its SQL

pub mod custody;
pub mod error;
pub mod key_file;
pub mod mailbox_key;
pub mod seal;
mod store;

pub use custody::Keyring;
pub use error::KeyringError;
pub use key_file::{KeyFile, KeyProvider};
pub use mailbox_key::MailboxKey;
