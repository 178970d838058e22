//! `holdfast matching list|accept|new|never`: what waits for a person's choice when a mailbox goes live.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ManageMailboxes, ReadNames};
use crate::crm::model::CrmId;
use crate::foundation::config::Settings;
use crate::record::kind::RecordKind;
use crate::sync::choice::control::{self, Decision, Names, Which};
use crate::sync::choice::model::{Choice, Stage, State};
use crate::sync::model::Side;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Rows shown in words; all of them are in the JSON.
const SHOWN: usize = 60;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// What waits in a mailbox, how its counterparts were found, and which they are.
    List {
        /// The mailbox.
        mailbox: String,
        /// What they are called, read from both sides now.
        #[arg(long)]
        names: bool,
        /// What is left alone for good, too.
        #[arg(long)]
        decided: bool,
    },
    /// They are the same: link each with its counterpart.
    Accept {
        #[command(flatten)]
        which: Args,
        /// The counterpart's id, where there are several.
        #[arg(long, value_name = "RECORD", conflicts_with = "all")]
        with: Option<String>,
    },
    /// They are not the same, or have no counterpart: make each anew on the other side.
    New(Args),
    /// Leave them alone, and what they might have been the same as.
    Never(Args),
}

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox.
    mailbox: String,
    /// The numbers that `list` shows.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    numbers: Vec<i64>,
    /// All that wait.
    #[arg(long)]
    all: bool,
    /// Only this record type: contacts, tasks.
    #[arg(long, value_name = "TYPE", value_parser = kind)]
    kind: Option<RecordKind>,
    /// Only found by this: address, phone, company, title, alone.
    #[arg(long, value_name = "STAGE", value_parser = stage)]
    stage: Option<Stage>,
}

fn kind(word: &str) -> Result<RecordKind, &'static str> {
    RecordKind::from_word(word)
        .filter(|kind| matches!(kind, RecordKind::Contacts | RecordKind::Tasks))
        .ok_or("give contacts or tasks")
}

fn stage(word: &str) -> Result<Stage, &'static str> {
    Stage::from_word(word).ok_or("give address, phone, company, title or alone")
}

/// A choice as it is listed.
#[derive(Serialize)]
struct Listed {
    number: i64,
    kind: RecordKind,
    side: Side,
    id: String,
    stage: Stage,
    state: State,
    since: DateTime<Utc>,
    candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Serialize)]
struct Candidate {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// Runs the command.
pub async fn run(settings: Settings, command: Command, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| match command {
        Command::List {
            mailbox,
            names,
            decided,
        } => list(session, &mailbox, names, decided, output).await,
        Command::Accept { which, with } => {
            let with = with.map(CrmId);
            decide(session, which, Decision::Accept { with }, output).await
        }
        Command::New(which) => decide(session, which, Decision::New, output).await,
        Command::Never(which) => decide(session, which, Decision::Never, output).await,
    })
    .await
}

async fn list(
    session: &Session,
    mailbox: &str,
    with_names: bool,
    decided: bool,
    output: &Output,
) -> Result<Done, CliError> {
    let row = session.mailbox(mailbox).await?;
    let mut choices = control::list(&session.app.db, &session.may(Explain)?, row.mailbox.id).await?;
    choices.retain(|choice| decided || choice.state != State::Never);
    let names = match with_names {
        true => {
            let granted = session.may(ReadNames)?;
            control::names(&session.app.engine(), &granted, &row, &choices).await?
        }
        false => Names::default(),
    };
    let listed: Vec<Listed> = choices.iter().map(|choice| listed(choice, &names)).collect();
    output.print(&listed, || words(mailbox, &listed));
    let waits = listed.iter().any(|row| row.state == State::Held);
    Ok(if waits { Done::NotInStep } else { Done::Well })
}

