//! What must hold of a world when it has come to rest.

use super::people::{answer, values};
use super::standing::Standing;
use super::things::{Due, KINDS, TITLE, Thing};
use super::world::{Ended, Place, Rest, World};
use crate::harness::acts::granted;
use crate::harness::office::subject;
use holdfast::access::permission::ManageMailboxes;
use holdfast::record::Record;
use holdfast::record::event::{Place as PlaceOf, Response};
use holdfast::record::kind::RecordKind;
use holdfast::sync::guard::control;
use holdfast::sync::guard::store::Choice;
use holdfast::sync::model::Side;
use holdfast::sync::policy::PrivateItems;
use holdfast::sync::report::Counts;
use holdfast::sync::store::totals;
use holdfast_lab::faults::Side as LabSide;
use holdfast_lab::ledger::Noticed;
use std::collections::BTreeMap;

/// Rounds of turns within which every world comes to rest.
const ROUNDS: usize = 12;

impl World {
    /// What follows from a turn that went well: both sides are in step. One that had nothing to do must not
    /// have done anything.
    pub async fn went_well(&mut self, place: Place, counts: &Counts) {
        let done = counts.written() + counts.matched + counts.attachments_stored;
        let way = self.way(place);
        // One way, a copy that was removed may come again with its original, sooner or later.
        if done > 0 && way.source.is_none() && self.resting.contains_key(&place) {
            self.wrong.push(format!("an echo in {place:?}: {counts:?}"));
        }
        let (row, kind) = place;
        let rest = if done == 0 { Rest::Still } else { Rest::Written };
        self.resting.insert(place, rest);
        for which in self.things_of(row, kind) {
            self.things[which].in_step(way);
        }
        if kind == RecordKind::Mail {
            self.mails.iter_mut().for_each(|mail| mail.in_step(row));
        }
    }

    /// What follows from a turn that broke off, or during which people were at work.
    pub fn troubled(&mut self, (row, kind): Place) {
        self.resting.remove(&(row, kind));
        for which in self.things_of(row, kind) {
            self.things[which].troubled();
        }
    }

    /// Lets the world come to rest: no faults any more, every wait over, turns until nothing is written.
    ///
    /// # Errors
    /// A turn that fails although nothing is wrong, or a world that never rests.
    pub async fn rest(&mut self) -> Result<(), String> {
        let rows = 0..self.rows.len();
        let places: Vec<Place> = rows
            .flat_map(|row| RecordKind::ALL.map(|kind| (row, kind)))
            .collect();
        self.rest_of(&places).await
    }

    /// The same of these streams, where nothing is in the others.
    ///
    /// # Errors
    /// As above.
    pub async fn rest_of(&mut self, places: &[Place]) -> Result<(), String> {
        (0..2).for_each(|node| self.restart(node));
        self.go_on_to_rest(places).await
    }

    /// The same by processes that know what they knew.
    ///
    /// # Errors
    /// As above.
    pub async fn go_on_to_rest(&mut self, places: &[Place]) -> Result<(), String> {
        for _ in 0..ROUNDS {
            let open: Vec<Place> = places
                .iter()
                .filter(|place| self.resting.get(place) != Some(&Rest::Still))
                .copied()
                .collect();
            if open.is_empty() {
                return match self.wrong.first() {
                    Some(what) => Err(what.clone()),
                    None => Ok(()),
                };
            }
            for place in open {
                self.rest_one(place).await?;
            }
        }
        Err("the world does not come to rest".to_owned())
    }

    async fn rest_one(&mut self, place: Place) -> Result<(), String> {
        self.wait();
        match self.turn(0, place, None, None).await {
            Ended::By(Ok(counts)) => {
                let done = counts.written() + counts.matched + counts.failed;
                if done > 0 {
                    self.note(format!("at rest, {place:?}: {counts:?}"));
                }
                let answered = self.person_approves(place).await;
                let all = counts.failed == 0 && !counts.attachments_wait && answered == 0;
                if all && self.failures(place) == 0 {
                    self.went_well(place, &counts).await;
                }
                Ok(())
            }
            Ended::By(Err(error)) => Err(format!("at rest, {place:?}: {error:?}")),
            Ended::Died(stop) => Err(format!("at rest, died at {stop}")),
        }
    }

