//! The links of a stream by what an item of theirs is known by whatever its id: for feeds that are read from their start.

use super::model::{ItemKey, Link};
use crate::mailbox::model::Stamp;
use crate::mailbox::series::DateId;
use crate::record::field::FieldSet;
use crate::sync::fingerprint::Prints;
use std::collections::HashMap;

/// Links that one item is compared with: of more that are the same in everything any is as good as another.
const CANDIDATES: usize = 50;

/// The links of a stream by what an item of theirs is known by.
#[derive(Default)]
pub struct Anchors {
    by_stamp: HashMap<Stamp, ItemKey>,
    by_prints: HashMap<Vec<u8>, Vec<ItemKey>>,
}

impl Anchors {
    /// Adds a link; `stamp` is what the item of its record would bear if we had made it.
    pub fn add(&mut self, link: &Link, stamp: Stamp) {
        // A date of a series is found again by its series' identity, which outlives any id.
        if link.item.as_ref().is_none_or(|item| DateId::of(item).is_some()) {
            return;
        }
        self.by_stamp.insert(stamp, link.key);
        let base = compared(&link.base);
        if base.fields() != FieldSet::NONE {
            let alike = self.by_prints.entry(base.to_bytes()).or_default();
            alike.push(link.key);
        }
    }

    /// True where there is nothing to find anything by.
    pub fn is_empty(&self) -> bool {
        self.by_stamp.is_empty()
    }

    /// Links that may be those of an item with this stamp and these fingerprints.
    pub fn candidates(&self, stamp: Option<&Stamp>, prints: &Prints) -> Vec<ItemKey> {
        let stamp = stamp.filter(|stamp| !stamp.0.is_empty());
        if let Some(key) = stamp.and_then(|stamp| self.by_stamp.get(stamp)) {
            return vec![*key];
        }
        let alike = self
            .by_prints
            .get(&compared(prints).to_bytes())
            .into_iter()
            .flatten();
        alike.take(CANDIDATES).copied().collect()
    }
}

/// What goes one way is none of what both sides say alike.
fn compared(prints: &Prints) -> Prints {
    prints.without(FieldSet::ONE_WAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::model::CrmId;
    use crate::mailbox::model::ItemId;
    use crate::record::field::Field;

    fn link(key: i64, item: &str, title: u8) -> Link {
        Link {
            key: ItemKey(key),
            version: 0,
            item: Some(ItemId(item.to_owned())),
            crm: CrmId(format!("record of {item}")),
            item_modified: None,
            crm_modified: None,
            base: Prints::from_pairs([(Field::Subject, [title; 6])]),
            fixed: false,
        }
    }

    #[test]
    fn a_stamp_is_surer_than_what_an_item_says_and_dates_of_series_are_not_looked_for() {
        let mut anchors = Anchors::default();
        let stamp = |name: &str| Stamp(name.to_owned());
        anchors.add(&link(1, "one", 7), stamp("a"));
        anchors.add(&link(2, "two", 7), stamp("b"));
        anchors.add(&link(3, "@20260101:three", 8), stamp("c"));
        let says = |title| Prints::from_pairs([(Field::Subject, [title; 6])]);
        assert_eq!(anchors.candidates(Some(&stamp("b")), &says(9)), [ItemKey(2)]);
        assert_eq!(anchors.candidates(None, &says(7)), [ItemKey(1), ItemKey(2)]);
        assert_eq!(anchors.candidates(Some(&stamp("")), &says(8)), []);
    }
}
