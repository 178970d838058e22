//! Series of a world: a person at Outlook makes, moves and deletes dates, a colleague does so in the CRM, and
//! in the end both show the same dates.

use super::world::World;
use crate::harness::began;
use crate::harness::outlook::{Entry, Outlook, item, nth, rule};
use crate::harness::records::full;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::record::Record;
use holdfast::record::event::{Event, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::{Deletion, Flow};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use std::collections::BTreeSet;

const ZONE: &str = "W. Europe Standard Time";
const MINUTES: i64 = 30;

/// A series.
#[derive(Clone, Debug)]
pub struct Repeated {
    pub title: String,
    pub row: usize,
    pub master: String,
    first: NaiveDate,
    /// Days from one date to the next.
    every: i64,
    gone: bool,
}

impl Repeated {
    /// Which date of the series an entry is; dates never leave their day.
    fn number(&self, (_, start, _): &Entry) -> usize {
        let days = (start.date_naive() - self.first).num_days();
        usize::try_from(days / self.every).unwrap_or_default() + 1
    }
}

impl World {
    pub fn outlook(&self, row: usize) -> Outlook<'_> {
        Outlook::of(&self.office.lab, row)
    }

    /// What the mailbox shows of a series.
    pub async fn shown(&self, of: &Repeated) -> Vec<Entry> {
        let until = of.first + TimeDelta::days(28);
        let all = self
            .outlook(of.row)
            .view(of.first - TimeDelta::days(1), until)
            .await;
        all.into_iter().filter(|entry| entry.0 == of.title).collect()
    }

    /// What the CRM has of it.
    async fn recorded(&self, of: &Repeated) -> Vec<(Entry, CrmId)> {
        let records = self
            .office
            .records(&self.rows[of.row], RecordKind::Calendar)
            .await;
        let entry = |id: CrmId, event: Event| match event.when {
            When::Timed { start, end } if event.subject.expose() == &of.title => {
                Some(((of.title.clone(), start, end), id))
            }
            _ => None,
        };
        let events = records.into_iter().filter_map(|record| match record.record {
            Record::Event(event) => entry(record.id, event),
            _ => None,
        });
        events.collect()
    }

    /// A date that is gone on one side stays on the other: then nobody deletes any in these worlds.
    fn keeps_dates(&self, row: usize) -> bool {
        self.policies[row].calendar.common.deletion == Deletion::Keep
    }

    /// Somebody does something about a series.
    pub async fn about_series(&mut self, rng: &mut StdRng) {
        let row = rng.random_range(0..self.rows.len());
        let flow = self.policies[row].calendar.common.flow;
        if !flow.to_crm() {
            return;
        }
        match self.series.iter().position(|series| series.row == row) {
            None => self.make_series(row, rng).await,
            Some(which) if rng.random_bool(0.6) || flow != Flow::Both => {
                self.at_outlook(which, rng).await;
            }
            Some(which) => self.in_the_crm(which, rng).await,
        }
        self.acted(row, RecordKind::Calendar);
    }

    pub async fn make_series(&mut self, row: usize, rng: &mut StdRng) {
        let (first, every) = (began().date_naive() + TimeDelta::days(3), rng.random_range(1..=3));
        let (title, count) = (format!("series {}", self.fresh()), rng.random_range(3..=6));
        let pattern = format!("<t:DailyRecurrence><t:Interval>{every}</t:Interval></t:DailyRecurrence>");
        let range = format!(
            "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>{count}\
             </t:NumberOfOccurrences></t:NumberedRecurrence>"
        );
        let start = first.and_hms_opt(9, 0, 0).unwrap().and_utc();
        let rest = rule(&pattern, &range, ZONE);
        let master = self.outlook(row).create(&title, start, MINUTES, &rest).await;
        self.note(format!(
            "{title} is made by {row}: {count} dates, every {every} days from {first}"
        ));
        self.series.push(Repeated {
            title,
            row,
            master,
            first,
            every,
            gone: false,
        });
    }

    async fn at_outlook(&mut self, which: usize, rng: &mut StdRng) {
        let keeps = self.keeps_dates(self.series[which].row);
        let series = self.series[which].clone();
        let shown = self.shown(&series).await;
        let Some(entry) = shown.choose(rng).filter(|_| !series.gone) else {
            return;
        };
        let (number, day) = (series.number(entry), entry.1.date_naive());
        let date = nth(&series.master, number);
        let outlook = self.outlook(series.row);
        let line = match rng.random_range(0..10) {
            0..5 => {
                let start = at(day, rng.random_range(8..16));
                outlook.set_times(&date, start, MINUTES).await;
                format!("its date {number} is moved to {start}")
            }
            5..8 if shown.len() > 1 && !keeps => {
                outlook.delete(&date).await;
                format!("its date {number} is deleted")
            }
            8 => {
                let start = at(series.first, rng.random_range(8..16));
                outlook.set_times(&item(&series.master), start, MINUTES).await;
                format!("all of it is moved to {start}")
            }
            9 if !keeps => {
                outlook.delete(&item(&series.master)).await;
                self.series[which].gone = true;
                "it is deleted".to_owned()
            }
            _ => return,
        };
        self.note(format!("{}, in the mailbox: {line}", series.title));
    }

    async fn in_the_crm(&mut self, which: usize, rng: &mut StdRng) {
        let series = self.series[which].clone();
        let recorded = self.recorded(&series).await;
        let Some(((_, start, _), id)) = recorded.choose(rng).cloned() else {
            return;
        };
        let write = match (rng.random_bool(0.6), full(RecordKind::Calendar)) {
            (true, Record::Event(event)) => {
                let start = at(start.date_naive(), rng.random_range(8..16));
                self.note(format!(
                    "{}, in the CRM: a date is moved to {start}",
                    series.title
                ));
                let when = When::Timed {
                    start,
                    end: start + TimeDelta::minutes(MINUTES),
                };
                CrmWrite::Update {
                    id,
                    fields: FieldSet::of(&[Field::When]),
                    record: Record::Event(Event { when, ..event }),
                    matches: Vec::new(),
                }
            }
            _ if recorded.len() < 2 || self.keeps_dates(series.row) => return,
            _ => {
                self.note(format!(
                    "{}, in the CRM: the date of {start} is deleted",
                    series.title
                ));
                CrmWrite::Delete { id }
            }
        };
        self.office
            .in_crm(&self.rows[series.row], RecordKind::Calendar, write)
            .await;
    }

    /// Both sides show the same dates of a series, each once; how many.
    ///
    /// # Errors
    /// Where they differ.
    pub async fn judge_series(&self, series: &Repeated) -> Result<usize, String> {
        let shown: BTreeSet<Entry> = self.shown(series).await.into_iter().collect();
        let recorded = self.recorded(series).await;
        let count = recorded.len();
        let recorded: BTreeSet<Entry> = recorded.into_iter().map(|(entry, _)| entry).collect();
        if shown != recorded || count != shown.len() {
            return Err(format!(
                "{}: the mailbox shows {shown:?}, the CRM has {count}: {recorded:?}",
                series.title
            ));
        }
        Ok(count)
    }
}

fn at(day: NaiveDate, hour: u32) -> DateTime<Utc> {
    day.and_hms_opt(hour, 0, 0).unwrap().and_utc()
}