    /// A person looks at the deletions that wait in a mailbox, and approves them: people in these worlds mean what they
    /// do. A mailbox whose cursor is lost after most of it was removed looks like another mailbox.
    pub async fn person_approves(&mut self, (row, _): Place) -> usize {
        if !self.is_held(row) {
            return 0;
        }
        let engine = self.awake();
        let (id, may, all) = (
            self.rows[row].mailbox.id,
            granted(ManageMailboxes),
            Choice::default(),
        );
        let approved = control::approve(&engine.db, &engine.clock, &may, id, all)
            .await
            .unwrap();
        if approved > 0 {
            self.note(format!("{approved} deletions of {row} waited and are approved"));
        }
        approved
    }

    /// Failures that wait for another try in a stream, and its links.
    pub async fn standing(&self, (row, kind): Place) -> (i64, i64) {
        let engine = self.awake();
        let (mailbox, now) = (&self.rows[row].mailbox.address, engine.clock.now());
        let all = engine
            .db
            .run(move |conn| totals::streams(conn, now))
            .await
            .unwrap();
        let row = all
            .iter()
            .find(|row| row.mailbox == *mailbox && row.kind == kind)
            .unwrap();
        (row.failed, row.linked)
    }

    /// What people would have noticed and nobody meant: mail that went out, writes over something unseen.
    pub fn disturbed(&self) -> Vec<Noticed> {
        let entries = self.office.lab.parts.ledger.entries();
        entries
            .into_iter()
            .filter(|entry| match entry {
                Noticed::Invitation { .. }
                | Noticed::Cancellation { .. }
                | Noticed::Response { .. }
                | Noticed::Mail { .. } => true,
                Noticed::LostUpdate { side, .. } | Noticed::Duplicate { side, .. } => {
                    *side == LabSide::Exchange
                }
                Noticed::Deleted { .. } => false,
            })
            .collect()
    }

    /// Nothing lost, nothing twice, the same on both sides, nobody disturbed, every pair linked once, and no
    /// word of anybody's in the database.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn judge(&self) -> Result<(), String> {
        let rows = 0..self.rows.len();
        let places: Vec<Place> = rows
            .flat_map(|row| RecordKind::ALL.map(|kind| (row, kind)))
            .collect();
        self.judge_of(&places).await
    }

    /// The same of these streams.
    ///
    /// # Errors
    /// As above.
    pub async fn judge_of(&self, places: &[Place]) -> Result<(), String> {
        let disturbed = self.disturbed();
        if !disturbed.is_empty() {
            return Err(format!("somebody noticed: {disturbed:?}"));
        }
        let told = self.office.pages.told().await;
        if told > 0 {
            return Err(format!("the CRM told somebody, {told} times"));
        }
        for place in places.iter().filter(|(_, kind)| KINDS.contains(kind)) {
            self.judge_stream(*place).await?;
        }
        self.judge_mails().await?;
        self.no_content_at_rest()
    }

    pub(super) async fn judge_stream(&self, place: Place) -> Result<(), String> {
        let (row, kind) = place;
        let items = self.office.items(&self.rows[row], kind).await;
        let records = self.office.records(&self.rows[row], kind).await;
        let here = by_title(items.iter().map(|item| &item.record))?;
        let there = by_title(records.iter().map(|record| &record.record))?;
        let mut met = Met::default();
        for which in self.things_of(row, kind) {
            let thing = &self.things[which];
            let (item, record) = (here.get(&thing.title), there.get(&thing.title));
            self.judge_thing(thing, item, record)?;
            if item.is_some() && record.is_some() {
                let item = items.iter().find(|item| subject(&item.record) == thing.title);
                let record = records
                    .iter()
                    .find(|record| subject(&record.record) == thing.title);
                let both = item
                    .zip(record)
                    .map(|(item, record)| (&item.record, &record.record));
                self.judge_answer(thing, both)?;
            }
            self.judge_papers(thing, item.is_some(), record.is_some()).await?;
            met.add(thing, item.is_some(), record.is_some());
        }
        let mut dates = 0;
        for series in self
            .series
            .iter()
            .filter(|series| (series.row, RecordKind::Calendar) == place)
        {
            dates += self.judge_series(series).await?;
        }
        let (failed, linked) = self.standing(place).await;
        let singles = items.iter().filter(|item| !is_series(&item.record)).count();
        let kept_back = match self.policies[row].calendar.private {
            PrivateItems::Skip => met.hidden,
            PrivateItems::Mask | PrivateItems::Full => 0,
        };
        let pairs = (singles + dates - kept_back - met.only_here - met.apart) as i64;
        let (open, both) = (met.open as i64, self.way(place).source.is_none());
        let records_due = pairs + (met.apart + met.only_there) as i64;
        if failed != 0
            || both && (records.len() as i64 != records_due || !(pairs - open..=pairs).contains(&linked))
        {
            return Err(format!(
                "{place:?}: {singles} items, {dates} dates of series, {kept_back} kept back, {} records, \
                 {linked} links, {failed} failures; {met:?}",
                records.len()
            ));
        }
        Ok(())
    }

    fn judge_thing(
        &self,
        thing: &Thing,
        item: Option<&[String; 2]>,
        record: Option<&[String; 2]>,
    ) -> Result<(), String> {
        let (name, way) = (&thing.title, self.way((thing.row, thing.kind)));
        for (side, found) in [(Side::Mailbox, item), (Side::Crm, record)] {
            let due = thing.due(side, way);
            if due != Due::Either && found.is_some() != (due == Due::There) {
                let is = if found.is_some() { "is" } else { "is not" };
                return Err(format!("{name}: {is} in the {}, {thing:?}", side.word()));
            }
            let Some(found) = found else { continue };
            for (slot, value) in found.iter().enumerate() {
                let allowed = thing.allowed(slot, side, way);
                if !allowed.contains(value) {
                    return Err(format!(
                        "{name}: slot {slot} is {value:?} in the {}, not {allowed:?}; {item:?}, {record:?}",
                        side.word()
                    ));
                }
            }
        }
        if way.source.is_none() && !thing.hidden && thing.is_one(way) && item != record {
            return Err(format!("{name}: {item:?} in the mailbox, {record:?} in the CRM"));
        }
        Ok(())
    }
}