fn listed(choice: &Choice, names: &Names) -> Listed {
    let of_record = |id: &CrmId| names.records.get(id).map(|name| name.expose().clone());
    let of_item = choice.item.as_ref().and_then(|id| names.items.get(id));
    let candidate = |id: &CrmId| Candidate {
        id: id.0.clone(),
        name: of_record(id),
    };
    let item = choice.item.as_ref().map(|id| id.0.clone());
    let record = choice.crm.as_ref().map(|id| id.0.clone());
    Listed {
        number: choice.id,
        kind: choice.kind,
        side: choice.side,
        id: item.or(record).unwrap_or_default(),
        stage: choice.candidates.stage,
        state: choice.state,
        since: choice.held_at,
        candidates: choice.candidates.records.iter().map(candidate).collect(),
        name: of_item
            .map(|name| name.expose().clone())
            .or_else(|| choice.crm.as_ref().and_then(of_record)),
    }
}

async fn decide(
    session: &Session,
    args: Args,
    decision: Decision,
    output: &Output,
) -> Result<Done, CliError> {
    let row = session.mailbox(&args.mailbox).await?;
    let granted = session.may(ManageMailboxes)?;
    let which = Which {
        ids: args.numbers,
        kind: args.kind,
        stage: args.stage,
    };
    let (db, clock, id) = (&session.app.db, &session.app.clock, row.mailbox.id);
    let done = control::decide(db, clock, &granted, id, which, decision).await?;
    let document = json!({"mailbox": row.mailbox.address, "decided": done.decided, "left": done.left});
    output.print(&document, || {
        let mut said = format!(
            "{} decided; the next turn, which is due now, carries that out.",
            done.decided
        );
        if done.left > 0 {
            said.push_str(&format!(
                "\n{} go on waiting: they have several counterparts or none, or others wait for the same one. Name one by \
                 its number, with `--with RECORD` where there are several.",
                done.left
            ));
        }
        said
    });
    Ok(match (done.decided, done.left) {
        (1.., 0) => Done::Well,
        _ => Done::NotInStep,
    })
}

fn words(mailbox: &str, listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "Nothing waits for a choice.".to_owned();
    }
    let mut totals: BTreeMap<(Side, Stage), usize> = BTreeMap::new();
    for row in listed.iter().filter(|row| row.state == State::Held) {
        *totals.entry((row.side, row.stage)).or_default() += 1;
    }
    let mut text = String::new();
    for ((side, stage), count) in totals {
        let place = side.word();
        text.push_str(&format!("{count:>6} of the {place}: {}\n", stage.sentence()));
    }
    let rows = listed.iter().take(SHOWN).map(|row| {
        let candidates = row.candidates.iter().map(|one| match &one.name {
            Some(name) => format!("{} ({name})", one.id),
            None => one.id.clone(),
        });
        [
            row.number.to_string(),
            row.kind.word().to_owned(),
            row.side.word().to_owned(),
            row.name.clone().unwrap_or_else(|| ending(&row.id)),
            row.stage.word().to_owned(),
            candidates.collect::<Vec<_>>().join(", "),
            row.state.word().to_owned(),
        ]
    });
    text.push('\n');
    text.push_str(&table(
        ["number", "stream", "side", "what", "found by", "may be", ""],
        rows,
    ));
    if listed.len() > SHOWN {
        text.push_str(&format!(
            "\n… and {} more; --json shows all.",
            listed.len() - SHOWN
        ));
    }
    text.push_str(&format!(
        "\nNext: `holdfast matching accept {mailbox} NUMBER…` links, `holdfast matching new {mailbox} NUMBER…` makes anew, \
         `holdfast matching never {mailbox} NUMBER…` leaves alone; `--all`, `--stage`; `--names` shows what they are called."
    ));
    text
}

/// The end of an id tells it from others.
fn ending(id: &str) -> String {
    let letters = id.chars().count();
    match letters > 24 {
        true => format!("…{}", id.chars().skip(letters - 24).collect::<String>()),
        false => id.to_owned(),
    }
}
