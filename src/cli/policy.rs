//! `holdfast policy show|set`

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::ManagePolicies;
use crate::foundation::config::Settings;
use crate::sync::control;
use crate::sync::policy::Policy;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What can be done with policies.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show one, as JSON; or the names of all.
    Show {
        /// Which.
        name: Option<String>,
    },
    /// Store a new version, from a JSON or TOML file; it holds from the next turn on.
    Set {
        /// Which.
        name: String,
        /// The file.
        file: PathBuf,
    },
}

/// Runs the command.
pub async fn run(settings: Settings, command: Command, output: &Output) -> Result<Done, CliError> {
    let session = Session::open(settings).await?;
    let granted = session.may(ManagePolicies)?;
    let db = &session.app.db;
    match command {
        Command::Show { name: None } => {
            let all = control::list_policies(db, &granted).await?;
            output.print(&all, || {
                table(
                    ["policy", "version"],
                    all.iter()
                        .map(|(name, version)| [name.clone(), version.to_string()]),
                )
            });
        }
        Command::Show { name: Some(name) } => {
            let (version, policy) = control::show_policy(db, &granted, &name).await?;
            output.print(
                &json!({"name": name, "version": version, "policy": policy}),
                || serde_json::to_string_pretty(&policy).unwrap_or_default(),
            );
        }
        Command::Set { name, file } => {
            let policy = read(&file)?;
            let version = control::set_policy(db, &session.app.clock, &granted, &name, policy).await?;
            output.print(&json!({"name": name, "version": version}), || {
                format!("Policy {name}, version {version}, holds from the next turn on.")
            });
        }
    }
    session.app.close().await;
    Ok(Done::Well)
}

fn read(file: &Path) -> Result<Policy, CliError> {
    let text = std::fs::read_to_string(file).map_err(|source| CliError::Input {
        name: file.to_owned(),
        source,
    })?;
    let malformed = |reason: String| CliError::PolicyFile {
        name: file.to_owned(),
        reason,
    };
    if file.extension().is_some_and(|extension| extension == "toml") {
        toml_edit::de::from_str(&text).map_err(|error| malformed(error.to_string()))
    } else {
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))
    }
}
