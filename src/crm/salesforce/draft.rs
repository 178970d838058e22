//! From writes to rows: the columns of each record, and the people that follow as rows of their own.

use super::accounts::Accounts;
use super::batch::Batch;
use super::convert::row::KEY;
use super::convert::sheet::Sheet;
use super::convert::{self, email, event};
use super::guests::{Guests, Told};
use super::relations::{Sender, preferred};
use super::reminders::Reminders;
use super::wire::collections::Fields;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmWrite, ExternalKey, Match, WhoKind};
use crate::crm::settled::Settled;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::email::{Direction, Email};
use crate::record::event::Event;
use crate::record::person::Person;
use serde_json::Value;
use std::collections::HashMap;

/// The name of the id in a row that changes a record.
const ID: &str = "id";

/// A row to be saved.
pub(super) struct Draft {
    /// Which write it is.
    pub(super) at: usize,
    /// Its key, where it is new.
    pub(super) key: Option<ExternalKey>,
    /// Its columns; the record's id too where it is a change.
    pub(super) fields: Fields,
    /// What follows once it is saved.
    pub(super) rest: Rest,
    /// The guests again, as an org without shared activities holds them.
    plain: Option<Guests>,
}

/// What follows once a row is saved.
pub(super) enum Rest {
    Nothing,
    Guests(Guests),
    Sender(Sender),
}

impl Draft {
    /// Puts the guests as an org without shared activities holds them; false where they are so already.
    pub(super) fn without_shared(&mut self) -> bool {
        let Some(guests) = self.plain.take() else {
            return false;
        };
        self.fields.remove("EventWhoIds");
        self.rest = Rest::Guests(guests);
        true
    }

    /// The record that this one belongs to, as far as its columns say; empty where they do not.
    pub(super) fn parent(&self) -> &str {
        let column = |name| self.fields.get(name).and_then(Value::as_str);
        ["AccountId", "WhatId", "RelatedToId", "WhoId"]
            .into_iter()
            .find_map(column)
            .unwrap_or_default()
    }

    /// The record that is changed, where there is nothing in its own columns to change.
    pub(super) fn idle_id(&self) -> Option<String> {
        let id = self.fields.get(ID).and_then(Value::as_str)?;
        (self.fields.len() == 1).then(|| id.to_owned())
    }
}

type AccountIds = HashMap<Content<String>, String>;

/// The rows of the creates and of the updates. What can never be a row is settled at once.
pub(super) async fn drafts(
    batch: &Batch<'_>,
    accounts: &Accounts,
    reminders: &Reminders,
    writes: &[CrmWrite],
    fates: &mut Settled,
) -> Result<(Vec<Draft>, Vec<Draft>), CrmError> {
    let companies = writes.iter().filter_map(|write| match write {
        CrmWrite::Create {
            record: Record::Contact(contact),
            ..
        } => Some(&contact.company),
        _ => None,
    });
    let accounts = match batch.object.has("AccountId") {
        true => accounts.of(batch.user, companies).await?,
        false => AccountIds::new(),
    };
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match draft(batch, &accounts, reminders, at, write) {
            Some(Ok(draft)) if draft.key.is_some() => new.push(draft),
            Some(Ok(draft)) => changed.push(draft),
            Some(Err(error)) => fates.settle(at, Err(error)),
            None => {}
        }
    }
    Ok((new, changed))
}

