//! `holdfast undo --mailbox M | --policy P --since T [--apply | --lift]`: what Holdfast made is removed again.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ManageMailboxes};
use crate::foundation::config::Settings;
use crate::sync::control as engine_control;
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::undo::control::{self, Line, Plan, Standing};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use serde_json::json;

/// Rows shown in words; all of them are in the JSON.
const SHOWN: usize = 40;

/// What is undone.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One mailbox.
    #[arg(long, required_unless_present = "policy", conflicts_with = "policy")]
    mailbox: Option<String>,
    /// Every mailbox with this policy.
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Since when: 2026-11-24, or 2026-11-24T08:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant, required_unless_present = "lift")]
    since: Option<DateTime<Utc>>,
    /// Do it. Without this the undo is only shown.
    #[arg(long)]
    apply: bool,
    /// Let what was undone be made again.
    #[arg(long, conflicts_with_all = ["apply", "since"])]
    lift: bool,
}

fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let day = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    text.parse::<DateTime<Utc>>()
        .ok()
        .or_else(|| text.parse().ok().map(day))
        .ok_or("give a day, 2026-11-24, or an instant with its zone, 2026-11-24T08:30:00Z")
}

/// One mailbox's undo.
#[derive(Serialize)]
struct Undo {
    mailbox: String,
    lines: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<Standing>,
}

/// Runs the command.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| {
        let rows = chosen(session, &args).await?;
        match args.since {
            Some(since) => undo(session, rows, since, args.apply, output).await,
            None => lift(session, rows, output).await,
        }
    })
    .await
}

async fn chosen(session: &Session, args: &Args) -> Result<Vec<MailboxRow>, CliError> {
    if let Some(address) = &args.mailbox {
        return Ok(vec![session.mailbox(address).await?]);
    }
    let all = session.mailboxes().await?;
    let of_policy: Vec<MailboxRow> = all
        .into_iter()
        .filter(|row| Some(&row.policy) == args.policy.as_ref())
        .collect();
    if of_policy.is_empty() {
        return Err(CliError::NoMailbox);
    }
    Ok(of_policy)
}

async fn undo(
    session: &Session,
    rows: Vec<MailboxRow>,
    since: DateTime<Utc>,
    apply: bool,
    output: &Output,
) -> Result<Done, CliError> {
    let (engine, may_look) = (session.app.engine(), session.may(Explain)?);
    let mut undos = Vec::new();
    for row in rows {
        let lines = control::preview(&session.app.db, &may_look, row.mailbox.id, since).await?;
        let applied = if apply {
            let granted = session.may(ManageMailboxes)?;
            Some(control::apply(&engine, &granted, &row, &lines).await?)
        } else {
            None
        };
        undos.push(Undo {
            mailbox: row.mailbox.address,
            lines,
            applied,
        });
    }
    output.print(&undos, || words(&undos));
    let left = |undo: &Undo| {
        undo.applied
            .as_ref()
            .is_some_and(|standing| standing.waiting > 0 || !standing.failed.is_empty())
    };
    Ok(if undos.iter().any(left) {
        Done::NotInStep
    } else {
        Done::Well
    })
}

async fn lift(session: &Session, rows: Vec<MailboxRow>, output: &Output) -> Result<Done, CliError> {
    let (granted, mut count) = (session.may(ManageMailboxes)?, 0);
    for row in rows {
        count += control::lift(&session.app.engine(), &granted, row.mailbox.id).await?;
        engine_control::resync(&session.app.db, &session.app.clock, &granted, row.mailbox.id).await?;
    }
    output.print(&json!({"lifted": count}), || {
        format!("{count} lifted; the next turns read the mailbox from the start and make them again.")
    });
    Ok(Done::Well)
}

fn words(undos: &[Undo]) -> String {
    let mut text = String::new();
    for Undo {
        mailbox,
        lines,
        applied,
    } in undos
    {
        let count = |plan| lines.iter().filter(|line| line.plan == plan).count();
        text.push_str(&format!(
            "{mailbox}: {} made by Holdfast, {} of them shared with another mailbox, {} changed\n",
            count(Plan::Remove) + count(Plan::Shared),
            count(Plan::Shared),
            count(Plan::Look)
        ));
        text.push_str(&list(lines));
        match applied {
            Some(standing) => text.push_str(&told(standing)),
            None if lines.is_empty() => {}
            None => text.push_str("\nNothing was done. --apply removes what says \"remove\"."),
        }
        text.push_str("\n\n");
    }
    text
}

fn list(lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let rows = lines.iter().take(SHOWN).map(|line| {
        let said = match line.plan {
            Plan::Remove => "remove",
            Plan::Shared => "stays: another mailbox has it too",
            Plan::Look => "was changed; compare the two",
        };
        [
            line.kind.word().to_owned(),
            line.side.word().to_owned(),
            line.at.format("%Y-%m-%d %H:%M UTC").to_string(),
            line.crm.clone().unwrap_or_default(),
            line.item.as_deref().map_or(String::new(), tail),
            said.to_owned(),
        ]
    });
    let mut text = table(["stream", "written in", "at", "record", "item", ""], rows);
    if lines.len() > SHOWN {
        text.push_str(&format!(
            "\n… and {} more; --json shows all.",
            lines.len() - SHOWN
        ));
    }
    text
}

/// An item's id differs from another's at its end.
fn tail(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(24);
    format!("…{}", id.chars().skip(skipped).collect::<String>())
}

fn told(standing: &Standing) -> String {
    let mut text = format!("\n{} removed.", standing.removed);
    if standing.waiting > 0 {
        text.push_str(&format!(" {} wait for the next turn.", standing.waiting));
    }
    for (code, count) in &standing.failed {
        text.push_str(&format!(
            "\n{count} could not be removed [{code}]; the same command tries them again."
        ));
    }
    text
}
