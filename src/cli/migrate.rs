//! `holdfast migrate`

use super::outcome::{CliError, Done};
use super::output::Output;
use crate::app;
use crate::foundation::config::Settings;
use serde_json::json;

/// Brings the database up to date.
pub async fn run(settings: &Settings, output: &Output) -> Result<Done, CliError> {
    let (ran, made_key) = app::migrate(settings).await?;
    output.print(&json!({"migrations": ran, "key_file_made": made_key}), || {
        let database = match ran.len() {
            0 => "The database is up to date.".to_owned(),
            1 => "The database was brought up to date; 1 migration ran.".to_owned(),
            count => format!("The database was brought up to date; {count} migrations ran."),
        };
        if made_key {
            let path = settings.keyring.key_file.display();
            format!(
                "{database}\nA key file was made: {path}. Keep a copy of it apart from the database's backup."
            )
        } else {
            database
        }
    });
    Ok(Done::Well)
}
