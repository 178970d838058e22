//! Settings: one small struct per concern, read once, plain data ever after.
//!
//! Three layers, later ones win: the file (`/etc/holdfast/holdfast.toml`, or `--config`, or `HOLDFAST_CONFIG`),
//! the files `conf.d/*.toml` beside it in the order of their names, the environment
//! (`HOLDFAST__SECTION__KEY`). [`load()`] reads them; `known` lists every setting that exists and what it
//! takes; `check` holds each layer against that list, so that a slip is refused with its file, its line, what
//! was expected and the nearest name. conf/holdfast.toml shows all of them with default and reason, and
//! tests/it/settings.rs sees that the list, the structs and that file agree.
//!
//! No secret is a setting. Passwords and keys are stored sealed, under names such as
//! `mail_server.NAME.password` (see [`keyring`](super::keyring)).

mod check;
pub mod crm;
pub mod database;
pub mod egress;
pub mod error;
mod expect;
pub mod failures;
pub mod keyring;
mod known;
pub mod load;
pub mod log;
pub mod mail_server;
pub mod settings;
pub mod sync;
pub mod web;

pub use crm::{Crm, CrmApi, CrmFlow, CrmKind};
pub use database::Database;
pub use egress::Egress;
pub use error::ConfigError;
pub use failures::FailuresSettings;
pub use keyring::KeyringSettings;
pub use known::names;
pub use load::{LoadOptions, load};
pub use log::{Log, LogFormat};
pub use mail_server::{ImpersonateBy, MailServer, MailServerKind, SignIn};
pub use settings::Settings;
pub use sync::SyncSettings;
pub use web::Web;
