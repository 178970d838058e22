//! Why is this item, or why is it not, on the other side? Nobody should have to wonder.

use super::choice::bring_back;
use super::choice::model::Candidates;
use super::engine::Engine;
use super::error::SyncError;
use super::filing;
use super::gather;
use super::guard::hold::Lasting;
use super::guard::store::lasting_skips;
use super::in_words::{describe, may_be};
use super::keys::{item_key, record_key};
use super::model::{ItemKey, Link, Reason, Side, StreamId};
use super::notes::Note;
use super::plan;
use super::preview::planned::planned;
use super::report::Explanation;
use super::rules::is_marked;
use super::series;
use super::store::mailboxes::MailboxRow;
use super::store::{links, notes as store_notes, outcome, streams};
use super::stream::Stream;
use crate::attachments::model::{Carrier, Outcome};
use crate::attachments::store;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmChange, CrmId, CrmRecord};
use crate::mailbox::model::{ItemId, MailboxItem};
use crate::mailbox::series::Series;
use crate::record::Record;
use crate::record::event::Place;
use crate::record::kind::RecordKind;
use std::collections::{BTreeMap, HashMap};

const FIXED: &str = "The record is a date of a series that the CRM changes as a whole: what is edited in the mailbox is \
    not written to it.";

const KEEPS: &str = "It keeps the record up to date for its owner, whose mailbox is not here any more.";

/// Explains one item, given by its id in the mailbox or in the CRM: what every rule says of it, how it
/// stands, and what would be done now. `None` where neither side knows the id.
///
/// # Errors
/// Whatever keeps us from asking.
pub async fn explain(
    engine: &Engine,
    row: &MailboxRow,
    item: &str,
) -> Result<Option<Explanation>, SyncError> {
    for kind in RecordKind::ALL {
        let mut stream = Stream::open(engine, row.clone(), kind).await?;
        stream.tell_folders();
        let link = find_link(engine, &stream, item).await?;
        let read = read_item(&stream, link.as_ref(), item).await?;
        let record = read_record(&stream, link.as_ref(), item).await?;
        if read.is_none() && record.is_none() && link.is_none() {
            continue;
        }
        return Ok(Some(explained(engine, &mut stream, link, read, record).await?));
    }
    Ok(None)
}

async fn find_link(engine: &Engine, stream: &Stream, item: &str) -> Result<Option<Link>, SyncError> {
    let id = stream.id;
    let (key, crm) = (item_key(&ItemId(item.to_owned())), CrmId(item.to_owned()));
    engine
        .db
        .run_for(id.mailbox, move |conn| {
            let by_item = links::by_keys(conn, id, &[key])?.pop();
            Ok(match by_item {
                Some(link) => Some(link),
                None => links::by_crm(conn, id, &[crm])?.pop(),
            })
        })
        .await
}

async fn read_item(
    stream: &Stream,
    link: Option<&Link>,
    item: &str,
) -> Result<Option<MailboxItem>, SyncError> {
    let linked = link.and_then(|link| link.item.clone());
    let id = linked.unwrap_or_else(|| ItemId(item.to_owned()));
    let answers = stream
        .server
        .read(&stream.row.mailbox, stream.kind(), &[id])
        .await?;
    let read = answers.into_iter().next().and_then(Result::ok);
    Ok(read.filter(|read| read.record.kind() == stream.kind()))
}

