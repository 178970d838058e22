//! Asks the CRM where mails belong, a page of them at once: what of their threads it has, and the records of their
//! people. What it says stays in memory for the turn.
//!
//! Threads need nothing of our own: the key of a mail's record follows from its Message-ID alone, so the CRM itself
//! says whether it has the mail that another one answers, and under what a person has filed it since.

use super::error::SyncError;
use super::mail_policy::MatchRule;
use super::model::Side;
use super::rules::people_of;
use super::stream::Stream;
use crate::crm::filing::{Filed, PlaceBy};
use crate::crm::model::Match;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::email::Email;
use crate::record::person::Person;
use std::collections::HashSet;

/// Mails of a thread that are asked for, the nearest: where none of them is in the CRM, the thread is not.
const MOST_ANCESTORS: usize = 8;

/// Asks about the mails among these records. [`Stream::ask_about`] comes first: places hang on people.
///
/// # Errors
/// The CRM's.
pub async fn ask(stream: &mut Stream, records: &[&Record]) -> Result<(), SyncError> {
    let mut mails: Vec<(&Record, &Email)> = records
        .iter()
        .filter_map(|record| match record {
            Record::Email(email) => Some((*record, email.as_ref())),
            _ => None,
        })
        .collect();
    if mails.is_empty() {
        return Ok(());
    }
    let rules = stream.policy.mail.matching.clone();
    for by in rules.iter().filter_map(MatchRule::asks_for) {
        ask_places(stream, &by, &mails).await?;
    }
    if rules.contains(&MatchRule::Thread) {
        ask_threads(stream, &mails).await?;
        mails.sort_by_key(|(_, email)| email.at);
        mails
            .into_iter()
            .for_each(|(record, email)| foresee(stream, record, email));
    }
    Ok(())
}

async fn ask_places(stream: &mut Stream, by: &PlaceBy, mails: &[(&Record, &Email)]) -> Result<(), SyncError> {
    let mut fresh: HashSet<Content<String>> = HashSet::new();
    for (_, email) in mails {
        fresh.extend(people_of(email).map(Person::key));
    }
    let people: Vec<Match> = fresh
        .into_iter()
        .filter(|key| key.expose().contains('@') && !stream.is_owner(key) && !stream.places.asked(by, key))
        .map(|address| match stream.known.get(&address) {
            Some(known) => known.clone(),
            None => Match {
                address,
                who: Vec::new(),
            },
        })
        .collect();
    if people.is_empty() {
        return Ok(());
    }
    let found = stream.crm.places(&stream.row.user, by, &people).await?;
    for (person, places) in people.into_iter().zip(found) {
        stream.places.found(by, person.address, places);
    }
    Ok(())
}

async fn ask_threads(stream: &mut Stream, mails: &[(&Record, &Email)]) -> Result<(), SyncError> {
    stream.places.forget_threads();
    let mut wanted: HashSet<&Content<String>> = HashSet::new();
    for (_, email) in mails {
        wanted.extend(email.references.iter().rev().take(MOST_ANCESTORS));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&Content<String>> = wanted.into_iter().collect();
    let keys: Vec<_> = wanted.iter().map(|id| stream.keys.mail(id)).collect();
    let filed = stream.crm.filed(&stream.row.user, &keys).await?;
    for (id, filed) in wanted.into_iter().zip(filed) {
        stream.places.thread(id.clone(), filed);
    }
    Ok(())
}

/// A mail and its answer often come in one page: where the first one will be filed is known before it is.
fn foresee(stream: &mut Stream, record: &Record, email: &Email) {
    let Some(id) = &email.message_id else { return };
    let is_saved = stream
        .rulings(record, Side::Mailbox)
        .iter()
        .all(|ruling| ruling.out.is_none());
    let under = stream.matched(email).under.map(|(_, place)| place);
    let id = Content::new(id.expose().trim().to_owned());
    if is_saved && !stream.places.has_thread(&id) {
        stream.places.thread(id, Some(Filed { under }));
    }
}
