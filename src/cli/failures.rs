//! `holdfast failures`: what could not be synchronised, and the next step.

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{ManageMailboxes, ViewStatus};
use crate::foundation::config::Settings;
use crate::sync::control;
use crate::sync::store::totals::FailureStatus;
use crate::web::advice::{self, Piece};
use serde_json::json;
use std::collections::BTreeSet;

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
    output.print(&failures, || words(&failures));
    session.app.close().await;
    Ok(if failures.is_empty() {
        Done::Well
    } else {
        Done::NotInStep
    })
}

fn words(failures: &[FailureStatus]) -> String {
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
    let mut text = table(["mailbox", "stream", "code", "tries", "next try"], rows);
    let codes: BTreeSet<&str> = failures.iter().map(|failure| failure.code.as_str()).collect();
    for code in codes {
        let advice = advice::of(code);
        let (happened, next) = (sentence(&advice.happened), sentence(&advice.next));
        text.push_str(&format!("\n\n{code}\n  {happened}\n  Next: {next}"));
    }
    text
}

/// With backticks around what is to be typed.
fn sentence(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece.code {
            true => format!("`{}`", piece.text),
            false => piece.text.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kind::RecordKind;
    use crate::sync::model::Side;
    use chrono::DateTime;

    #[test]
    fn each_code_is_told_in_words_once_with_its_next_step() {
        let failure = |id| FailureStatus {
            id,
            mailbox: Some("anna@example.org".into()),
            kind: RecordKind::Mail,
            side: Side::Crm,
            code: "crm.application_refused".into(),
            class: "sign_in_expired".into(),
            attempts: 1,
            first_at: DateTime::UNIX_EPOCH,
            last_at: DateTime::UNIX_EPOCH,
            next_retry_at: None,
        };
        let said = words(&[failure(1), failure(2)]);
        assert_eq!(said.matches("Next: ").count(), 1, "{said}");
        assert!(
            said.contains("`holdfast secret set crm.NAME.private_key`"),
            "{said}"
        );
    }
}
