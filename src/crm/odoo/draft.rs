//! From writes to cells: what a record says, and whom it names.

use super::answers::Answers;
use super::convert::sheet::{Cell, Cells, Sheet};
use super::convert::{self, Form};
use super::filing;
use super::model::{Model, Person};
use crate::crm::error::CrmError;
use crate::crm::filing::PlaceId;
use crate::crm::model::{CrmWrite, ExternalKey, Match, Who, WhoKind};
use crate::record::Record;
use crate::record::email::{Direction, Email};
use crate::record::event::{Attendee, Event, Response};
use crate::record::field::Field;
use crate::record::person::{Person as Named, address_key};
use crate::record::places::Places;
use std::collections::HashMap;

/// A new record.
pub(super) struct Draft {
    /// Which write it is.
    pub(super) at: usize,
    /// Its key.
    pub(super) key: ExternalKey,
    /// What it says.
    pub(super) cells: Cells,
    /// What its guests answered, where somebody did.
    pub(super) answers: Option<Answers>,
}

/// A change of a record.
pub(super) struct Change {
    /// Which write it is.
    pub(super) at: usize,
    /// Which record.
    pub(super) id: i64,
    /// What is new.
    pub(super) cells: Cells,
    /// Whoever is to be invited now; `None` where the list stays as it is.
    pub(super) guests: Option<Vec<i64>>,
    /// What the guests answered, where that changes.
    pub(super) answers: Option<Answers>,
    /// The reminder, where it changes.
    pub(super) reminder: Option<Option<u32>>,
}

/// What the cells need besides the records.
pub(super) struct Desk<'a> {
    pub(super) form: Form,
    pub(super) model: &'a Model,
    pub(super) places: &'a Places,
    pub(super) owner: Person,
    /// The cards of colleagues, by their user's number.
    pub(super) colleagues: HashMap<i64, i64>,
    /// The reminders that there are, by their minutes.
    pub(super) reminders: HashMap<u32, i64>,
}

/// The card that stands for somebody: the first that Odoo named.
fn card(person: &Named, matches: &[Match], colleagues: &HashMap<i64, i64>) -> Option<i64> {
    let who = known(person, matches)?
        .iter()
        .find(|who| who.kind != WhoKind::Lead)?;
    let number: i64 = who.id.0.parse().ok()?;
    match who.kind {
        WhoKind::User => colleagues.get(&number).copied(),
        _ => Some(number),
    }
}

fn known<'a>(person: &Named, matches: &'a [Match]) -> Option<&'a [Who]> {
    let key = address_key(person.address.expose());
    let found = matches.iter().find(|known| known.address == key)?;
    Some(&found.who)
}

/// The numbers of colleagues among these people.
pub(super) fn colleagues(matches: &[Match]) -> impl Iterator<Item = i64> {
    let who = matches.iter().flat_map(|known| &known.who);
    who.filter(|who| who.kind == WhoKind::User)
        .filter_map(|who| who.id.0.parse().ok())
}

