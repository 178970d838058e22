//! `holdfast quarantine list|approve|refuse`: deletions that wait for a person.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ManageMailboxes, ViewStatus};
use crate::foundation::config::Settings;
use crate::record::kind::RecordKind;
use crate::sync::guard::control;
use crate::sync::guard::store::{Choice, QuarantineRow};
use crate::sync::model::Side;
use serde::Serialize;
use serde_json::json;

/// Rows shown in words; all of them are in the JSON.
const SHOWN: usize = 40;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show what waits, of one mailbox or of all.
    List {
        /// The mailbox.
        mailbox: Option<String>,
    },
    /// Let deletions be carried out.
    Approve(Args),
    /// Keep what would have been deleted, and make again what was.
    Refuse(Args),
}

/// Which deletions.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox.
    mailbox: String,
    /// The numbers that `list` shows.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    numbers: Vec<i64>,
    /// All of the mailbox.
    #[arg(long)]
    all: bool,
    /// Only this record type: calendar, contacts, tasks.
    #[arg(long, value_name = "TYPE", value_parser = kind)]
    kind: Option<RecordKind>,
    /// Only what would be deleted on this side: mailbox, crm.
    #[arg(long, value_name = "SIDE", value_parser = side)]
    side: Option<Side>,
}

fn kind(word: &str) -> Result<RecordKind, &'static str> {
    RecordKind::from_word(word)
        .filter(|kind| *kind != RecordKind::Mail)
        .ok_or("give calendar, contacts or tasks")
}

fn side(word: &str) -> Result<Side, &'static str> {
    [Side::Mailbox, Side::Crm]
        .into_iter()
        .find(|side| side.word() == word)
        .ok_or("give mailbox or crm")
}

/// A mailbox with what waits in it.
#[derive(Serialize)]
struct Waiting {
    mailbox: String,
    deletions: Vec<QuarantineRow>,
}

/// Runs the command.
pub async fn run(settings: Settings, command: Command, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| match command {
        Command::List { mailbox } => list(session, mailbox.as_deref(), output).await,
        Command::Approve(args) => decide(session, args, true, output).await,
        Command::Refuse(args) => decide(session, args, false, output).await,
    })
    .await
}

async fn list(session: &Session, mailbox: Option<&str>, output: &Output) -> Result<Done, CliError> {
    let db = &session.app.db;
    let rows = match mailbox {
        Some(address) => vec![session.mailbox(address).await?],
        None => {
            let totals = control::totals(db, &session.may(ViewStatus)?).await?;
            let waits = |id| totals.iter().any(|total| total.mailbox == id);
            let all = session.mailboxes().await?;
            all.into_iter().filter(|row| waits(row.mailbox.id)).collect()
        }
    };
    let granted = session.may(Explain)?;
    let mut waiting = Vec::new();
    for row in rows {
        let deletions = control::list(db, &granted, row.mailbox.id).await?;
        if !deletions.is_empty() {
            waiting.push(Waiting {
                mailbox: row.mailbox.address,
                deletions,
            });
        }
    }
    output.print(&waiting, || words(&waiting));
    Ok(if waiting.is_empty() {
        Done::Well
    } else {
        Done::NotInStep
    })
}

async fn decide(session: &Session, args: Args, approve: bool, output: &Output) -> Result<Done, CliError> {
    let row = session.mailbox(&args.mailbox).await?;
    let granted = session.may(ManageMailboxes)?;
    let choice = Choice {
        kind: args.kind,
        side: args.side,
        ids: args.numbers,
    };
    let (db, clock, id) = (&session.app.db, &session.app.clock, row.mailbox.id);
    let (word, count) = if approve {
        (
            "approved",
            control::approve(db, clock, &granted, id, choice).await?,
        )
    } else {
        ("refused", control::refuse(db, clock, &granted, id, choice).await?)
    };
    output.print(&json!({"mailbox": row.mailbox.address, word: count}), || {
        format!("{count} {word}; the next turn, which is due now, carries that out.")
    });
    Ok(if count > 0 { Done::Well } else { Done::NotInStep })
}

fn words(waiting: &[Waiting]) -> String {
    if waiting.is_empty() {
        return "Nothing waits.".to_owned();
    }
    let mut text = String::new();
    for Waiting { mailbox, deletions } in waiting {
        let rows = deletions.iter().take(SHOWN).map(|row| {
            [
                row.id.to_string(),
                row.kind.word().to_owned(),
                format!("delete in {}", row.side.word()),
                row.crm.clone(),
                row.held_at.format("%Y-%m-%d %H:%M UTC").to_string(),
                row.because
                    .map_or(row.state.clone(), |reason| reason.sentence().to_owned()),
            ]
        });
        text.push_str(&format!("{mailbox}: {} deletions\n", deletions.len()));
        text.push_str(&table(
            ["number", "stream", "what waits", "record", "since", ""],
            rows,
        ));
        if deletions.len() > SHOWN {
            text.push_str(&format!(
                "\n… and {} more; --json shows all.",
                deletions.len() - SHOWN
            ));
        }
        text.push_str(&format!(
            "\nNext: `holdfast explain {mailbox} RECORD` says more of one. `holdfast quarantine approve {mailbox} NUMBER…` \
             deletes, `holdfast quarantine refuse {mailbox} NUMBER…` keeps and makes again; `--all` for all.\n\n"
        ));
    }
    text
}
