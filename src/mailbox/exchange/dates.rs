//! Series and their dates: `dates()`, and the reading of single dates.
//!
//! Exchange keeps a series as one item, the master, with its rule, the exceptions and the deletions; everything
//! else it computes, and so do we: one GetItem tells a whole series but for its exceptions, which are items
//! of their own. Its own names for a date do not last (a number shifts when the rule changes, an id changes
//! when the date becomes an exception), so a date is looked up through its master each time.
//!
//! The version of a date is the version of its master: exceptions live inside of it, and no date changes
//! without it.

use super::chosen_folders;
use super::client::Client;
use super::convert::definition;
use super::convert::series as rules;
use super::groups;
use super::home_zone;
use super::reading::{self, Read, Reader, is_the_items_fault};
use super::wire::get_item::{Extent, Name};
use super::wire::item::RawItem;
use super::wire::recurrence::RawSeries;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemId, ItemRef, MailboxItem, MailboxRef};
use crate::mailbox::series::{DateId, Series, Span};
use crate::record::Record;
use crate::record::event::{Event, Place, When};
use crate::record::kind::RecordKind;
use crate::record::recurrence::{Clock, Ends, Recurrence};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Masters in one request: each may bring a long list of exceptions.
const MASTERS: usize = 20;

/// A master with what it says of its dates.
struct Master {
    item: MailboxItem,
    rule: Recurrence,
    clock: Clock,
    /// True where its clock is none that we know: the server says when each date takes place.
    foreign: bool,
    /// Dates that were changed, by day, with the days on which they begin now.
    changed: BTreeMap<NaiveDate, (ItemId, NaiveDate)>,
    deleted: BTreeSet<NaiveDate>,
}

/// A date as Exchange has it now.
pub struct Located {
    /// Exchange's own name and version of it.
    pub real: ItemRef,
    /// The date under our name.
    pub item: MailboxItem,
}

/// See [`MailboxServer::read`](crate::mailbox::port::MailboxServer::read).
///
/// # Errors
/// Those of the port.
pub async fn read(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    items: &[ItemId],
) -> Result<Vec<Read>, MailboxError> {
    let dates: Vec<DateId> = items.iter().filter_map(DateId::of).collect();
    let names: Vec<Name> = items
        .iter()
        .filter(|item| DateId::of(item).is_none())
        .map(|item| Name::Item(item.clone()))
        .collect();
    let mut single = reading::read(client, mailbox, kind, &names).await?.into_iter();
    let mut located = locate(client, mailbox, &dates).await?;
    Ok(items
        .iter()
        .map(|item| match DateId::of(item) {
            Some(date) => located.remove(&date).map(|found| found.map(|found| found.item)),
            None => single.next(),
        })
        .map(|read| read.unwrap_or(Err(MailboxError::Gone)))
        .collect())
}