async fn read_record(
    stream: &Stream,
    link: Option<&Link>,
    item: &str,
) -> Result<Option<CrmRecord>, SyncError> {
    let id = link.map_or_else(|| CrmId(item.to_owned()), |link| link.crm.clone());
    let looks_like_one = id.0.len() <= 40;
    if stream.kind() == RecordKind::Mail || !looks_like_one {
        return Ok(None);
    }
    match stream.crm.read(&stream.row.user, stream.kind(), &[id]).await {
        Ok(records) => Ok(records.into_iter().next().flatten()),
        // What somebody typed need not be an id of the CRM; its complaint about that means "none".
        Err(CrmError::BadRequest { .. }) if link.is_none() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn explained(
    engine: &Engine,
    stream: &mut Stream,
    link: Option<Link>,
    read: Option<MailboxItem>,
    record: Option<CrmRecord>,
) -> Result<Explanation, SyncError> {
    let records: Vec<&Record> = read
        .iter()
        .map(|item| &item.record)
        .chain(record.iter().map(|record| &record.record))
        .collect();
    stream.ask_about(&records).await?;
    filing::ask(stream, &records).await?;
    let mut decided = None;
    let mut rules = Vec::new();
    let mut beyond_window = false;
    let of_item = read.as_ref().map(|item| match is_series(&item.record) {
        true => gather::rulings(stream, item),
        false => stream.rulings_of(item, &item.record),
    });
    let of_record = record.as_ref().map(|record| stream.rulings_of_record(record));
    for (side, rulings) in [(Side::Mailbox, of_item), (Side::Crm, of_record)] {
        for ruling in rulings.unwrap_or_default() {
            let said = ruling.out.map_or("passes", |reason| reason.sentence());
            let name = format!("{} ({})", ruling.rule, side.word());
            if ruling.out.is_some() && decided.is_none() {
                decided = Some(name.clone());
            }
            beyond_window |= ruling.out == Some(Reason::Window);
            rules.push((name, said.to_owned()));
        }
    }
    let reached = reached(stream, &records);
    let item_id = read.as_ref().map(|item| item.item.id.clone());
    let crm_id = record.as_ref().map(|record| record.id.clone());
    let mail = read
        .as_ref()
        .map(|item| mail(stream, &item.record))
        .unwrap_or_default();
    let decided = decided.or(mail.decided);
    let mut notes = notes(engine, stream, link.as_ref(), item_id.as_ref(), crm_id.as_ref()).await?;
    notes.extend(mail.notes);
    notes.extend(reached.filter(|_| beyond_window));
    if record.as_ref().is_some_and(|record| record.fixed) {
        notes.push(FIXED.to_owned());
    }
    let keeps = |id: &ItemId| stream.keeping.owner(item_key(id)).is_some();
    if item_id.as_ref().is_some_and(keeps) {
        notes.push(KEEPS.to_owned());
    }
    notes.extend(
        read.as_ref()
            .map(|item| people(stream, &item.record))
            .unwrap_or_default(),
    );
    let verdict = verdict(engine, stream, read, record, &mut notes).await?;
    Ok(Explanation {
        kind: stream.kind().word(),
        item: item_id.map(|id| id.0),
        crm: crm_id.or(link.map(|link| link.crm)).map(|id| id.0),
        rules,
        decided,
        verdict,
        notes,
    })
}

/// When the window reaches what lies beyond it.
fn reached(stream: &Stream, records: &[&Record]) -> Option<String> {
    let days = records
        .iter()
        .filter_map(|record| gather::reached_on(record, &stream.policy));
    let day = days.filter(|day| *day > stream.now.date_naive()).min()?;
    Some(format!(
        "The window reaches it on {day}; it is looked at again then."
    ))
}

/// What the rules found for a mail.
#[derive(Default)]
struct MailSaid {
    decided: Option<String>,
    notes: Vec<String>,
}

fn mail(stream: &Stream, record: &Record) -> MailSaid {
    let Record::Email(email) = record else {
        return MailSaid::default();
    };
    let matched = stream.matched(email);
    let marked = is_marked(email, &stream.policy.mail);
    let mut notes = Vec::new();
    if let Some((rule, place)) = &matched.under {
        notes.push(format!("Belongs under record {}, by the rule {rule}.", place.0));
    }
    for rule in &matched.undecided {
        notes.push(format!("The rule {rule} found several records, and so none."));
    }
    let decided = match (matched.by, marked) {
        (_, true) => Some("mail.on_demand (marked by its owner)".to_owned()),
        (Some(rule), false) => Some(format!("mail.matched ({rule})")),
        (None, false) => None,
    };
    MailSaid { decided, notes }
}

/// What becomes of the people of a meeting, in numbers.
fn people(stream: &Stream, record: &Record) -> Vec<String> {
    let guests = stream.guests(record);
    let mut said = Vec::new();
    if guests.linked.len() + guests.left_out + guests.unknown > 0 {
        said.push(format!(
            "Attendees: {} are linked to the record, {} the CRM does not know; those stay in the mailbox's meeting.",
            guests.linked.len(),
            guests.unknown
        ));
    }
    let notes = Note::of(&guests).into_iter();
    said.extend(notes.map(|(note, count)| format!("{count} {}", note.sentence())));
    said
}

/// What a turn would decide with these two sides in view.
async fn verdict(
    engine: &Engine,
    stream: &mut Stream,
    read: Option<MailboxItem>,
    record: Option<CrmRecord>,
    notes: &mut Vec<String>,
) -> Result<String, SyncError> {
    let id = stream.id;
    let (position, lasting) = engine
        .db
        .run_for(id.mailbox, move |conn| {
            Ok::<_, SyncError>((streams::position(conn, id)?, lasting_skips(conn, id)?))
        })
        .await?;
    stream.choices = bring_back::load(&engine.db, stream, &position).await?;
    let mut pending = gather::Pending::default();
    if let Some(record) = record {
        pending.add(stream, CrmChange::Upserted(Box::new(record)));
    }
    let (mut works, mut candidates) = (Vec::new(), HashMap::new());
    if let Some(item) = read {
        let key = item_key(&item.item.id);
        let change = crate::mailbox::model::ItemChange::Upserted(item.item);
        let again = [key].into_iter().collect();
        let mut page = gather::mailbox_page(&engine.db, stream, vec![change], &again, &mut pending).await?;
        let news = std::mem::take(&mut page.series);
        if !(news.changed.is_empty() && news.ended.is_empty()) {
            return of_series(engine, stream, news, &mut pending, notes).await;
        }
        candidates = page.candidates;
        works.extend(page.works);
    }
    let rest = pending.take_some(1);
    works.extend(gather::crm_page(&engine.db, stream, rest).await?.works);
    let said = said(works, stream, &lasting, &candidates);
    Ok(if said.is_empty() {
        "in step; nothing to do".to_owned()
    } else {
        said.join("; ")
    })
}

/// What a turn would do, in words.
fn said(
    works: Vec<gather::Work>,
    stream: &mut Stream,
    lasting: &Lasting,
    candidates: &HashMap<ItemKey, Candidates>,
) -> Vec<String> {
    let planned = planned(works, stream, lasting, candidates);
    let asked = planned.waits.iter().map(may_be);
    let asked = asked.map(|may_be| format!("hold for a choice: {may_be}"));
    let told = planned.works.iter().filter_map(|(_, verdict)| describe(verdict));
    let told = told.map(|(action, detail)| match detail.is_empty() {
        true => action.to_owned(),
        false => format!("{action}: {detail}"),
    });
    asked.chain(told).collect()
}

fn is_series(record: &Record) -> bool {
    matches!(record, Record::Event(event) if event.place == Place::Master)
}

/// What would be done with the dates of a series: each sort of verdict with its number.
async fn of_series(
    engine: &Engine,
    stream: &mut Stream,
    news: gather::SeriesNews,
    pending: &mut gather::Pending,
    notes: &mut Vec<String>,
) -> Result<String, SyncError> {
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    let mut told = Vec::new();
    let mut see = |stream: &Stream, series: Option<&Series>, gathered: gather::Gathered| {
        told = series.map(series::told).unwrap_or_default();
        let pairs: Vec<_> = gathered.works.iter().map(|work| work.pair.clone()).collect();
        for verdict in plan::plan(&pairs, stream.common) {
            let (action, detail) = describe(&verdict).unwrap_or(("in step", String::new()));
            let text = if detail.is_empty() {
                action.to_owned()
            } else {
                format!("{action}: {detail}")
            };
            *said.entry(text).or_default() += 1;
        }
        *said.entry("in step".to_owned()).or_default() += gathered.met.len().saturating_sub(pairs.len());
        for (_, reason) in gathered.skipped {
            told.push(reason.sentence().to_owned());
        }
    };
    series::look_over(engine, stream, news, pending, &mut see).await?;
    notes.append(&mut told);
    let dates = |(text, count): (String, usize)| format!("{text} ({count} dates)");
    let said: Vec<String> = said
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(dates)
        .collect();
    Ok(if said.is_empty() {
        "nothing to do".to_owned()
    } else {
        said.join("; ")
    })
}

async fn notes(
    engine: &Engine,
    stream: &Stream,
    link: Option<&Link>,
    item: Option<&ItemId>,
    crm: Option<&CrmId>,
) -> Result<Vec<String>, SyncError> {
    let mut notes = Vec::new();
    match link {
        Some(link) => notes.push(format!("Linked with record {}.", link.crm.0)),
        None => notes.push("Not linked.".to_owned()),
    }
    let keys: Vec<(Side, ItemKey)> = item
        .map(|id| (Side::Mailbox, item_key(id)))
        .into_iter()
        .chain(crm.map(|id| (Side::Crm, record_key(id))))
        .collect();
    let (id, now): (StreamId, _) = (stream.id, stream.now);
    let (skips, failures) = engine
        .db
        .run_for(id.mailbox, move |conn| {
            let mut skips = Vec::new();
            for (side, key) in &keys {
                skips.extend(outcome::skip_reason(conn, id, *side, *key)?.map(|reason| (*side, reason)));
            }
            let failures = outcome::failures_of(conn, id, now)?;
            let failures: Vec<_> = failures
                .into_iter()
                .filter(|due| keys.contains(&(due.side, due.key)))
                .collect();
            Ok::<_, SyncError>((skips, failures))
        })
        .await?;
    for (side, reason) in skips {
        notes.push(format!(
            "Left alone at the last look ({}): {}",
            side.word(),
            reason.sentence()
        ));
    }
    for failure in failures {
        notes.push(format!("Failed {} times so far.", failure.attempts));
    }
    if let Some(key) = item.map(item_key) {
        let said = engine
            .db
            .run_for(id.mailbox, move |conn| store_notes::of_item(conn, id, key))
            .await?;
        // Of the others, what is so now was said.
        let refused = said.iter().filter(|(note, _)| *note == Note::AttendeesRefused);
        notes.extend(refused.map(|(note, count)| format!("{count} {}", note.sentence())));
        notes.extend(attachments_of(engine, id, key).await?);
    }
    Ok(notes)
}

/// What became of an item's attachments, by reason: names are content.
async fn attachments_of(engine: &Engine, id: StreamId, key: ItemKey) -> Result<Vec<String>, SyncError> {
    let of = Carrier {
        mailbox: id.mailbox,
        kind: id.kind,
        fence: 0,
    };
    let outcomes = engine
        .db
        .run_for(id.mailbox, move |conn| {
            Ok::<_, SyncError>(store::outcomes(conn, of, key.0, None)?)
        })
        .await?;
    let mut said: BTreeMap<&'static str, (u32, &'static str)> = BTreeMap::new();
    for outcome in outcomes.into_values() {
        let sentence = match outcome {
            Outcome::Stored => "It hangs on the record.",
            Outcome::LeftOut(reason) => reason.sentence(),
        };
        said.entry(outcome.word()).or_insert((0, sentence)).0 += 1;
    }
    Ok(said
        .into_values()
        .map(|(count, sentence)| format!("Attachments: {count}. {sentence}"))
        .collect())
}
