//! From a series to pairs: each date within the policy's window is a pair of its own, and from there on like
//! any other. What the series says of all of its dates is said once.

use super::counterparts::{look_alikes, made_by_us};
use super::left::{left_alone, with_records};
use super::mailbox::{gone, linked_work, unlinked_work};
use super::pending::Pending;
use super::read::links_of;
use super::work::{ChangedSeries, EndedSeries, Gathered, SeriesNews};
use crate::crm::model::CrmRecord;
use crate::foundation::db::Db;
use crate::mailbox::model::{ItemId, MailboxItem};
use crate::mailbox::series::{Series, Span};
use crate::record::Record;
use crate::record::event::Place;
use crate::record::recurrence;
use crate::sync::error::SyncError;
use crate::sync::keys::{item_key, version};
use crate::sync::model::{ItemKey, Link, Reason, Scope, Side};
use crate::sync::policy::OutOfScope;
use crate::sync::rules::Ruling;
use crate::sync::store::series::SeriesRow;
use crate::sync::stream::{LookedItem, Stream};
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeSet, HashMap};

/// Dates planned together.
const DATES: usize = 200;

/// The days that the policy asks for.
pub fn span(stream: &Stream) -> Span {
    let policy = &stream.policy.calendar;
    let today = stream.now.date_naive();
    Span {
        from: today - TimeDelta::days(policy.past_days.into()),
        // The last day is left for tomorrow: a part of it is beyond the window yet.
        to: today + TimeDelta::days(i64::from(policy.future_days) - 1),
        endless_to: today + TimeDelta::days(policy.series.endless_days.into()),
        most: usize::try_from(policy.series.most).unwrap_or(usize::MAX).max(1),
    }
}

/// The first day on which a series has further dates within reach.
fn look_again(series: &Series, span: &Span, today: NaiveDate) -> Option<NaiveDate> {
    let next = series.next?;
    if series.cut {
        return Some(today + TimeDelta::days(1));
    }
    let reach = match series.endless {
        true => span.to.min(span.endless_to),
        false => span.to,
    };
    Some((next - (reach - today)).max(today + TimeDelta::days(1)))
}

/// A series on its way through the plan, some hundred dates at a time.
pub struct Expansion {
    series: Series,
    before: Option<SeriesRow>,
    was_single: Option<Link>,
    fresh: bool,
    today: NaiveDate,
    waiting: Vec<NaiveDate>,
    judged: BTreeSet<NaiveDate>,
    finished: bool,
    /// Why all of its dates stay away, where the series itself is the reason.
    kept_out: Option<Reason>,
    span: Span,
}

impl Expansion {
    /// Begins with a series whose dates were asked for over `span`.
    pub fn new(stream: &Stream, series: Series, news: ChangedSeries, span: Span) -> Self {
        let now = version(&series.master.item.version);
        let days = series.days();
        Self {
            fresh: news.forced || news.row.as_ref().is_none_or(|row| row.version != now || now == 0),
            kept_out: kept_out(stream, &series.master),
            today: stream.now.date_naive(),
            judged: news.row.as_ref().map(|row| row.days.clone()).unwrap_or_default(),
            waiting: days.into_iter().rev().collect(),
            before: news.row,
            was_single: news.was_single,
            finished: false,
            series,
            span,
        }
    }

    /// The series.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// The next dates; `None` after the last ones. What is remembered of the series moves with them.
    ///
    /// # Errors
    /// Those of the database and the CRM.
    pub async fn next(
        &mut self,
        db: &Db,
        stream: &mut Stream,
        pending: &mut Pending,
    ) -> Result<Option<Gathered>, SyncError> {
        if self.finished {
            return Ok(None);
        }
        let rest = self.waiting.len().saturating_sub(DATES);
        let days: Vec<NaiveDate> = self.waiting.split_off(rest).into_iter().rev().collect();
        let items: Vec<MailboxItem> = days.iter().map(|day| self.series.date(*day)).collect();
        let records: Vec<&Record> = items.iter().map(|item| &item.record).collect();
        stream.ask_about(&records).await?;
        let keys = items.iter().map(|item| item_key(&item.item.id)).collect();
        let mut known = links_of(db, stream, keys).await?;
        let mut gathered = Gathered::default();
        let looked: Vec<LookedItem> = items.into_iter().map(|item| stream.look_at_item(item)).collect();
        let mut found = self
            .counterparts(db, stream, &days, &looked, &known, pending)
            .await?;
        for (day, looked) in days.iter().zip(looked) {
            let found = found.remove(&item_key(&looked.item.id));
            self.one(*day, looked, found, &mut known, stream, pending, &mut gathered);
        }
        if self.waiting.is_empty() {
            self.finish(db, stream, pending, &mut gathered).await?;
        } else if let Some(row) = self.row(0, Some(self.today)) {
            gathered.rows.put.push(row);
        }
        with_records(stream, &mut gathered.works).await?;
        Ok(Some(gathered))
    }

