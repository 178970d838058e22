//! `holdfast completeness [MAILBOX] [--repair]`: does it add up?

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ManageMailboxes, RunSync};
use crate::foundation::config::Settings;
use crate::sync::completeness::{Tally, completeness};
use crate::sync::control;
use crate::sync::pass;
use crate::sync::report::Quiet;
use crate::sync::store::mailboxes::MailboxRow;
use serde::Serialize;

/// Which mailbox, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox; all active ones where none is given.
    mailbox: Option<String>,
    /// Do not run a turn before; what changed since the last one shows as missing then.
    #[arg(long)]
    as_it_is: bool,
    /// Where something is missing, read the mailbox from the start. Nothing is doubled.
    #[arg(long)]
    repair: bool,
}

/// One mailbox's tallies.
#[derive(Serialize)]
struct Sum {
    mailbox: String,
    adds_up: bool,
    streams: Vec<Tally>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repaired: bool,
}

/// Lists and adds up; exit code 1 where it does not.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| {
        let rows = match &args.mailbox {
            Some(address) => vec![session.mailbox(address).await?],
            None => {
                let all = session.mailboxes().await?;
                all.into_iter().filter(|row| row.state == "active").collect()
            }
        };
        let mut sums = Vec::new();
        for row in rows {
            sums.push(one(session, row, &args).await?);
        }
        output.print(&sums, || words(&sums));
        Ok(if sums.iter().all(|sum| sum.adds_up) {
            Done::Well
        } else {
            Done::NotInStep
        })
    })
    .await
}

async fn one(session: &Session, row: MailboxRow, args: &Args) -> Result<Sum, CliError> {
    let engine = session.app.engine();
    if !args.as_it_is && row.state == "active" {
        session.may(RunSync)?;
        // A stream's own failure shows in the tally.
        let _ = pass::sync_mailbox(&engine, &row, &Quiet).await?;
    }
    let streams = completeness(&engine, &session.may(Explain)?, &row).await?;
    let adds_up = streams.iter().all(Tally::adds_up);
    let repaired = args.repair && !adds_up;
    if repaired {
        let granted = session.may(ManageMailboxes)?;
        control::resync(&session.app.db, &session.app.clock, &granted, row.mailbox.id).await?;
    }
    Ok(Sum {
        mailbox: row.mailbox.address,
        adds_up,
        streams,
        repaired,
    })
}

fn words(sums: &[Sum]) -> String {
    if sums.is_empty() {
        return "No active mailbox.".to_owned();
    }
    let mut text = String::new();
    for sum in sums {
        let verdict = if sum.adds_up { "adds up" } else { "does NOT add up" };
        text.push_str(&format!("{}: {verdict}\n", sum.mailbox));
        let rows = sum.streams.iter().map(|tally| {
            [
                tally.kind.word().to_owned(),
                tally.side.word().to_owned(),
                tally
                    .counted
                    .map_or_else(|| "-".to_owned(), |count| count.to_string()),
                tally.listed.to_string(),
                tally.written.to_string(),
                tally.skipped.values().sum::<u64>().to_string(),
                tally.failed.to_string(),
                tally.missing.to_string(),
            ]
        });
        let header = [
            "stream",
            "side",
            "server counts",
            "listed",
            "written",
            "left alone",
            "failed",
            "missing",
        ];
        text.push_str(&table(header, rows));
        for tally in &sum.streams {
            text.push_str(&details(tally));
        }
        text.push_str(match (sum.adds_up, sum.repaired) {
            (true, _) => "\n\n",
            (false, true) => "\nThe mailbox is read from the start by its next turns. Nothing is doubled.\n\n",
            (false, false) => "\nNext: `holdfast explain MAILBOX ID` for one of them, or `holdfast completeness MAILBOX --repair`, which reads the mailbox from the start.\n\n",
        });
    }
    text
}

fn details(tally: &Tally) -> String {
    let mut text = String::new();
    let place = format!("{} {}", tally.kind.word(), tally.side.word());
    for (reason, count) in &tally.skipped {
        text.push_str(&format!("\n{count:>8} {place} left alone: {}", reason.sentence()));
    }
    for said in &tally.noted {
        text.push_str(&format!(
            "\n{:>8} {place} written, of which {} {}",
            said.items,
            said.count,
            said.note.sentence()
        ));
    }
    for hole in tally.holes.iter().take(20) {
        text.push_str(&format!("\n{:>8} {place} missing: {hole}", ""));
    }
    if tally.missing > 20 {
        text.push_str(&format!(
            "\n{:>8} {place} missing in all; --json names more.",
            tally.missing
        ));
    }
    if tally.held > 0 {
        text.push_str(&format!(
            "\n{:>8} {place}: deletions that wait for a person, still linked.",
            tally.held
        ));
    }
    text
}
