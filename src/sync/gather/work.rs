//! Both sides of one item, and what a page of them is.

use crate::attachments::model::{Errand, Transfer};
use crate::crm::model::{CrmId, CrmRecord};
use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemId, ItemRef};
use crate::record::Record;
use crate::sync::choice::model::Candidates;
use crate::sync::keys::{item_key, record_key};
use crate::sync::model::{Change, ItemKey, Link, Pair, Reason, Side};
use crate::sync::store::notes::Noted;
use crate::sync::store::series::{SeriesChange, SeriesRow};
use crate::sync::stream::LookedItem;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};

/// Both sides of one item, with what is needed to write them.
pub struct Work {
    /// For the plan.
    pub pair: Pair,
    /// What is remembered.
    pub link: Option<Link>,
    /// The mailbox's item.
    pub item: Option<ItemRef>,
    /// Its record, in common form.
    pub item_record: Option<Record>,
    /// The CRM's record.
    pub crm: Option<CrmId>,
    /// What it says, in common form.
    pub crm_record: Option<CrmRecord>,
    /// Where the news came from.
    pub origin: Side,
    /// The side whose copy we made, where we crashed before we could remember it.
    pub ours: Option<Side>,
}

impl Work {
    /// The shortened id of the side that the news came from.
    pub fn key(&self) -> ItemKey {
        match (self.origin, &self.item, &self.crm) {
            (Side::Mailbox, Some(item), _) => item_key(&item.id),
            (_, _, Some(crm)) => record_key(crm),
            (_, Some(item), None) => item_key(&item.id),
            (_, None, None) => self.link.as_ref().map_or(ItemKey(0), |link| link.key),
        }
    }

    /// The shortened ids of both sides, as far as they are known.
    pub fn keys(&self) -> impl Iterator<Item = (Side, ItemKey)> {
        let item = self.item.as_ref().map(|item| (Side::Mailbox, item_key(&item.id)));
        let record = self.crm.as_ref().map(|crm| (Side::Crm, record_key(crm)));
        item.into_iter().chain(record)
    }
}

/// Marks changes that an earlier turn saw already.
pub fn mark_earlier(works: &mut [Work], earlier: &HashSet<(Side, ItemKey)>) {
    if earlier.is_empty() {
        return;
    }
    for work in works {
        let keys: Vec<_> = work.keys().filter(|key| earlier.contains(key)).collect();
        for (side, _) in keys {
            let change = match side {
                Side::Mailbox => &mut work.pair.mailbox,
                Side::Crm => &mut work.pair.crm,
            };
            if let Some(Change::Upserted(seen)) = change {
                seen.earlier = true;
            }
        }
    }
}

/// What a page of the mailbox said of series.
#[derive(Default)]
pub struct SeriesNews {
    /// New or changed ones.
    pub changed: Vec<ChangedSeries>,
    /// Those that are none any more.
    pub ended: Vec<EndedSeries>,
}

/// A series to be looked at.
pub struct ChangedSeries {
    /// Which.
    pub item: ItemId,
    /// What is remembered of it.
    pub row: Option<SeriesRow>,
    /// The link of the single meeting that it was before.
    pub was_single: Option<Link>,
    /// Judge every date anew, whatever the version says.
    pub forced: bool,
}

/// A series that was deleted, or that became a single meeting.
pub struct EndedSeries {
    /// What is remembered of it.
    pub row: SeriesRow,
    /// The day whose link the single meeting took over.
    pub kept: Option<NaiveDate>,
}

/// What gathering a page found.
#[derive(Default)]
pub struct Gathered {
    /// Pairs to plan.
    pub works: Vec<Work>,
    /// Items that could not be read, with code and class.
    pub unreadable: Vec<(ItemId, &'static str, Class)>,
    /// Items that are nothing to us any more.
    pub settled: Vec<(Side, ItemKey)>,
    /// Items for whose attachments something is to be done, once they are linked.
    pub errands: Vec<(ItemId, Errand)>,
    /// Series that are left alone as a whole.
    pub skipped: Vec<(ItemId, Reason)>,
    /// Dates of series that were looked at.
    pub met: Vec<ItemKey>,
    /// What to remember of series.
    pub rows: SeriesChange,
    /// What is to be said of items that were looked at.
    pub noted: Noted,
    /// Series that were seen, and that are to be looked at date by date.
    pub series: SeriesNews,
    /// What items may be the same as, where only a person can say.
    pub candidates: HashMap<ItemKey, Candidates>,
}

impl Gathered {
    /// Takes down what is to be said of an item.
    pub fn note(&mut self, item: &LookedItem) {
        // Nothing is ever said of anything but meetings.
        if !matches!(item.record, Record::Event(_)) {
            return;
        }
        let key = item_key(&item.item.id);
        self.noted.looked.push(key);
        let notes = item.notes.iter();
        self.noted
            .notes
            .extend(notes.map(|(note, count)| (key, *note, *count)));
    }
}

/// The transfers of a page: its items with attachments, as far as they are linked now.
pub fn transfers(errands: &[(ItemId, Errand)], links: &[Link]) -> Vec<Transfer> {
    let by_key: HashMap<ItemKey, &Link> = links.iter().map(|link| (link.key, link)).collect();
    let transfer = |(item, errand): &(ItemId, Errand)| {
        let key = item_key(item);
        let link = by_key.get(&key)?;
        Some(Transfer {
            item_key: key.0,
            item: item.0.clone(),
            record: link.crm.0.clone(),
            errand: *errand,
        })
    };
    errands.iter().filter_map(transfer).collect()
}
