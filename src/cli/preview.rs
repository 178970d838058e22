//! `holdfast preview MAILBOX`: what the next turn would do, item by item. Writes nothing anywhere.

use super::caller;
use super::outcome::{CliError, Done};
use super::output::{Output, line, table};
use super::progress::Bars;
use crate::access::permission::Explain;
use crate::foundation::config::Settings;
use crate::sync::preview::preview;
use crate::sync::report::Preview;
use indicatif::MultiProgress;

/// Rows shown in words; all of them are in the CSV and the JSON.
const SHOWN: usize = 40;

/// Which mailbox, and how.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox.
    mailbox: String,
    /// Every row, as CSV.
    #[arg(long)]
    csv: bool,
}

/// Runs the dry run.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| {
        session.may(Explain)?;
        let row = session.mailbox(&args.mailbox).await?;
        let bars = Bars::new(MultiProgress::new(), &row.mailbox.address, output.json);
        let preview = preview(&session.app.engine(), &row, &bars).await;
        bars.clear();
        let preview = preview?;
        if args.csv && !output.json {
            line(&csv(&preview));
        } else {
            output.print(&preview, || words(&preview));
        }
        Ok(Done::Well)
    })
    .await
}

fn csv(preview: &Preview) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // A vector takes every write.
    let _ = writer.write_record(["kind", "side", "id", "action", "detail", "told"]);
    for row in &preview.rows {
        let (side, told) = (row.side.word(), row.told.words());
        let _ = writer.write_record([row.kind, side, &row.id, row.action, &row.detail, &told]);
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

fn words(preview: &Preview) -> String {
    if preview.rows.is_empty() {
        return "In step: the next turn would write nothing.".to_owned();
    }
    let totals: Vec<String> = preview
        .totals
        .iter()
        .map(|(action, count)| format!("{count} {action}"))
        .collect();
    let mut text = totals.join(", ");
    if !preview.told.is_nobodys() {
        text.push_str(&format!("\nMail would go out: {}.", preview.told.words()));
    }
    text.push_str(&format!("\n\n{}", shown(preview)));
    if preview.rows.len() > SHOWN {
        text.push_str(&format!(
            "\n… and {} more; --csv or --json shows all.",
            preview.rows.len() - SHOWN
        ));
    }
    text
}

/// The first rows; with a column for who would be told only where somebody would.
fn shown(preview: &Preview) -> String {
    let rows = preview.rows.iter().take(SHOWN).map(|row| {
        let id: Vec<char> = row.id.chars().rev().take(24).collect();
        let id: String = id.into_iter().rev().collect();
        [
            row.kind.to_owned(),
            row.action.to_owned(),
            format!("…{id}"),
            row.detail.clone(),
            row.told.words(),
        ]
    });
    let header = ["kind", "action", "id", "detail", "told"];
    match preview.told.is_nobodys() {
        true => table(
            ["kind", "action", "id", "detail"],
            rows.map(|[a, b, c, d, _]| [a, b, c, d]),
        ),
        false => table(header, rows),
    }
}
