//! One mailbox: how its four streams stand, what was left alone and why, what failed, what was done lately.

use super::concern::{self, Concern};
use super::layout::{Head, Moment, Section, page};
use super::stream::{self, Bar};
use crate::access::Resource;
use crate::foundation::ids::MailboxId;
use crate::sync::guard::{self, store::HeldTotal};
use crate::web::advice::{self, Piece};
use crate::web::board::totals::{Totals, TotalsCache};
use crate::web::board::words::{counted, number, span};
use crate::web::board::{self, History, MailboxLine, PastTurn, SkipGroup, StreamLine, StreamState};
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    head: Head,
    answer: String,
    address: String,
    crm_username: String,
    policy: String,
    state: StreamState,
    streams: Vec<Line>,
    concerns: Vec<Concern>,
    skips: Vec<Skip>,
    turns: Vec<Turn>,
}

/// One stream.
struct Line {
    kind: &'static str,
    state: StreamState,
    running: bool,
    bar: Bar,
    read: String,
    linked: String,
    skipped: String,
    failed: i64,
    lag: String,
    last_turn: Option<Moment>,
    last_change: Option<Moment>,
    due: Moment,
}

/// Items that were left alone for one reason.
struct Skip {
    sentence: &'static str,
    kind: &'static str,
    items: String,
}

/// A turn that did something.
struct Turn {
    kind: &'static str,
    at: Moment,
    took: String,
    said: String,
    failure: Option<(String, Vec<Piece>)>,
}

/// Serves it.
///
/// # Errors
/// [`Problem`].
pub async fn show(
    viewer: Viewer,
    parts: web::Data<Parts>,
    cache: web::Data<TotalsCache>,
    id: web::Path<i32>,
) -> Result<HttpResponse, Problem> {
    let id = MailboxId(id.into_inner());
    let granted = viewer.may_view(Resource::Mailbox(id))?;
    let (db, clock) = (&parts.db, &parts.clock);
    let line = board::mailbox(db, clock, &granted, id)
        .await?
        .ok_or(Problem::NoSuchMailbox)?;
    let totals = cache.get(db, clock, &granted).await?;
    let history = board::history(db, &granted, id).await?;
    let held = guard::control::totals(db, &granted).await?;
    let held: Vec<HeldTotal> = held.into_iter().filter(|total| total.mailbox == id).collect();
    let now = clock.now();
    Ok(page(&MailboxPage {
        head: Head::inside(&line.address, Section::Mailboxes, now),
        answer: answer(&line),
        streams: line
            .streams
            .iter()
            .map(|of| stream_line(&line, of, &totals, now))
            .collect(),
        concerns: concerns(&line, &history, &held, now),
        skips: history.skips.iter().map(skip).collect(),
        turns: history.turns.iter().map(|turn| past(turn, now)).collect(),
        address: line.address,
        crm_username: line.crm_username,
        policy: line.policy,
        state: line.state,
    })?)
}

/// Is it in step? In one sentence.
fn answer(line: &MailboxLine) -> String {
    let slowest = line.slowest_ms();
    match (line.state, slowest) {
        (StreamState::InStep, Some(ms)) => {
            format!("The slowest stream was {} behind.", span(ms.into()))
        }
        (StreamState::InStep, None) => "Both sides say the same.".to_owned(),
        (StreamState::Paused, _) => {
            format!(
                "holdfast mailbox resume {} lets it go on where it stopped.",
                line.address
            )
        }
        (StreamState::Reading, _) => "It is being read for the first time.".to_owned(),
        (StreamState::Late, _) => "Due for minutes, and no worker has taken it.".to_owned(),
        (StreamState::Waiting, _) => {
            "The CRM's calls are used up, or down to the reserve; it goes on by itself.".to_owned()
        }
        (StreamState::Retrying, _) => "The last turn failed; it is tried again by itself.".to_owned(),
        (StreamState::Stopped, _) => "Turn after turn failed.".to_owned(),
        (StreamState::Refused, _) => "One side does not let Holdfast in.".to_owned(),
    }
}

fn stream_line(mailbox: &MailboxLine, of: &StreamLine, totals: &Totals, now: DateTime<Utc>) -> Line {
    let count = totals.stream(mailbox.id, of.kind);
    let moment = |at: DateTime<Utc>| Moment::new(at, now);
    Line {
        kind: of.kind.word(),
        state: of.state,
        running: of.running,
        bar: stream::bar(of),
        read: match of.read_total {
            Some(total) if !of.first_read_done => {
                format!("{} of {}", number(of.read.into()), number(total.into()))
            }
            _ => number(of.read.into()),
        },
        linked: number(count.linked),
        skipped: number(count.skipped),
        failed: count.failed,
        lag: of
            .lag_ms
            .map_or_else(|| "\u{2013}".to_owned(), |ms| span(ms.into())),
        last_turn: of.last_turn_at.map(moment),
        last_change: of.last_change_at.map(moment),
        due: moment(of.due_at),
    }
}

/// What stops the mailbox, then what stops its streams, then what stops single items.
fn concerns(line: &MailboxLine, history: &History, held: &[HeldTotal], now: DateTime<Utc>) -> Vec<Concern> {
    let whole = line
        .state_code
        .iter()
        .map(|code| Concern::of_code(code, line.state, "the whole mailbox".to_owned()));
    let streams = line.streams.iter().filter_map(|of| {
        let extent = format!("the stream of {}", of.kind.word());
        Some(Concern::of_code(of.error.as_deref()?, of.state, extent))
    });
    let items = history.failures.iter().map(|group| Concern::of_items(group, now));
    let held = held.iter().map(concern::of_held);
    let mut concerns: Vec<Concern> = whole.chain(streams).chain(held).chain(items).collect();
    concerns.sort_by_key(|concern| !concern.needs_somebody());
    concerns
}

fn skip(group: &SkipGroup) -> Skip {
    Skip {
        sentence: group.reason.sentence(),
        kind: group.kind.word(),
        items: number(group.items),
    }
}

fn past(turn: &PastTurn, now: DateTime<Utc>) -> Turn {
    let written = i64::try_from(turn.written).unwrap_or(i64::MAX);
    let failed = i64::try_from(turn.failed).unwrap_or(i64::MAX);
    let mut said = format!("{} written", counted(written, "item", "items"));
    if failed > 0 {
        said = format!("{said}, {} failed", number(failed));
    }
    Turn {
        kind: turn.kind.word(),
        at: Moment::new(turn.finished_at, now),
        took: span((turn.finished_at - turn.started_at).num_milliseconds()),
        said,
        failure: (turn.outcome != "done").then(|| (turn.outcome.clone(), advice::of(&turn.outcome).happened)),
    }
}
