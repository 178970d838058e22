//! `holdfast failures`: what could not be synchronised, and the next step; tried again all at once or one by one.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ManageMailboxes, ReadNames, ViewStatus};
use crate::foundation::config::Settings;
use crate::sync::control;
use crate::sync::failed::control::{self as failed, Replayed};
use crate::sync::store::totals::FailureStatus;
use crate::web::advice::{self, Piece};
use serde::Serialize;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// Letters of an item's id that are shown in words: its end tells it from others.
const ENDING: usize = 24;

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// At most so many, newest first.
    #[arg(long, default_value_t = 200)]
    most: i32,
    /// What the items are called, as long as that is kept; it is noted in the log that they were read.
    #[arg(long)]
    names: bool,
    /// Try all failures of this mailbox again now.
    #[arg(long, value_name = "MAILBOX")]
    retry: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What can be done about one.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Try this one again now, and say what became of it.
    Retry {
        /// The number that the list shows.
        number: i64,
    },
}

/// A failure as it is listed.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    status: FailureStatus,
    /// Its item in the mailbox.
    item: Option<String>,
    /// Its record in the CRM.
    record: Option<String>,
    happened: String,
    next: String,
    #[serde(flatten)]
    called: Option<Called>,
}

/// What its item is called; nothing where that is kept no more, or was not known.
#[derive(Serialize)]
struct Called {
    name: Option<String>,
    /// True where a name is kept that its mailbox's key does not open.
    sealed_for_good: bool,
}

/// Prints the failures; exit code 1 where there are any.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| match (&args.command, &args.retry) {
        (Some(Command::Retry { number }), _) => replay(session, *number, output).await,
        (None, Some(address)) => retry(session, address, output).await,
        (None, None) => list(session, &args, output).await,
    })
    .await
}

async fn retry(session: &Session, address: &str, output: &Output) -> Result<Done, CliError> {
    let app = &session.app;
    let row = session.mailbox(address).await?;
    let granted = session.may(ManageMailboxes)?;
    let count = control::retry_failures(&app.db, &app.clock, &granted, row.mailbox.id).await?;
    output.print(&json!({"due_now": count}), || {
        format!("{count} failures are due now.")
    });
    Ok(Done::Well)
}

async fn replay(session: &Session, number: i64, output: &Output) -> Result<Done, CliError> {
    let granted = session.may(ManageMailboxes)?;
    let replayed = failed::replay(&session.app.engine(), &granted, number).await?;
    let (word, code) = match &replayed {
        Replayed::Well => ("well", None),
        Replayed::Failed(code) => ("failed", Some(code)),
        Replayed::Due => ("due", None),
    };
    let advice = code.map(|code| advice::of(code));
    let next = advice.as_ref().map(|advice| sentence(&advice.next));
    let document = json!({"number": number, "outcome": word, "code": code, "next": next});
    output.print(&document, || match (&replayed, next) {
        (Replayed::Failed(code), next) => {
            format!("It failed again: {code}\n  Next: {}", next.unwrap_or_default())
        }
        (Replayed::Well, _) => "Done; it is no failure any more.".to_owned(),
        (Replayed::Due, _) => {
            "Its stream is at work right now; it is due, and the next turn tries it.".to_owned()
        }
    });
    Ok(match replayed {
        Replayed::Failed(_) => Done::NotInStep,
        Replayed::Well | Replayed::Due => Done::Well,
    })
}

async fn list(session: &Session, args: &Args, output: &Output) -> Result<Done, CliError> {
    let db = &session.app.db;
    let failures = control::failures(db, &session.may(ViewStatus)?, args.most).await?;
    let mut listed = Vec::new();
    for row in session.mailboxes().await? {
        let own: Vec<&FailureStatus> = failures
            .iter()
            .filter(|failure| failure.mailbox.as_ref() == Some(&row.mailbox.address))
            .collect();
        if own.is_empty() {
            continue;
        }
        let items = failed::items(db, &session.may(Explain)?, row.mailbox.id).await?;
        let items: HashMap<i64, _> = items.into_iter().map(|item| (item.id, item)).collect();
        let names = match args.names {
            true => {
                let granted = session.may(ReadNames)?;
                Some(failed::names(&session.app.engine(), &granted, row.mailbox.id).await?)
            }
            false => None,
        };
        listed.extend(own.into_iter().map(|status| {
            let advice = advice::of(&status.code);
            let item = items.get(&status.id);
            let called = names.as_ref().map(|names| match names.get(&status.id) {
                Some(Some(name)) => Called {
                    name: Some(name.expose().clone()),
                    sealed_for_good: false,
                },
                other => Called {
                    name: None,
                    sealed_for_good: other.is_some(),
                },
            });
            Listed {
                item: item.and_then(|item| Some(item.item.as_ref()?.0.clone())),
                record: item.and_then(|item| Some(item.crm.as_ref()?.0.clone())),
                happened: sentence(&advice.happened),
                next: sentence(&advice.next),
                called,
                status: status.clone(),
            }
        }));
    }
    listed.sort_by_key(|row| Reverse((row.status.last_at, row.status.id)));
    output.print(&listed, || words(&listed));
    Ok(if listed.is_empty() {
        Done::Well
    } else {
        Done::NotInStep
    })
}

fn words(failures: &[Listed]) -> String {
    if failures.is_empty() {
        return "Nothing failed.".to_owned();
    }
    let rows = failures.iter().map(|failure| {
        let status = &failure.status;
        [
            status.id.to_string(),
            status.mailbox.clone().unwrap_or_default(),
            status.kind.word().to_owned(),
            status.code.clone(),
            status.attempts.to_string(),
            status.next_retry_at.map_or_else(
                || "when it changes".to_owned(),
                |at| at.format("%Y-%m-%d %H:%M UTC").to_string(),
            ),
            failure
                .record
                .clone()
                .or_else(|| failure.item.as_deref().map(ending))
                .unwrap_or_default(),
            failure.called.as_ref().map_or(String::new(), name),
        ]
    });
    let header = [
        "number", "mailbox", "stream", "code", "tries", "next try", "item", "",
    ];
    let mut text = table(header, rows);
    let codes: BTreeSet<&str> = failures
        .iter()
        .map(|failure| failure.status.code.as_str())
        .collect();
    for code in codes {
        let advice = advice::of(code);
        let (happened, next) = (sentence(&advice.happened), sentence(&advice.next));
        text.push_str(&format!("\n\n{code}\n  {happened}\n  Next: {next}"));
    }
    text.push_str(
        "\n\n`holdfast failures retry NUMBER` tries one again now; `--names` shows what they are called.",
    );
    text
}

fn name(called: &Called) -> String {
    match (&called.name, called.sealed_for_good) {
        (Some(name), _) => name.clone(),
        (None, true) => "(its mailbox's key is gone)".to_owned(),
        (None, false) => String::new(),
    }
}

fn ending(id: &str) -> String {
    let letters = id.chars().count();
    match letters > ENDING {
        true => format!("…{}", id.chars().skip(letters - ENDING).collect::<String>()),
        false => id.to_owned(),
    }
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
        let failure = |id| Listed {
            status: FailureStatus {
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
            },
            item: Some("x".repeat(150)),
            record: None,
            happened: String::new(),
            next: String::new(),
            called: None,
        };
        let said = words(&[failure(1), failure(2)]);
        assert_eq!(said.matches("Next: ").count(), 1, "{said}");
        assert!(
            said.contains("`holdfast secret set crm.NAME.private_key`"),
            "{said}"
        );
        assert!(!said.contains(&"x".repeat(ENDING + 1)), "{said}");
    }
}
