//! `holdfast failures`: what could not be synchronised, and the next step.

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{ManageMailboxes, ViewStatus};
use crate::foundation::config::Settings;
use crate::sync::control;
use serde_json::json;

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// At most so many, newest first.
    #[arg(long, default_value_t = 200)]
    most: i32,
    /// Try all failures of this mailbox again now.
    #[arg(long, value_name = "MAILBOX")]
    retry: Option<String>,
}

/// Prints the failures; exit code 1 where there are any.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    let session = Session::open(settings).await?;
    let app = &session.app;
    if let Some(address) = &args.retry {
        let row = session.mailbox(address).await?;
        let granted = session.may(ManageMailboxes)?;
        let count = control::retry_failures(&app.db, &app.clock, &granted, row.mailbox.id).await?;
        output.print(&json!({"due_now": count}), || {
            format!("{count} failures are due now.")
        });
        session.app.close().await;
        return Ok(Done::Well);
    }
    let failures = control::failures(&app.db, &session.may(ViewStatus)?, args.most).await?;
    output.print(&failures, || {
        if failures.is_empty() {
            return "Nothing failed.".to_owned();
        }
        let rows = failures.iter().map(|failure| {
            [
                failure.mailbox.clone().unwrap_or_default(),
                failure.kind.word().to_owned(),
                failure.code.clone(),
                failure.attempts.to_string(),
                failure.next_retry_at.map_or_else(
                    || "when it changes".to_owned(),
                    |at| at.format("%Y-%m-%d %H:%M UTC").to_string(),
                ),
            ]
        });
        format!(
            "{}\n\ndocs/failures.md says of each code what to do.",
            table(["mailbox", "stream", "code", "tries", "next try"], rows)
        )
    });
    session.app.close().await;
    Ok(if failures.is_empty() {
        Done::Well
    } else {
        Done::NotInStep
    })
}
