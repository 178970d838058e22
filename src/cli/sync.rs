//! `holdfast sync MAILBOX… | --all`: a turn of each stream now, with progress.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::{Output, line, table};
use super::progress::Bars;
use crate::access::permission::RunSync;
use crate::foundation::config::Settings;
use crate::foundation::explain::Explain as _;
use crate::sync::error::SyncError;
use crate::sync::pass;
use crate::sync::report::Counts;
use crate::sync::store::mailboxes::MailboxRow;
use futures_util::stream::{self, StreamExt as _};
use indicatif::MultiProgress;
use serde_json::json;

/// Mailboxes at the same time. More do not help: one turn keeps several requests under way.
const AT_ONCE: usize = 4;

/// Which mailboxes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailboxes.
    #[arg(conflicts_with = "all")]
    mailboxes: Vec<String>,
    /// All active ones.
    #[arg(long)]
    all: bool,
}

/// One stream's result.
struct Row {
    mailbox: String,
    kind: &'static str,
    result: Result<Counts, SyncError>,
}

/// Runs the turns.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| turns(session, args, output).await).await
}

async fn turns(session: &Session, args: Args, output: &Output) -> Result<Done, CliError> {
    session.may(RunSync)?;
    let mut chosen = Vec::new();
    if args.all {
        chosen.extend(
            session
                .mailboxes()
                .await?
                .into_iter()
                .filter(|row| row.state == "active"),
        );
    }
    for address in &args.mailboxes {
        chosen.push(session.mailbox(address).await?);
    }
    if chosen.is_empty() {
        return Err(CliError::NoMailbox);
    }
    let engine = session.app.engine();
    let all = MultiProgress::new();
    let turns = chosen.into_iter().map(|row| {
        let (engine, all) = (engine.clone(), all.clone());
        async move { one(&engine, row, all, output).await }
    });
    let mut rows = Vec::new();
    let mut running = stream::iter(turns).buffer_unordered(AT_ONCE);
    while let Some(done) = running.next().await {
        rows.extend(done?);
    }
    Ok(tell(&rows, output))
}

async fn one(
    engine: &crate::sync::engine::Engine,
    row: MailboxRow,
    all: MultiProgress,
    output: &Output,
) -> Result<Vec<Row>, CliError> {
    let bars = Bars::new(all.clone(), &row.mailbox.address, output.json);
    let results = pass::sync_mailbox(engine, &row, &bars).await;
    bars.clear();
    let results = results?;
    let mailbox = row.mailbox.address;
    let rows: Vec<Row> = results
        .into_iter()
        .map(|(kind, result)| Row {
            mailbox: mailbox.clone(),
            kind: kind.word(),
            result,
        })
        .collect();
    if !output.json {
        let written: u64 = rows
            .iter()
            .filter_map(|row| row.result.as_ref().ok())
            .map(Counts::written)
            .sum();
        // The other mailboxes' bars make room for the line.
        all.suspend(|| line(&format!("{mailbox}: {written} written")));
    }
    Ok(rows)
}

fn tell(rows: &[Row], output: &Output) -> Done {
    let mut total = Counts::default();
    rows.iter()
        .filter_map(|row| row.result.as_ref().ok())
        .for_each(|counts| total.add(counts));
    let document: Vec<_> = rows
        .iter()
        .map(|row| match &row.result {
            Ok(counts) => json!({"mailbox": row.mailbox, "kind": row.kind, "counts": counts}),
            Err(error) => json!({
                "mailbox": row.mailbox, "kind": row.kind,
                "error": {"code": error.code(), "sentence": error.sentence()},
            }),
        })
        .collect();
    output.print(&json!({"streams": document, "total": total}), || {
        words(rows, &total)
    });
    let failed = total.failed > 0 || rows.iter().any(|row| row.result.is_err());
    if failed { Done::NotInStep } else { Done::Well }
}

fn words(rows: &[Row], total: &Counts) -> String {
    let lines = ["contacts", "calendar", "tasks", "mail"].map(|kind| {
        let mut sum = Counts::default();
        let of_kind = rows.iter().filter(|row| row.kind == kind);
        of_kind
            .filter_map(|row| row.result.as_ref().ok())
            .for_each(|counts| sum.add(counts));
        [
            kind.to_owned(),
            (sum.read_in_mailbox + sum.read_in_crm).to_string(),
            sum.written().to_string(),
            sum.matched.to_string(),
            sum.skipped.values().sum::<u64>().to_string(),
            sum.failed.to_string(),
        ]
    });
    let mut text = table(["", "read", "written", "matched", "left alone", "failed"], lines);
    for (reason, count) in &total.skipped {
        text.push_str(&format!("\n{count:>8} left alone: {}", reason.sentence()));
    }
    if total.held > 0 {
        text.push_str(&format!(
            "\n{:>8} deletions wait for a person: `holdfast quarantine list` shows them.",
            total.held
        ));
    }
    for row in rows {
        if let Err(error) = &row.result {
            text.push_str(&format!(
                "\n{} {}: {} [{}]",
                row.mailbox,
                row.kind,
                error.sentence(),
                error.code()
            ));
        }
    }
    text
}