impl Desk<'_> {
    /// The cells of a new record.
    ///
    /// # Errors
    /// [`CrmError::RuleRefused`] for a record that the model can never hold.
    pub(super) fn draft(
        &self,
        at: usize,
        key: &ExternalKey,
        record: &Record,
        matches: &[Match],
        under: Option<&PlaceId>,
    ) -> Result<Draft, CrmError> {
        let mut sheet = Sheet::new_record(self.model, self.form.kind());
        convert::fill(&mut sheet, self.form, self.places, &self.owner, record)?;
        sheet.put_text(convert::KEY, key.0.as_str());
        match record {
            Record::Event(event) => self.fill_event(&mut sheet, event, matches),
            Record::Contact(_) => sheet.put("user_id", Cell::One(Some(self.owner.id))),
            Record::Task(_) if self.form == Form::Activity => {
                sheet.put("user_id", Cell::One(Some(self.owner.id)));
            }
            Record::Task(_) => sheet.put("user_ids", Cell::Many(vec![self.owner.id])),
            Record::Email(email) => self.fill_people(&mut sheet, email, matches, under)?,
        }
        let answers = match record {
            Record::Event(event) => Some(self.answers(at, event, matches)),
            _ => None,
        };
        Ok(Draft {
            at,
            key: key.clone(),
            cells: sheet.finish(),
            answers: answers.filter(|of| of.guests.iter().any(|(_, response)| *response != Response::None)),
        })
    }

    fn fill_event(&self, sheet: &mut Sheet<'_>, event: &Event, matches: &[Match]) {
        sheet.put("user_id", Cell::One(Some(self.owner.id)));
        let mut guests = vec![self.owner.partner];
        let invited = self.guests(&event.attendees, matches);
        guests.extend(invited.into_iter().map(|(card, _)| card));
        sheet.put("partner_ids", Cell::Many(guests));
        let reminder = event
            .reminder_minutes
            .and_then(|minutes| self.reminders.get(&minutes));
        sheet.put("alarm_ids", Cell::Many(reminder.copied().into_iter().collect()));
    }

    /// The cards of attendees and what they answered, each once, without the owner's.
    fn guests(&self, attendees: &[Attendee], matches: &[Match]) -> Vec<(i64, Response)> {
        let mut guests: Vec<(i64, Response)> = Vec::new();
        for attendee in attendees {
            if let Some(card) = card(&attendee.person, matches, &self.colleagues)
                && card != self.owner.partner
                && !guests.iter().any(|(known, _)| *known == card)
            {
                guests.push((card, attendee.response));
            }
        }
        guests
    }

    fn answers(&self, at: usize, event: &Event, matches: &[Match]) -> Answers {
        Answers {
            at,
            guests: self.guests(&event.attendees, matches),
        }
    }

    /// What a mail is filed under, who wrote it, and whom else of the contacts it names.
    fn fill_people(
        &self,
        sheet: &mut Sheet<'_>,
        mail: &Email,
        matches: &[Match],
        under: Option<&PlaceId>,
    ) -> Result<(), CrmError> {
        let sender = mail.from.iter().filter(|_| mail.direction == Direction::Received);
        let everybody: Vec<&Named> = sender.chain(&mail.to).chain(&mail.cc).chain(&mail.bcc).collect();
        let first = |kind: WhoKind| {
            let known = everybody
                .iter()
                .filter_map(|person| known(person, matches))
                .flatten();
            known
                .filter(|who| who.kind == kind)
                .find_map(|who| who.id.0.parse::<i64>().ok())
        };
        let named = under.and_then(filing::parted);
        let (model, id) = match (named, first(WhoKind::Contact), first(WhoKind::Lead)) {
            (Some(named), ..) => named,
            (None, Some(id), _) => ("res.partner", id),
            (None, None, Some(id)) => ("crm.lead", id),
            (None, None, None) => {
                return Err(CrmError::RuleRefused {
                    code: "nobody to file it under".to_owned(),
                    fields: vec!["res_id".to_owned()],
                });
            }
        };
        sheet.put_text("model", model);
        sheet.put_text("res_id", id.to_string());
        let author = match mail.direction {
            Direction::Sent => Some(self.owner.partner),
            Direction::Received => mail
                .from
                .as_ref()
                .and_then(|from| card(from, matches, &self.colleagues)),
        };
        sheet.put("author_id", Cell::One(author));
        let mut others = Vec::new();
        for person in everybody {
            let card = card(person, matches, &self.colleagues);
            let is_other = |card: &i64| Some(*card) != author && !(model == "res.partner" && *card == id);
            others.extend(card.filter(|card| is_other(card) && !others.contains(card)));
        }
        sheet.put("partner_ids", Cell::Many(others));
        Ok(())
    }

    /// The cells of a change.
    ///
    /// # Errors
    /// [`CrmError::RuleRefused`] for a record that the model can never hold, [`CrmError::Gone`] for an id that is
    /// none.
    pub(super) fn change(&self, at: usize, write: &CrmWrite) -> Result<Option<Change>, CrmError> {
        let CrmWrite::Update {
            id,
            fields,
            record,
            matches,
        } = write
        else {
            return Ok(None);
        };
        let mut sheet = Sheet::change(self.model, *fields);
        convert::fill(&mut sheet, self.form, self.places, &self.owner, record)?;
        let (mut guests, mut answers, mut reminder) = (None, None, None);
        if let Record::Event(event) = record {
            let wanted = fields.has(Field::Attendees);
            let invited = || self.guests(&event.attendees, matches).into_iter();
            guests = wanted.then(|| invited().map(|(card, _)| card).collect());
            let told = fields.has(Field::Responses);
            answers = told.then(|| self.answers(at, event, matches));
            reminder = fields.has(Field::Reminder).then_some(event.reminder_minutes);
        }
        Ok(Some(Change {
            at,
            id: self.form.number(id).ok_or(CrmError::Gone)?,
            cells: sheet.finish(),
            guests,
            answers,
            reminder,
        }))
    }
}
