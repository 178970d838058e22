//! Writing items and dates of series: `write()`.
//!
//! A date of a series is changed and deleted under Exchange's own name for it, found through its master right
//! before. Since every write to a date changes the version of the whole series, two dates of one series are
//! never written in one request: the writes go in rounds, one date of each series a round.

use super::client::Client;
use super::dates::{self, Located};
use super::home_zone;
use super::writing::{self, Plan, Writer, Written};
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxRef, MailboxWrite, MailboxWritten, Notify};
use crate::mailbox::series::DateId;
use crate::record::kind::RecordKind;
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

/// See [`MailboxServer::write`](crate::mailbox::port::MailboxServer::write).
///
/// # Errors
/// Those of the port.
pub async fn write(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    writes: &[MailboxWrite],
    notify: Notify,
) -> Result<Vec<Written>, MailboxError> {
    let (dated, whole): (Vec<_>, Vec<_>) = writes
        .iter()
        .enumerate()
        .map(|(place, write)| (place, date_of(write), write))
        .partition(|(_, date, _)| date.is_some());
    let whole: Vec<(usize, &MailboxWrite)> = whole
        .into_iter()
        .map(|(place, _, write)| (place, write))
        .collect();
    let dated: Vec<(usize, DateId, &MailboxWrite)> = dated
        .into_iter()
        .filter_map(|(place, date, write)| Some((place, date?, write)))
        .collect();
    let mut outcomes: Vec<Option<Written>> = writes.iter().map(|_| None).collect();
    let mut done = writing::write(client, mailbox, kind, &whole, notify).await?;
    if !dated.is_empty() {
        let writer = Writer::new(client, mailbox, kind, notify);
        if let Some(writer) = writer {
            done.extend(of_series(&writer, client, mailbox, dated).await?);
        }
    }
    for (place, written) in done {
        if let Some(outcome) = outcomes.get_mut(place) {
            *outcome = Some(written);
        }
    }
    let lost = || {
        Err(MailboxError::Unintelligible {
            what: "an answer of another length than the request",
        })
    };
    Ok(outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(lost))
        .collect())
}

fn date_of(write: &MailboxWrite) -> Option<DateId> {
    match write {
        MailboxWrite::Create { .. } => None,
        MailboxWrite::Update { item, .. } => DateId::of(&item.id),
        MailboxWrite::Delete { item } => DateId::of(item),
    }
}

async fn of_series(
    writer: &Writer<'_>,
    client: &Client,
    mailbox: &MailboxRef,
    mut waiting: Vec<(usize, DateId, &MailboxWrite)>,
) -> Result<Vec<(usize, Written)>, MailboxError> {
    let home = match waiting.iter().any(|(_, _, write)| writing::needs_a_zone(write)) {
        true => home_zone::of(client, mailbox).await?,
        false => None,
    };
    let mut done = Vec::with_capacity(waiting.len());
    // The version of a series when we came. What we write ourselves moves it on.
    let mut versions: HashMap<ItemId, ItemVersion> = HashMap::new();
    while !waiting.is_empty() {
        let mut taken = HashSet::new();
        let (now, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|(_, date, _)| taken.insert(date.series.clone()));
        waiting = later;
        let ids: Vec<DateId> = now.iter().map(|(_, date, _)| date.clone()).collect();
        let mut located = dates::locate(client, mailbox, &ids).await?;
        let mut round = Vec::with_capacity(now.len());
        for (place, date, write) in now {
            match located.remove(&date).unwrap_or(Err(MailboxError::Gone)) {
                Err(error) => done.push((place, Err(error))),
                Ok(found) => {
                    let version = versions
                        .entry(date.series.clone())
                        .or_insert_with(|| found.item.item.version.clone());
                    if is_stale(write, version) {
                        done.push((place, Err(MailboxError::Conflict)));
                    } else {
                        round.push((place, date, under_its_own_name(write, found)));
                    }
                }
            }
        }
        done.extend(one_round(writer, home, &round).await?);
    }
    Ok(done)
}

fn is_stale(write: &MailboxWrite, version: &ItemVersion) -> bool {
    matches!(write, MailboxWrite::Update { item, .. } if !item.version.0.is_empty() && item.version != *version)
}

fn under_its_own_name(write: &MailboxWrite, found: Located) -> MailboxWrite {
    match write {
        MailboxWrite::Update { fields, record, .. } => MailboxWrite::Update {
            item: found.real,
            fields: *fields,
            record: record.clone(),
        },
        MailboxWrite::Delete { .. } | MailboxWrite::Create { .. } => {
            MailboxWrite::Delete { item: found.real.id }
        }
    }
}

async fn one_round(
    writer: &Writer<'_>,
    home: Option<Tz>,
    round: &[(usize, DateId, MailboxWrite)],
) -> Result<Vec<(usize, Written)>, MailboxError> {
    let mut plan = Plan::at_home(home);
    let mut done = Vec::with_capacity(round.len());
    for (place, _, write) in round {
        if let Err(error) = plan.add(*place, RecordKind::Calendar, write) {
            done.push((*place, Err(error)));
        }
    }
    let ours: HashMap<usize, &DateId> = round.iter().map(|(place, date, _)| (*place, date)).collect();
    for (place, written) in writer.carry_out(&plan).await? {
        let Some(date) = ours.get(&place) else { continue };
        // Which version the series has now only the series can tell.
        let version = ItemVersion(String::new());
        let written = written.map(|_| MailboxWritten {
            item: ItemRef {
                id: date.item(),
                version,
            },
        });
        done.push((place, written));
    }
    Ok(done)
}