/// See [`MailboxServer::dates`](crate::mailbox::port::MailboxServer::dates).
///
/// # Errors
/// Those of the port.
pub async fn of_series(
    client: &Client,
    mailbox: &MailboxRef,
    series: &[ItemId],
    span: &Span,
) -> Result<Vec<Result<Series, MailboxError>>, MailboxError> {
    let mut all = Vec::with_capacity(series.len());
    for master in masters(client, mailbox, series).await? {
        all.push(match master {
            Ok(mut master) => match groups::fill(client, mailbox, &mut master.item).await? {
                Ok(()) => expand(client, mailbox, master, span).await?,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        });
    }
    Ok(all)
}

async fn expand(
    client: &Client,
    mailbox: &MailboxRef,
    master: Master,
    span: &Span,
) -> Result<Result<Series, MailboxError>, MailboxError> {
    let endless = master.rule.ends == Ends::Never;
    let to = if endless {
        span.to.min(span.endless_to)
    } else {
        span.to
    };
    let found = master.rule.days(span.from, to, span.most);
    let cut = found.next.is_some_and(|next| next <= to);
    let last = if cut {
        found.days.last().copied().unwrap_or(span.from)
    } else {
        to
    };
    let mut names: Vec<(NaiveDate, Name)> = master
        .changed
        .iter()
        .filter(|(day, (_, now))| [*day, now].iter().any(|day| (span.from..=last).contains(*day)))
        .take(span.most)
        .map(|(day, (item, _))| (*day, Name::Item(item.clone())))
        .collect();
    let mut days = Vec::with_capacity(found.days.len());
    for day in found.days {
        if master.deleted.contains(&day) || master.changed.contains_key(&day) {
            continue;
        }
        // Where the clocks skip or repeat the hour, the server says which instant it means.
        let doubtful = master.foreign || master.clock.is_doubtful(day);
        match doubtful.then(|| master.number(day)).flatten() {
            Some(name) => names.push((day, name)),
            None => days.push(day),
        }
    }
    let mut changed = BTreeMap::new();
    for (day, read) in read_dates(client, mailbox, &master, names).await? {
        match read {
            Ok(located) => {
                changed.insert(day, located.item);
            }
            // Deleted while we looked; the master's next change tells.
            Err(error) if error.class() == Class::Gone => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(Series {
        master: master.item,
        clock: master.clock,
        days,
        changed,
        deleted: master.deleted,
        known: (span.from, last),
        next: found.next,
        cut,
        endless,
    }))
}

/// Where these dates are now. One whose series, or which itself, does not exist any more is
/// [`MailboxError::Gone`].
///
/// # Errors
/// Those of the port.
pub async fn locate(
    client: &Client,
    mailbox: &MailboxRef,
    dates: &[DateId],
) -> Result<HashMap<DateId, Result<Located, MailboxError>>, MailboxError> {
    let mut by_series: BTreeMap<ItemId, Vec<NaiveDate>> = BTreeMap::new();
    for date in dates {
        by_series.entry(date.series.clone()).or_default().push(date.day);
    }
    let series: Vec<ItemId> = by_series.keys().cloned().collect();
    let mut located = HashMap::with_capacity(dates.len());
    for ((series, days), master) in by_series
        .into_iter()
        .zip(masters(client, mailbox, &series).await?)
    {
        let master = match master {
            Ok(master) => master,
            Err(error) => {
                // One reason stands for all of its dates; errors cannot be copied.
                let class = error.class();
                let mut error = Some(error);
                for day in days {
                    let again = || match class {
                        Class::Gone => MailboxError::Gone,
                        _ => MailboxError::Passing {
                            code: "SeriesUnreadable".to_owned(),
                        },
                    };
                    let error = error.take().unwrap_or_else(again);
                    let series = series.clone();
                    located.insert(DateId { series, day }, Err(error));
                }
                continue;
            }
        };
        let names = days
            .into_iter()
            .filter_map(|day| Some((day, master.name(day)?)))
            .collect();
        for (day, read) in read_dates(client, mailbox, &master, names).await? {
            let series = series.clone();
            located.insert(DateId { series, day }, read);
        }
    }
    Ok(located)
}

impl Master {
    /// Exchange's name of a date; none where it was deleted or the rule does not set it.
    fn name(&self, day: NaiveDate) -> Option<Name> {
        match self.changed.get(&day) {
            Some((item, _)) => Some(Name::Item(item.clone())),
            None if self.deleted.contains(&day) => None,
            None => self.number(day),
        }
    }

    fn number(&self, day: NaiveDate) -> Option<Name> {
        Some(Name::Nth {
            series: self.item.item.id.clone(),
            number: self.rule.number(day)?,
        })
    }
}

/// Reads dates by Exchange's names and gives them ours.
async fn read_dates(
    client: &Client,
    mailbox: &MailboxRef,
    master: &Master,
    names: Vec<(NaiveDate, Name)>,
) -> Result<Vec<(NaiveDate, Result<Located, MailboxError>)>, MailboxError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (days, names): (Vec<NaiveDate>, Vec<Name>) = names.into_iter().unzip();
    let read = reading::read(client, mailbox, RecordKind::Calendar, &names).await?;
    let under_our_name = |day: NaiveDate, mut item: MailboxItem| {
        if let Record::Event(event) = &mut item.record {
            // A number that counts differently from ours leads to another date, and that one is not ours
            // to touch.
            if matches!(event.place, Place::Dated(other) if other != day) {
                return Err(MailboxError::Refused {
                    code: "OccurrenceOfAnotherDay".to_owned(),
                });
            }
            event.place = Place::Dated(day);
            if event.zone.is_none()
                && let Record::Event(series) = &master.item.record
            {
                event.zone = series.zone;
            }
        }
        let id = DateId {
            series: master.item.item.id.clone(),
            day,
        };
        let ours = ItemRef {
            id: id.item(),
            version: master.item.item.version.clone(),
        };
        let real = std::mem::replace(&mut item.item, ours);
        item.stamp = None;
        item.folder.clone_from(&master.item.folder);
        Ok(Located { real, item })
    };
    Ok(days
        .into_iter()
        .zip(read)
        .map(|(day, read)| (day, read.and_then(|item| under_our_name(day, item))))
        .collect())
}

async fn masters(
    client: &Client,
    mailbox: &MailboxRef,
    series: &[ItemId],
) -> Result<Vec<Result<Master, MailboxError>>, MailboxError> {
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let home = home_zone::of(client, mailbox).await?;
    chosen_folders::known(client, mailbox, RecordKind::Calendar).await?;
    let reader = Reader {
        client,
        mailbox,
        kind: RecordKind::Calendar,
    };
    let names: Vec<Name> = series.iter().cloned().map(Name::Item).collect();
    let mut all = Vec::with_capacity(series.len());
    for batch in names.chunks(MASTERS) {
        match reader.request(batch, Extent::Series).await {
            Ok(answers) => {
                for answer in answers {
                    all.push(match answer {
                        Ok(raw) => master(&reader, raw, home),
                        Err(fault) => Err(fault.into()),
                    });
                }
            }
            // One that breaks its batch is asked for alone, and alone it is refused.
            Err(error) if is_the_items_fault(&error) => {
                for name in batch {
                    all.push(alone(&reader, name, home).await?);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

async fn alone(
    reader: &Reader<'_>,
    name: &Name,
    home: Option<Tz>,
) -> Result<Result<Master, MailboxError>, MailboxError> {
    match reader.request(std::slice::from_ref(name), Extent::Series).await {
        Ok(answers) => Ok(match answers.into_iter().next() {
            Some(Ok(raw)) => master(reader, raw, home),
            Some(Err(fault)) => Err(fault.into()),
            None => Err(MailboxError::Gone),
        }),
        Err(error) if is_the_items_fault(&error) => Ok(Err(MailboxError::Refused {
            code: "SeriesUnreadable".to_owned(),
        })),
        Err(error) => Err(error.into()),
    }
}

fn master(reader: &Reader<'_>, mut raw: RawItem, home: Option<Tz>) -> Result<Master, MailboxError> {
    if raw.appointment.item_type != "RecurringMaster" {
        // It became a single item; as a series it is gone.
        return Err(MailboxError::Gone);
    }
    let RawSeries {
        recurrence,
        changed,
        deleted,
    } = std::mem::take(&mut raw.appointment.series);
    let rule = recurrence.as_ref().and_then(rules::rule);
    let rule = rule.ok_or_else(|| MailboxError::Refused {
        code: "RecurrenceNotUnderstood".to_owned(),
    })?;
    let raw_zone = raw.appointment.zone.clone();
    raw.appointment.series.recurrence = recurrence;
    let item = reader.item(raw, Extent::Whole)?;
    let Record::Event(Event { when, zone, .. }) = &item.record else {
        return Err(MailboxError::Gone);
    };
    let all_day = matches!(when, When::AllDay { .. });
    let foreign = zone.is_none() && !all_day && definition::is_told(&raw_zone);
    let day = |original| {
        let foreign = foreign.then(|| definition::local_day(&raw_zone, original));
        foreign
            .flatten()
            .unwrap_or_else(|| rules::day_of(original, all_day, *zone, home))
    };
    let changed = changed
        .into_iter()
        .filter_map(|one| {
            let original = one.original?;
            let now = one.start.unwrap_or(original);
            Some((day(original), (one.item?.id, day(now))))
        })
        .collect();
    Ok(Master {
        clock: Clock::of(when, zone.or(home).unwrap_or(Tz::UTC)),
        deleted: deleted.into_iter().map(day).collect(),
        foreign,
        changed,
        rule,
        item,
    })
}
