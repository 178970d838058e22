//! The part of a turn that deals with series: asks for their dates, and passes these through the plan as if
//! they had come one by one. What is remembered of a series is committed with what was made of its dates.

use super::engine::Engine;
use super::error::SyncError;
use super::gather::{self, ChangedSeries, Expansion, Gathered, Pending, SeriesNews};
use super::guard::plan::Evidence;
use super::keys::item_key;
use super::model::{Reason, Side};
use super::policy::{OutOfScope, SeriesMode};
use super::store::series::{SeriesChange, SeriesRow};
use super::store::streams::Advance;
use super::stream::Stream;
use super::turn::Turn;
use crate::foundation::db::Db;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::ItemId;
use crate::mailbox::series::{Series, Span};
use crate::record::kind::RecordKind;
use chrono::TimeDelta;

/// Series asked for in one call.
const AT_ONCE: usize = 10;

impl Turn<'_> {
    /// Deals with what a page said of series.
    pub(super) async fn series(&mut self, news: SeriesNews, pending: &mut Pending) -> Result<(), SyncError> {
        for ended in news.ended {
            let gathered = gather::ended(&self.engine.db, &self.stream, ended, pending).await?;
            self.plan_apply_commit(gathered, Vec::new(), Advance::default(), Evidence::Said)
                .await?;
        }
        for batch in batches(news.changed) {
            for outcome in ask(&self.engine.db, &self.stream, batch, pending).await? {
                match outcome {
                    Asked::Dates(mut expansion) => {
                        while let Some(gathered) =
                            expansion.next(&self.engine.db, &mut self.stream, pending).await?
                        {
                            self.plan_apply_commit(gathered, Vec::new(), Advance::default(), Evidence::Said)
                                .await?;
                        }
                    }
                    Asked::Nothing(gathered) => {
                        self.plan_apply_commit(*gathered, Vec::new(), Advance::default(), Evidence::Said)
                            .await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Series of which further dates have come within reach since they were last looked at. After the pages of
    /// the mailbox: what these said of a series counts.
    pub(super) async fn due_series(&mut self, pending: &mut Pending) -> Result<(), SyncError> {
        if self.stream.kind() != RecordKind::Calendar {
            return Ok(());
        }
        let news = gather::due_series(&self.engine.db, &self.stream).await?;
        self.series(news, pending).await
    }
}

/// What became of the question for a series' dates.
pub(super) enum Asked {
    /// They are here.
    Dates(Box<Expansion>),
    /// There is nothing to plan; what to remember of it.
    Nothing(Box<Gathered>),
}

/// Series in the batches in which they are asked for.
pub(super) fn batches(all: Vec<ChangedSeries>) -> Vec<Vec<ChangedSeries>> {
    let mut batches = Vec::new();
    let mut rest = all.into_iter();
    loop {
        let batch: Vec<ChangedSeries> = rest.by_ref().take(AT_ONCE).collect();
        if batch.is_empty() {
            return batches;
        }
        batches.push(batch);
    }
}

/// Asks for the dates of some series.
pub(super) async fn ask(
    db: &Db,
    stream: &Stream,
    batch: Vec<ChangedSeries>,
    pending: &mut Pending,
) -> Result<Vec<Asked>, SyncError> {
    if stream.policy.calendar.series.mode == SeriesMode::Skip {
        let mut asked = Vec::with_capacity(batch.len());
        for news in batch {
            asked.push(left_alone(db, stream, news, pending).await?);
        }
        return Ok(asked);
    }
    let span = gather::span(stream);
    let ids: Vec<ItemId> = batch.iter().map(|one| one.item.clone()).collect();
    let answers = stream.server.dates(&stream.row.mailbox, &ids, &span).await?;
    let mut asked = Vec::with_capacity(batch.len());
    for (news, answer) in batch.into_iter().zip(answers) {
        asked.push(taken_up(stream, news, answer, span)?);
    }
    Ok(asked)
}

/// A series that the policy leaves in the mailbox. Where it did not before, its dates left the scope.
async fn left_alone(
    db: &Db,
    stream: &Stream,
    news: ChangedSeries,
    pending: &mut Pending,
) -> Result<Asked, SyncError> {
    let mut gathered = Gathered {
        settled: vec![(Side::Mailbox, item_key(&news.item))],
        ..Gathered::default()
    };
    if let Some(row) = news.row.filter(|_| stream.judges_anew()) {
        let ids = row.days.iter().map(|day| row.date(*day)).collect();
        gather::left_alone(db, stream, ids, Reason::Series, pending, &mut gathered).await?;
        if stream.common.out_of_scope != OutOfScope::Keep {
            gathered.rows.forgotten.push(row.key());
        }
    }
    gathered.skipped.push((news.item, Reason::Series));
    Ok(Asked::Nothing(Box::new(gathered)))
}

fn taken_up(
    stream: &Stream,
    news: ChangedSeries,
    answer: Result<Series, MailboxError>,
    span: Span,
) -> Result<Asked, SyncError> {
    match answer {
        Ok(series) => Ok(Asked::Dates(Box::new(Expansion::new(stream, series, news, span)))),
        Err(error) if error.class().stops_the_turn() => Err(error.into()),
        // It went while we looked; the feed tells of it next time, and until then all stays as it is.
        Err(error) if error.class() == Class::Gone => Ok(Asked::Nothing(Box::default())),
        Err(error) => Ok(Asked::Nothing(Box::new(failed(stream, news, &error)))),
    }
}

/// The failure has its own time for the next try; what is due by the calendar waits for tomorrow.
fn failed(stream: &Stream, news: ChangedSeries, error: &MailboxError) -> Gathered {
    let tomorrow = stream.now.date_naive() + TimeDelta::days(1);
    let put = news
        .row
        .map(|row| SeriesRow {
            look_again: row.look_again.map(|day| day.max(tomorrow)),
            ..row
        })
        .into_iter();
    Gathered {
        unreadable: vec![(news.item, error.code(), error.class())],
        rows: SeriesChange {
            put: put.collect(),
            forgotten: Vec::new(),
        },
        ..Gathered::default()
    }
}

/// What a turn would do with the dates of series: `see` gets each page of them. For the dry run and for
/// explanations.
pub(super) async fn look_over(
    engine: &Engine,
    stream: &mut Stream,
    news: SeriesNews,
    pending: &mut Pending,
    see: &mut (dyn FnMut(&Stream, Option<&Series>, Gathered) + Send),
) -> Result<(), SyncError> {
    for ended in news.ended {
        let gathered = gather::ended(&engine.db, stream, ended, pending).await?;
        see(stream, None, gathered);
    }
    for batch in batches(news.changed) {
        for outcome in ask(&engine.db, stream, batch, pending).await? {
            match outcome {
                Asked::Dates(mut expansion) => {
                    while let Some(gathered) = expansion.next(&engine.db, stream, pending).await? {
                        see(stream, Some(expansion.series()), gathered);
                    }
                }
                Asked::Nothing(gathered) => see(stream, None, *gathered),
            }
        }
    }
    Ok(())
}

/// How a series is synchronised, in sentences.
pub(super) fn told(series: &Series) -> Vec<String> {
    let (from, to) = series.known;
    let days = series.days();
    let mut notes = vec![format!(
        "It is a series; its dates from {from} to {to} are synchronised one by one: {}, of them {} moved or changed.",
        days.len(),
        series.changed.len()
    )];
    if series.cut {
        notes.push(Reason::SeriesCap.sentence().to_owned());
    }
    match series.next {
        Some(next) if series.endless => notes.push(format!(
            "It has no end; its next date, of {next}, follows when it comes within reach."
        )),
        Some(next) => notes.push(format!(
            "Its next date, of {next}, follows when it comes within reach."
        )),
        None => {}
    }
    notes
}
