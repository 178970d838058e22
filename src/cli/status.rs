//! `holdfast status`: is everything in step?

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::ViewStatus;
use crate::foundation::config::Settings;
use crate::sync::budget::store::BudgetStatus;
use crate::sync::control;
use crate::sync::health::{self, Silent};
use crate::sync::store::nodes::NodeStatus;
use crate::sync::store::totals::StreamStatus;
use crate::sync::store::watches::WatchStatus;
use chrono::{DateTime, Utc};
use serde_json::json;

/// Silent streams told one by one; all of them are in the JSON.
const SHOWN: usize = 10;

/// Prints every stream; exit code 1 where one is not in step.
pub async fn run(settings: Settings, output: &Output) -> Result<Done, CliError> {
    let session = Session::open(settings).await?;
    let granted = session.may(ViewStatus)?;
    let streams = control::status(&session.app.db, &session.app.clock, &granted).await?;
    let skips = control::skips(&session.app.db, &granted).await?;
    let nodes = control::nodes(&session.app.db, &session.app.clock, &granted).await?;
    let budgets = control::budgets(&session.app.db, &session.app.clock, &granted).await?;
    let watches = control::watches(&session.app.db, &session.app.clock, &granted).await?;
    let now = session.app.clock.now();
    let silent = health::silent(&streams, now);
    let well = streams.iter().all(in_step);
    let skips: Vec<_> = skips
        .into_iter()
        .map(|(stream, reason, count)| {
            json!({"mailbox_id": stream.mailbox, "kind": stream.kind, "reason": reason, "count": count})
        })
        .collect();
    output.print(
        &json!({"in_step": well, "streams": streams, "skips": skips, "nodes": nodes, "silent": silent, "budgets": budgets, "watches": watches}),
        || {
            let health = health_words(&nodes, &silent, now);
            format!(
                "{}\n\n{health}\n{}{}",
                words(&streams),
                watch_words(&watches),
                budget_words(&budgets)
            )
        },
    );
    session.app.close().await;
    Ok(if well { Done::Well } else { Done::NotInStep })
}

/// Whether what people do in a CRM crosses when they do it. Of one that does not tell of it there is nothing to say.
fn watch_words(watches: &[WatchStatus]) -> String {
    let lines = watches.iter().map(|watch| match (watch.watched, &watch.code) {
        (true, _) => format!(
            "crm.{}: watched; what people do there crosses within seconds.\n",
            watch.crm
        ),
        (false, Some(code)) => format!(
            "crm.{}: not watched [{code}]; each user is asked for his own news instead.\n",
            watch.crm
        ),
        (false, None) => format!("crm.{}: not watched now.\n", watch.crm),
    });
    lines.collect()
}

/// What is left of each CRM's calls, and who waits for them.
fn budget_words(budgets: &[BudgetStatus]) -> String {
    let lines = budgets.iter().map(|budget| {
        let waiting = match budget.waiting {
            0 => String::new(),
            1 => " 1 stream waits for the CRM's budget.".to_owned(),
            count => format!(" {count} streams wait for the CRM's budget."),
        };
        format!(
            "crm.{}: {} of {} calls used; Holdfast stops at {}. First readings took {} of their {} within a day.{waiting}",
            budget.crm, budget.used, budget.allowed, budget.ours, budget.backfill, budget.backfill_share
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Who works, and who has been waiting for too long.
fn health_words(nodes: &[NodeStatus], silent: &[Silent], now: DateTime<Utc>) -> String {
    let (alive, dead): (Vec<_>, Vec<_>) = nodes.iter().partition(|node| node.alive);
    let mut lines = match alive.as_slice() {
        [] => vec!["No daemon runs. `systemctl start holdfast` starts one.".to_owned()],
        alive => alive
            .iter()
            .map(|node| {
                format!(
                    "Node {} works on {} streams and listens to {} groups.",
                    node.node.name, node.streams, node.groups
                )
            })
            .collect(),
    };
    lines.extend(dead.iter().map(|node| {
        let minutes = (now - node.node.seen_at).num_minutes();
        format!("Node {} was last seen {minutes} minutes ago.", node.node.name)
    }));
    lines.extend(silent.iter().take(SHOWN).map(|stream| {
        let since = match stream.since {
            Some(at) => format!("no good turn for {} minutes", (now - at).num_minutes()),
            None => "no good turn yet".to_owned(),
        };
        format!("{} of {}: {since}.", stream.kind.word(), stream.mailbox)
    }));
    if silent.len() > SHOWN {
        lines.push(format!(
            "… and {} more streams without a good turn.",
            silent.len() - SHOWN
        ));
    }
    lines.join("\n")
}

/// Read to the end, no failure, no error.
fn in_step(stream: &StreamStatus) -> bool {
    stream.state == "paused"
        || (stream.state == "active"
            && stream.first_read_done
            && stream.failed == 0
            && stream.held == 0
            && stream.error.is_none())
}

/// How far a first reading is.
fn first_read(stream: &StreamStatus) -> String {
    match stream.read_total {
        Some(total) => format!("first read, {} of {total}", stream.read.min(total)),
        None => "first read".to_owned(),
    }
}

fn words(streams: &[StreamStatus]) -> String {
    if streams.is_empty() {
        return "No mailbox yet. `holdfast mailbox add ADDRESS` adds one.".to_owned();
    }
    let behind = streams.iter().filter(|stream| !in_step(stream)).count();
    let headline = match behind {
        0 => format!("All {} streams are in step.", streams.len()),
        1 => format!("1 of {} streams is not in step.", streams.len()),
        count => format!("{count} of {} streams are not in step.", streams.len()),
    };
    let rows = streams.iter().map(|stream| {
        let said = match (&stream.error, stream.first_read_done, stream.running) {
            (Some(code), _, _) if code == "crm.limit_reached" => "waiting for the CRM's budget".to_owned(),
            (Some(code), _, _) if code == "sync.backfill_waits" => {
                format!("{}, waiting for its share of calls", first_read(stream))
            }
            (Some(code), _, _) => code.clone(),
            (None, true, true) => "running".to_owned(),
            (None, false, _) => first_read(stream),
            (None, true, false) => stream.state.clone(),
        };
        [
            stream.mailbox.clone(),
            stream.kind.word().to_owned(),
            stream.linked.to_string(),
            stream.skipped.to_string(),
            stream.failed.to_string(),
            stream.held.to_string(),
            stream.lag_ms.map_or_else(
                || "-".to_owned(),
                |lag| format!("{:.1} s", f64::from(lag) / 1000.0),
            ),
            said,
        ]
    });
    let header = [
        "mailbox",
        "stream",
        "linked",
        "left alone",
        "failed",
        "held",
        "lag",
        "",
    ];
    let mut text = format!("{headline}\n\n{}", table(header, rows));
    let held: i64 = streams.iter().map(|stream| stream.held).sum();
    if held > 0 {
        text.push_str(&format!(
            "\n\n{held} deletions wait for a person: `holdfast quarantine list` shows them."
        ));
    }
    text
}