    /// The events of dates that are not linked: made by us before a crash, or there before us and like dates that nobody
    /// judged yet.
    async fn counterparts(
        &self,
        db: &Db,
        stream: &Stream,
        days: &[NaiveDate],
        looked: &[LookedItem],
        known: &HashMap<ItemKey, Link>,
        pending: &mut Pending,
    ) -> Result<HashMap<ItemKey, CrmRecord>, SyncError> {
        let first = self.was_single.is_some().then(|| self.series.first_day());
        let unlinked = |day: &NaiveDate, looked: &LookedItem| {
            first != Some(*day) && !known.contains_key(&item_key(&looked.item.id))
        };
        let dates: Vec<(&NaiveDate, &LookedItem)> = days
            .iter()
            .zip(looked)
            .filter(|(day, looked)| unlinked(day, looked))
            .collect();
        let open = dates
            .iter()
            .filter(|(day, _)| self.fresh || !self.judged.contains(day))
            .map(|(_, looked)| *looked);
        let mut found = made_by_us(db, stream, open, pending).await?;
        let fresh: Vec<&LookedItem> = dates
            .iter()
            .filter(|(day, looked)| {
                !self.judged.contains(day) && !found.contains_key(&item_key(&looked.item.id))
            })
            .map(|(_, looked)| *looked)
            .collect();
        look_alikes(db, stream, &fresh, pending, &mut found).await?;
        Ok(found)
    }

    #[expect(clippy::too_many_arguments, reason = "a date, and what each side knows of it")]
    fn one(
        &mut self,
        day: NaiveDate,
        looked: LookedItem,
        counterpart: Option<CrmRecord>,
        known: &mut HashMap<ItemKey, Link>,
        stream: &Stream,
        pending: &mut Pending,
        gathered: &mut Gathered,
    ) {
        let key = item_key(&looked.item.id);
        gathered.met.push(key);
        gathered.note(&looked);
        let link = known.remove(&key).or_else(|| {
            let first = self.series.first_day() == day;
            self.was_single.take_if(|_| first)
        });
        let seen_before = self.judged.contains(&day);
        match link {
            Some(link) => {
                let in_step = link.key == key
                    && looked.seen.scope == Scope::In
                    && link.base.differing(&looked.seen.prints).is_empty()
                    && !pending.has(&link.crm);
                self.judged.insert(day);
                match in_step {
                    true => gathered.settled.push((Side::Mailbox, key)),
                    false => gathered.works.push(linked_work(stream, looked, link, pending)),
                }
            }
            // Judged at this very version of the series: its fate is known (kept, failed, let go).
            None if seen_before && !self.fresh => {}
            None => match looked.seen.scope.reason() {
                Some(Reason::Window) => {
                    self.judged.remove(&day);
                }
                Some(reason) if Some(reason) == self.kept_out => {
                    self.judged.insert(day);
                    gathered.settled.push((Side::Mailbox, key));
                }
                _ => {
                    self.judged.insert(day);
                    gathered.works.push(unlinked_work(stream, looked, counterpart));
                }
            },
        }
    }

    /// Dates that are gone, and the series as a whole.
    async fn finish(
        &mut self,
        db: &Db,
        stream: &Stream,
        pending: &mut Pending,
        gathered: &mut Gathered,
    ) -> Result<(), SyncError> {
        self.finished = true;
        let now = self.series.days();
        let (from, to) = self.series.known;
        let mut gone_days = recurrence::gone(&self.judged, &now, from, to);
        gone_days.extend(self.series.deleted.intersection(&self.judged));
        self.left_behind(db, stream, pending, gathered).await?;
        let series = self.series.master.item.id.clone();
        let ids: Vec<ItemId> = gone_days.iter().map(|day| self.series.date_id(*day)).collect();
        let mut known = links_of(db, stream, ids.iter().map(item_key).collect()).await?;
        for (day, id) in gone_days.iter().zip(&ids) {
            gone(id, &mut known, pending, stream, gathered);
            gathered.met.push(item_key(id));
            self.judged.remove(day);
        }
        let key = item_key(&series);
        if let Some(link) = self.was_single.take() {
            let mut known = HashMap::from([(key, link)]);
            gone(&series, &mut known, pending, stream, gathered);
        }
        let skip = match self.kept_out {
            Some(reason) => Some(reason),
            None if now.is_empty() => Some(Reason::Window),
            None => self.series.cut.then_some(Reason::SeriesCap),
        };
        gathered.settled.push((Side::Mailbox, key));
        gathered.skipped.extend(skip.map(|reason| (series, reason)));
        let again = look_again(&self.series, &self.span, self.today);
        match self.row(version(&self.series.master.item.version), again) {
            Some(row) => gathered.rows.put.push(row),
            None if self.before.is_some() => gathered.rows.forgotten.push(key),
            None => {}
        }
        Ok(())
    }

