//! `holdfast secret set NAME`: reads a password or key from standard input and stores it sealed.

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::Output;
use crate::access::permission::ManageSecrets;
use crate::foundation::config::{Crm, CrmFlow, CrmKind, MailServer, Settings};
use crate::foundation::secret::Secret;
use serde_json::json;
use std::io::Read as _;

/// The longest secret: a private key with its certificate chain fits many times.
const LIMIT: u64 = 64 * 1024;

/// What can be done with secrets.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Store a secret that comes on standard input, such as mail_server.NAME.password or crm.NAME.private_key.
    Set {
        /// Which.
        name: String,
    },
}

/// Stores a secret.
pub async fn run(settings: Settings, command: Command, output: &Output) -> Result<Done, CliError> {
    let Command::Set { name } = command;
    let known = names(&settings);
    if !known.contains(&name) && !is_user_key(&settings, &name) {
        return Err(CliError::UnknownSecret { name, known });
    }
    let mut secret = Vec::new();
    let source = std::io::stdin().take(LIMIT).read_to_end(&mut secret);
    source.map_err(|source| CliError::Input {
        name: "standard input".into(),
        source,
    })?;
    if secret.iter().all(u8::is_ascii_whitespace) {
        return Err(CliError::EmptySecret);
    }
    let session = Session::open(settings).await?;
    session.may(ManageSecrets)?;
    session
        .app
        .keyring
        .seal_secret(&name, Secret::new(secret))
        .await?;
    output.print(&json!({"stored": name}), || format!("{name} was stored, sealed."));
    session.app.close().await;
    Ok(Done::Well)
}

fn names(settings: &Settings) -> Vec<String> {
    let mail = settings
        .mail_server
        .keys()
        .map(|name| MailServer::password_secret(name));
    let crm = settings
        .crm
        .iter()
        .map(|(name, section)| match (section.kind, section.flow) {
            (CrmKind::Salesforce, CrmFlow::Jwt) => Crm::private_key_secret(name),
            (CrmKind::Salesforce, CrmFlow::ClientCredentials) => Crm::client_secret_secret(name),
            (CrmKind::Odoo, _) => Crm::user_key_secret(name, "LOGIN"),
        });
    mail.chain(crm).collect()
}

/// The API key of somebody in an Odoo: there is one for each user, whoever he is.
fn is_user_key(settings: &Settings, name: &str) -> bool {
    let mut crms = settings
        .crm
        .iter()
        .filter(|(_, section)| section.kind == CrmKind::Odoo);
    crms.any(|(crm, _)| {
        name.strip_prefix(&Crm::user_key_secret(crm, ""))
            .is_some_and(|login| !login.is_empty())
    })
}
