//! What a CRM will be asked, before anything is: the calls of the first synchronisation and of an average day.
//!
//! The numbers of items are asked of the mail servers; how many calls they make follows from the sizes of batches,
//! and the day is played through by the same [`Pace`] that decides when a stream rests. The measure is a test that
//! counts the calls of a first synchronisation.

use super::engine::Engine;
use super::error::SyncError;
use super::pace::{Pace, Situation, between_looks};
use super::store::mailboxes::MailboxRow;
use crate::record::kind::RecordKind;
use chrono::TimeDelta;
use serde::Serialize;

/// Records written in one call.
const BATCH: u64 = 200;
/// Before a user's first record: who he is, and what he may do with each of the four objects.
const A_USER: u64 = 6;
/// An average day: so many working hours, with a change in each stream this often.
const WORKING: TimeDelta = TimeDelta::hours(8);
const A_CHANGE_EACH: TimeDelta = TimeDelta::minutes(30);
const A_DAY: TimeDelta = TimeDelta::hours(24);

/// One mailbox.
#[derive(Debug, Clone, Serialize)]
pub struct MailboxEstimate {
    /// Its address.
    pub mailbox: String,
    /// Its CRM.
    pub crm: String,
    /// Items in it, as far as the server says.
    pub items: u64,
    /// Calls of the first synchronisation.
    pub first: u64,
    /// Calls of an average day after it.
    pub day: u64,
}

/// One CRM.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrmEstimate {
    /// The section `crm.NAME` of the settings.
    pub crm: String,
    /// Mailboxes that were looked at.
    pub mailboxes: u64,
    /// Calls of their first synchronisation.
    pub first: u64,
    /// Calls of an average day.
    pub day: u64,
    /// Calls a day that are ours, where the CRM has said how many there are.
    pub ours: Option<u64>,
    /// Days that the first synchronisation takes at least.
    pub first_days: Option<f64>,
    /// How many times as long streams will have to rest for the day to fit; 1 where it fits.
    pub stretch: Option<f64>,
}

/// Asks the mail server how much there is in a mailbox, and the CRM nothing.
///
/// # Errors
/// The mail server's.
pub async fn mailbox(engine: &Engine, row: &MailboxRow) -> Result<MailboxEstimate, SyncError> {
    let server = engine.mail_server(&row.mail_server)?;
    let row = engine.with_folders(row).await?;
    let probe = server.probe(&row.mailbox).await?;
    let count = |kind| u64::from(probe.count(kind).unwrap_or(0));
    Ok(MailboxEstimate {
        mailbox: row.mailbox.address.clone(),
        crm: row.crm.clone(),
        items: RecordKind::ALL.into_iter().map(count).sum(),
        first: A_USER
            + RecordKind::ALL
                .into_iter()
                .map(|kind| first(kind, count(kind)))
                .sum::<u64>(),
        day: day(engine.settings.pace, engine.crm(&row.crm)?.tells_news()),
    })
}

/// Calls that write so many items for the first time.
fn first(kind: RecordKind, items: u64) -> u64 {
    let batches = items.div_ceil(BATCH);
    match kind {
        // The records, the people who are rows of their own, who the addresses are, and the records that are there.
        RecordKind::Calendar => 2 + batches * 4,
        RecordKind::Contacts => 2 + batches * 3,
        RecordKind::Tasks => 2 + batches,
        // The mails, their senders, who the addresses are, where the threads are. Rules that look for places of another
        // sort cost one more each; they are not the usual ones.
        RecordKind::Mail => batches * 4,
    }
}

/// Calls of an average day: each look at a stream is one, each change two more. Where the CRM tells whose records changed,
/// a stream is looked at for each change, and hardly ever otherwise.
fn day(pace: Pace, told: bool) -> u64 {
    let (mut at, mut looks) = (TimeDelta::zero(), 0);
    while at < A_DAY {
        let since = match at < WORKING {
            true => TimeDelta::seconds(at.num_seconds() % A_CHANGE_EACH.num_seconds()),
            false => at - WORKING,
        };
        let rest = pace.rest(Situation {
            heard: true,
            crm_must_be_asked: !told,
            quiet_for: Some(since),
        });
        at += rest.max(TimeDelta::seconds(1));
        looks += 1;
    }
    let changes = u64::try_from(WORKING.num_seconds() / A_CHANGE_EACH.num_seconds()).unwrap_or(0);
    // Mail is told of, and costs only what it writes.
    let looks = looks + if told { changes } else { 0 };
    3 * (looks + changes * 2) + changes * 2
}

/// Calls of a day that ask a CRM which allows so many whose records changed.
pub fn looks(allowed: Option<u64>) -> u64 {
    let seconds = between_looks(allowed).num_seconds().max(1);
    u64::try_from(A_DAY.num_seconds() / seconds).unwrap_or(0)
}

/// The sum for one CRM, against what is ours of its calls; `looks` of a day are for all mailboxes together.
pub fn sum(crm: &str, mailboxes: &[MailboxEstimate], ours: Option<u64>, looks: u64) -> CrmEstimate {
    let mine: Vec<_> = mailboxes.iter().filter(|one| one.crm == crm).collect();
    let (first, day) = (
        mine.iter().map(|one| one.first).sum::<u64>(),
        looks + mine.iter().map(|one| one.day).sum::<u64>(),
    );
    let share = |calls: u64| ours.map(|ours| calls as f64 / ours.max(1) as f64);
    CrmEstimate {
        crm: crm.to_owned(),
        mailboxes: mine.len() as u64,
        first,
        day,
        ours,
        first_days: share(first),
        stretch: share(day).map(|share| share.max(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(busy: i64, quiet: i64) -> Pace {
        Pace {
            busy: TimeDelta::seconds(busy),
            quiet: TimeDelta::seconds(quiet),
            listening: TimeDelta::seconds(900),
        }
    }

    #[test]
    fn who_rests_longer_asks_less() {
        let (often, rarely) = (day(pace(30, 300), false), day(pace(300, 3000), false));
        assert!(often > 4 * rarely, "{often} and {rarely}");
        // Never more than a look each half minute of each of three streams.
        assert!(often < 3 * 2880);
    }

    #[test]
    fn who_is_told_of_news_asks_a_fraction_of_what_others_ask() {
        let (asked, told) = (day(pace(30, 300), false), day(pace(30, 300), true));
        assert!(told < asked / 2, "{told} and {asked}");
    }

    #[test]
    fn the_looks_for_everybodys_news_count_once() {
        assert_eq!(looks(Some(1_100_000)), 28_800);
        assert_eq!(sum("sales", &[], Some(100_000), 28_800).day, 28_800);
    }

    #[test]
    fn a_day_that_does_not_fit_says_how_much_slower_it_must_be() {
        let one = MailboxEstimate {
            mailbox: "ada@example.com".to_owned(),
            crm: "sales".to_owned(),
            items: 1,
            first: 100,
            day: 1_000,
        };
        let all = [one.clone(), one];
        let fits = sum("sales", &all, Some(4_000), 0);
        assert_eq!((fits.first_days, fits.stretch), (Some(0.05), Some(1.0)));
        assert_eq!(sum("sales", &all, Some(500), 0).stretch, Some(4.0));
        assert_eq!(sum("other", &all, Some(500), 0).mailboxes, 0);
    }
}