    /// Dates that a narrower window leaves behind: the series is not asked for them any more.
    async fn left_behind(
        &mut self,
        db: &Db,
        stream: &Stream,
        pending: &mut Pending,
        gathered: &mut Gathered,
    ) -> Result<(), SyncError> {
        let Some(before) = &stream.before else {
            return Ok(());
        };
        let from = self.today - TimeDelta::days(before.calendar.past_days.into());
        let reach = match self.series.endless {
            true => self.span.to.min(self.span.endless_to),
            false => self.span.to,
        };
        let now = self.series.days();
        // A date that the window went past did not leave, and a part of the day behind its end is within it.
        let left =
            |day: &NaiveDate| *day > reach + TimeDelta::days(1) || (from <= *day && *day < self.span.from);
        let days: Vec<NaiveDate> = self
            .judged
            .iter()
            .copied()
            .filter(|day| left(day) && !now.contains(day))
            .collect();
        let ids: Vec<ItemId> = days.iter().map(|day| self.series.date_id(*day)).collect();
        left_alone(db, stream, ids, Reason::Window, pending, gathered).await?;
        if stream.common.out_of_scope != OutOfScope::Keep {
            self.judged.retain(|day| !days.contains(day));
        }
        Ok(())
    }

    /// What to remember; nothing of a series that has no dates here and will have none.
    fn row(&self, version: i64, look_again: Option<NaiveDate>) -> Option<SeriesRow> {
        (!self.judged.is_empty() || look_again.is_some()).then(|| SeriesRow {
            item: self.series.master.item.id.clone(),
            version,
            days: self.judged.clone(),
            look_again,
        })
    }
}

/// What the rules say of a series itself, when its dates take place apart.
pub fn rulings(stream: &Stream, master: &MailboxItem) -> Vec<Ruling> {
    let mut record = master.record.clone();
    if let Record::Event(event) = &mut record {
        event.place = Place::Dated(NaiveDate::default());
    }
    let mut rulings = stream.rulings_of(master, &record);
    rulings.retain(|ruling| ruling.out != Some(Reason::Window));
    rulings
}

fn kept_out(stream: &Stream, master: &MailboxItem) -> Option<Reason> {
    rulings(stream, master).into_iter().find_map(|ruling| ruling.out)
}

/// The dates of a series that is none any more.
///
/// # Errors
/// Those of the database.
pub async fn ended(
    db: &Db,
    stream: &Stream,
    ended: EndedSeries,
    pending: &mut Pending,
) -> Result<Gathered, SyncError> {
    let EndedSeries { row, kept } = ended;
    let ids: Vec<ItemId> = row
        .days
        .iter()
        .filter(|day| Some(**day) != kept)
        .map(|day| row.date(*day))
        .collect();
    let mut gathered = Gathered::default();
    let mut known = links_of(db, stream, ids.iter().map(item_key).collect()).await?;
    for id in &ids {
        gone(id, &mut known, pending, stream, &mut gathered);
        gathered.met.push(item_key(id));
    }
    gathered.rows.forgotten.push(row.key());
    Ok(gathered)
}

/// Series of which further dates have come within reach.
///
/// # Errors
/// Those of the database.
pub async fn due_series(db: &Db, stream: &Stream) -> Result<SeriesNews, SyncError> {
    /// More than a mailbox has; what is beyond comes with the next turn.
    const MOST: i64 = 1_000;
    let (id, today) = (stream.id, stream.now.date_naive());
    let rows = db
        .run_for(id.mailbox, move |conn| {
            crate::sync::store::series::due(conn, id, today, MOST)
        })
        .await?;
    let changed = rows.into_iter().map(|row| ChangedSeries {
        item: row.item.clone(),
        row: Some(row),
        was_single: None,
        forced: false,
    });
    Ok(SeriesNews {
        changed: changed.collect(),
        ended: Vec::new(),
    })
}
