//! What must hold of a world when it has come to rest.

use super::things::{KINDS, TITLE, Thing, title, values};
use super::world::{Ended, World};
use holdfast::record::Record;
use std::collections::BTreeMap;

/// Rounds of turns within which every world comes to rest.
const ROUNDS: usize = 12;

impl World {
    /// Lets the world come to rest: no faults any more, every wait over, turns until nothing is written.
    ///
    /// # Errors
    /// A turn that fails although nothing is wrong, or a world that never rests.
    pub async fn rest(&mut self, things: &mut [Thing]) -> Result<(), String> {
        self.restart();
        let mut still = 0;
        for _ in 0..ROUNDS {
            let mut busy = 0;
            for row in 0..self.rows.len() {
                for kind in KINDS {
                    self.wait();
                    match self.turn(row, kind, None, None).await {
                        Ended::By(Ok(counts)) => {
                            let done = counts.written() + counts.matched + counts.failed;
                            if done > 0 {
                                self.log.push(format!("at rest, {row}/{kind:?}: {counts:?}"));
                            }
                            busy += done;
                        }
                        Ended::By(Err(error)) => return Err(format!("at rest, {row}/{kind:?}: {error:?}")),
                        Ended::Died(stop) => return Err(format!("at rest, died at {stop}")),
                    }
                }
            }
            still = if busy == 0 { still + 1 } else { 0 };
            if still == 2 {
                let conflict = self.conflict;
                things.iter_mut().for_each(|thing| thing.in_step(conflict));
                return Ok(());
            }
        }
        Err("the world does not come to rest".to_owned())
    }

    /// Nothing lost, nothing twice, the same on both sides, nobody disturbed, and every pair linked once.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn judge(&self, things: &[Thing]) -> Result<(), String> {
        let disturbed = self.disturbed();
        if !disturbed.is_empty() {
            return Err(format!("somebody noticed: {disturbed:?}"));
        }
        for row in 0..self.rows.len() {
            for kind in KINDS {
                let items = self.office.items(&self.rows[row], kind).await;
                let records = self.office.records(&self.rows[row], kind).await;
                let sizes = (items.len() as i64, records.len() as i64);
                let items = by_title(items.iter().map(|item| &item.record))?;
                let records = by_title(records.iter().map(|record| &record.record))?;
                let here = things
                    .iter()
                    .filter(|thing| thing.row == row && thing.kind == kind);
                for thing in here {
                    self.judge_thing(thing, items.get(&thing.title), records.get(&thing.title))?;
                }
                let (failed, linked) = self.standing(row, kind).await;
                if failed != 0 || sizes != (linked, linked) {
                    return Err(format!(
                        "{row}/{kind:?}: {sizes:?} items and records, {linked} links, {failed} failures"
                    ));
                }
            }
        }
        Ok(())
    }

    fn judge_thing(
        &self,
        thing: &Thing,
        item: Option<&[String; 2]>,
        record: Option<&[String; 2]>,
    ) -> Result<(), String> {
        let name = &thing.title;
        let (item, record) = match (item, record) {
            (Some(item), Some(record)) => (item, record),
            (None, None) if thing.due() != Some(true) => return Ok(()),
            (item, record) => {
                return Err(format!(
                    "{name}: in the mailbox {}, in the CRM {}; due {:?}",
                    item.is_some(),
                    record.is_some(),
                    thing.due()
                ));
            }
        };
        if thing.due() == Some(false) {
            return Err(format!("{name}: was removed and is there again"));
        }
        for slot in 0..2 {
            let (mailbox, crm) = (&item[slot], &record[slot]);
            if mailbox != crm || !thing.allows(slot, mailbox) {
                return Err(format!(
                    "{name}: slot {slot} is {mailbox:?} in the mailbox and {crm:?} in the CRM, due {:?}",
                    thing.allowed(slot)
                ));
            }
        }
        Ok(())
    }
}

/// The things among these records; what the lab's own people had before is not looked at one by one.
fn by_title<'a>(records: impl Iterator<Item = &'a Record>) -> Result<BTreeMap<String, [String; 2]>, String> {
    let mut all = BTreeMap::new();
    for record in records.filter(|record| title(record).starts_with(TITLE)) {
        if all.insert(title(record).to_owned(), values(record)).is_some() {
            return Err(format!("{}: is there twice", title(record)));
        }
    }
    Ok(all)
}