/// `None` for a deletion.
fn draft(
    batch: &Batch<'_>,
    accounts: &AccountIds,
    reminders: &Reminders,
    at: usize,
    write: &CrmWrite,
) -> Option<Result<Draft, CrmError>> {
    let (record, matches) = match write {
        CrmWrite::Create { record, matches, .. }
        | CrmWrite::File { record, matches, .. }
        | CrmWrite::Update { record, matches, .. } => (record, matches),
        CrmWrite::Delete { .. } => return None,
    };
    if record.kind() != batch.kind {
        // A caller's mistake, and no record of this object.
        return Some(Err(CrmError::BadRequest {
            code: "record of another kind".to_owned(),
        }));
    }
    let (mut sheet, key, told) = match write {
        CrmWrite::Update { fields, .. } => (Sheet::change(batch.object, *fields), None, Told::of(*fields)),
        CrmWrite::Create { key, .. } | CrmWrite::File { key, .. } => (
            Sheet::new_record(batch.object, batch.kind),
            Some(key.clone()),
            Told::ALL,
        ),
        CrmWrite::Delete { .. } => return None,
    };
    if let Err(error) = convert::fill(&mut sheet, record) {
        return Some(Err(error));
    }
    let (mut rest, mut plain) = (Rest::Nothing, None);
    match record {
        Record::Event(event) if told != Told::default() => {
            (rest, plain) = put_guests(batch, &mut sheet, event, matches, told);
        }
        Record::Email(email) => rest = put_mail(&mut sheet, email, matches, write),
        Record::Contact(contact) => {
            let account = accounts.get(&contact.company).filter(|_| key.is_some());
            account
                .into_iter()
                .for_each(|id| sheet.put("AccountId", id.as_str()));
        }
        Record::Event(_) | Record::Task(_) => {}
    }
    if let Some(key) = &key {
        sheet.put(KEY, key.0.as_str());
        if !batch.acts_as_user {
            sheet.put("OwnerId", batch.owner.0.as_str());
        }
    }
    if let (CrmWrite::Update { id, .. }, Record::Event(event)) = (write, record)
        && let Some(minutes) = reminders.get(id)
    {
        event::fill_reminder(&mut sheet, &event.when, Some(*minutes));
    }
    let mut fields = sheet.finish();
    if let CrmWrite::Update { id, .. } = write {
        fields.insert(ID.to_owned(), Value::from(id.0.as_str()));
    }
    Some(Ok(Draft {
        at,
        key,
        fields,
        rest,
        plain,
    }))
}

fn put_guests(
    batch: &Batch<'_>,
    sheet: &mut Sheet<'_>,
    event: &Event,
    matches: &[Match],
    told: Told,
) -> (Rest, Option<Guests>) {
    let of = |shared| Guests::of(&event.attendees, matches, &batch.owner, shared, told);
    let guests = of(batch.shared);
    if told.list {
        event::fill_who(sheet, guests.who(), batch.shared);
    }
    (Rest::Guests(guests), batch.shared.then(|| of(false)))
}

/// The people of a mail, and the record under which it is filed.
fn put_mail(sheet: &mut Sheet<'_>, email: &Email, matches: &[Match], write: &CrmWrite) -> Rest {
    let under = match write {
        CrmWrite::File { under, .. } => under.as_ref().map(|place| place.0.as_str()),
        _ => first_account(email, matches).map(|account| account.0.as_str()),
    };
    if let Some(id) = under {
        sheet.put("RelatedToId", id);
    }
    put_correspondents(sheet, email, matches)
}

/// The people of a mail.
fn put_correspondents(sheet: &mut Sheet<'_>, mail: &Email, matches: &[Match]) -> Rest {
    for (columns, people) in [
        (("ToIds", "ToAddress"), &mail.to),
        (("CcIds", "CcAddress"), &mail.cc),
        (("BccIds", "BccAddress"), &mail.bcc),
    ] {
        let mut ids: Vec<String> = Vec::new();
        let mut addresses: Vec<&str> = Vec::new();
        for person in people {
            match preferred(person, matches) {
                Some(who) if ids.contains(&who.id.0) => {}
                Some(who) => ids.push(who.id.0.clone()),
                None => addresses.push(person.address.expose()),
            }
        }
        email::fill_people(sheet, columns, ids, &addresses);
    }
    match mail.from.as_ref().and_then(|from| sender(from, matches)) {
        Some(sender) => Rest::Sender(sender),
        None => Rest::Nothing,
    }
}

/// What a mail is filed under where nobody says: the account of the first contact in it, the sender first.
fn first_account<'a>(mail: &Email, matches: &'a [Match]) -> Option<&'a CrmId> {
    let first = mail.from.iter().filter(|_| mail.direction == Direction::Received);
    let everybody = first.chain(&mail.to).chain(&mail.cc).chain(&mail.bcc);
    everybody
        .filter_map(|person| preferred(person, matches))
        .filter(|who| who.kind == WhoKind::Contact)
        .find_map(|who| who.account.as_ref())
}

fn sender(from: &Person, matches: &[Match]) -> Option<Sender> {
    Some(Sender {
        id: preferred(from, matches)?.id.0.clone(),
        address: from.address.clone(),
    })
}
