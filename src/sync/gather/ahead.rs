//! What lies beyond the window today and will come into it by itself, as the days go by.

use super::work::Work;
use crate::crm::model::CrmId;
use crate::mailbox::model::ItemId;
use crate::record::Record;
use crate::sync::keys::{item_key, record_key};
use crate::sync::model::{Change, Reason, Scope, Side};
use crate::sync::policy::Policy;
use crate::sync::store::ahead::Ahead;
use crate::sync::stream::Stream;
use chrono::{NaiveDate, TimeDelta};

/// The first whole day (UTC) on which the window holds what begins later than the window ends. `None` for what has no
/// time, and for days that no calendar has.
pub fn reached_on(record: &Record, policy: &Policy) -> Option<NaiveDate> {
    let Record::Event(event) = record else { return None };
    let (start, _) = event.when.span();
    let window = TimeDelta::days(policy.calendar.future_days.into());
    start.checked_sub_signed(window)?.date_naive().succ_opt()
}

/// Those of a page that lie beyond the window.
pub fn ahead(stream: &Stream, works: &[Work]) -> Vec<Ahead> {
    let mut found = Vec::new();
    for work in works {
        let (pair, item) = (&work.pair, work.item.as_ref());
        let day = day_of(stream, pair.mailbox.as_ref(), work.item_record.as_ref());
        found.extend(day.zip(item).map(|(look_at, item)| Ahead {
            side: Side::Mailbox,
            key: item_key(&item.id),
            item: Some(item.id.clone()),
            crm: None,
            look_at,
        }));
        let record = work.crm_record.as_ref();
        let day = day_of(stream, pair.crm.as_ref(), record.map(|record| &record.record));
        found.extend(day.zip(record).map(|(look_at, record)| Ahead {
            side: Side::Crm,
            key: record_key(&record.id),
            item: None,
            crm: Some(record.id.clone()),
            look_at,
        }));
    }
    found
}

fn day_of(stream: &Stream, change: Option<&Change>, record: Option<&Record>) -> Option<NaiveDate> {
    let Some(Change::Upserted(seen)) = change else {
        return None;
    };
    let (Scope::Out(Reason::Window) | Scope::Left(Reason::Window)) = seen.scope else {
        return None;
    };
    // What lies before the window was reached long ago.
    reached_on(record?, &stream.policy).filter(|day| *day > stream.now.date_naive())
}

/// The mailbox's items among those whose day has come.
pub(super) fn items_ahead(due: &[Ahead]) -> Vec<ItemId> {
    due.iter().filter_map(|one| one.item.clone()).collect()
}

/// The CRM's records among those whose day has come.
pub(super) fn records_ahead(due: &[Ahead]) -> Vec<CrmId> {
    due.iter().filter_map(|one| one.crm.clone()).collect()
}