impl World {
    /// What was answered in the mailbox stands on the record, where it names whoever answered.
    fn judge_answer(&self, thing: &Thing, both: Option<(&Record, &Record)>) -> Result<(), String> {
        let way = self.way((thing.row, thing.kind));
        let (Some((item, record)), Some(guest)) = (both, &thing.guest) else {
            return Ok(());
        };
        let (said, told) = (answer(item, guest), answer(record, guest));
        let due = thing.is_one(way) && way.source != Some(Side::Crm);
        // A meeting that was made again of its record is asked anew, and the record keeps what it knows.
        let open = said == Some(Response::None) || told.is_none();
        match due && !open && said != told {
            true => Err(format!(
                "{}: {said:?} was answered, the CRM says {told:?}",
                thing.title
            )),
            false => Ok(()),
        }
    }
}

/// Things as they were met, where the two are not simply one pair.
#[derive(Debug, Default)]
struct Met {
    /// Private ones in the mailbox.
    hidden: usize,
    /// On one side alone.
    only_here: usize,
    only_there: usize,
    /// On both sides and linked no more, for certain and perhaps.
    apart: usize,
    open: usize,
}

impl Met {
    fn add(&mut self, thing: &Thing, here: bool, there: bool) {
        if thing.hidden && !there {
            self.hidden += usize::from(here);
            return;
        }
        let both = here && there;
        self.only_here += usize::from(here && !there);
        self.only_there += usize::from(there && !here);
        self.apart += usize::from(both && thing.standing == Standing::Apart);
        self.open += usize::from(both && thing.standing == Standing::Open);
    }
}

fn is_series(record: &Record) -> bool {
    matches!(record, Record::Event(event) if event.place == PlaceOf::Master)
}

/// The things among these records; what the lab's own people had before is not looked at one by one.
fn by_title<'a>(records: impl Iterator<Item = &'a Record>) -> Result<BTreeMap<String, [String; 2]>, String> {
    let mut all = BTreeMap::new();
    for record in records.filter(|record| subject(record).starts_with(TITLE)) {
        if all.insert(subject(record).to_owned(), values(record)).is_some() {
            return Err(format!("{}: is there twice", subject(record)));
        }
    }
    Ok(all)
}
