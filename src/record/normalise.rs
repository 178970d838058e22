//! Common form: what both sides can hold, so that equal things compare equal.
//!
//! [`fit`] changes a record before it is written or compared: it removes what no side keeps (control
//! characters, blank ends) and cuts what the narrower side cannot hold. [`value`] gives one field's
//! canonical bytes, which are fingerprinted and then forgotten; it is more forgiving than `fit` (runs of
//! white space, the case of an address, the punctuation of a telephone number), because a side that
//! reformats a value has not changed it.

use super::contact::PostalAddress;
use super::event::{Response, ShowAs, When};
use super::field::{Field, FieldSet};
use super::kind::RecordKind;
use super::places::Places;
use super::task::{Priority, Status};
use super::{Record, contact::Contact, event::Event, task::Task};
use crate::foundation::content::Content;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the narrower side can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Longest text of a field in characters; a field that is not listed has no limit.
    pub lengths: Vec<(Field, usize)>,
    /// False where "tentative" must be folded into "busy".
    pub tentative: bool,
    /// False where "out of office" must be folded into "busy".
    pub out_of_office: bool,
    /// False where an answer of "perhaps" must be folded into none.
    pub perhaps: bool,
    /// False where a task that waits or is put off must be folded into "in progress" and "not started".
    pub waiting: bool,
    /// False where a task that was begun must be folded into one that was not.
    pub started: bool,
    /// False where a task that can wait must be folded into one that is as usual.
    pub low_priority: bool,
    /// False where a task has a day by which it is due, always.
    pub undated: bool,
    /// The countries and states that can be held; `None` where any text can.
    pub places: Option<Arc<Places>>,
}

impl Bounds {
    /// No bounds at all.
    pub fn none() -> Self {
        Self {
            lengths: Vec::new(),
            tentative: true,
            out_of_office: true,
            perhaps: true,
            waiting: true,
            started: true,
            low_priority: true,
            undated: true,
            places: None,
        }
    }

    fn length(&self, field: Field) -> usize {
        self.lengths
            .iter()
            .find(|(of, _)| *of == field)
            .map_or(usize::MAX, |(_, length)| *length)
    }
}

/// Brings a record to common form. Returns the fields that had to be cut: their full value lives on one
/// side only and must not be overwritten from the other.
pub fn fit(record: &mut Record, bounds: &Bounds) -> FieldSet {
    match record {
        Record::Event(event) => fit_event(event, bounds),
        Record::Contact(contact) => fit_contact(contact, bounds),
        Record::Task(task) => fit_task(task, bounds),
        Record::Email(_) => FieldSet::NONE,
    }
}

fn fit_event(event: &mut Event, bounds: &Bounds) -> FieldSet {
    if !bounds.tentative && event.show_as == ShowAs::Tentative {
        event.show_as = ShowAs::Busy;
    }
    if !bounds.out_of_office && event.show_as == ShowAs::OutOfOffice {
        event.show_as = ShowAs::Busy;
    }
    for attendee in &mut event.attendees {
        if !bounds.perhaps && attendee.response == Response::Tentative {
            attendee.response = Response::None;
        }
    }
    Cutter::new(bounds)
        .line(Field::Subject, &mut event.subject)
        .text(Field::Body, &mut event.body)
        .line(Field::Location, &mut event.location)
        .cut
}

fn fit_contact(contact: &mut Contact, bounds: &Bounds) -> FieldSet {
    let unplaced = match &bounds.places {
        Some(places) => !fit_places(&mut contact.address, places),
        None => false,
    };
    let PostalAddress {
        street,
        city,
        state,
        postal_code,
        country,
    } = &mut contact.address;
    let cut = Cutter::new(bounds)
        .line(Field::GivenName, &mut contact.given_name)
        .line(Field::FamilyName, &mut contact.family_name)
        .line(Field::Company, &mut contact.company)
        .line(Field::JobTitle, &mut contact.job_title)
        .line(Field::Department, &mut contact.department)
        .line(Field::Email, &mut contact.email)
        .line(Field::BusinessPhone, &mut contact.business_phone)
        .line(Field::HomePhone, &mut contact.home_phone)
        .line(Field::MobilePhone, &mut contact.mobile_phone)
        .line(Field::Fax, &mut contact.business_fax)
        .text(Field::Address, street)
        .line(Field::Address, city)
        .line(Field::Address, state)
        .line(Field::Address, postal_code)
        .line(Field::Address, country)
        .text(Field::Body, &mut contact.notes)
        .cut;
    match unplaced {
        true => cut.with(Field::Address),
        false => cut,
    }
}

/// Brings country and state to the names that the list has for them; false where it lacks one.
fn fit_places(address: &mut PostalAddress, places: &Places) -> bool {
    let named = |text: &Content<String>| !text.expose().trim().is_empty();
    let (had_country, had_state) = (named(&address.country), named(&address.state));
    let country = places.country(address.country.expose());
    let state = country.and_then(|country| places.state(&country.name, address.state.expose()));
    address.country = Content::new(country.map(|place| place.name.clone()).unwrap_or_default());
    address.state = Content::new(state.map(|place| place.name.clone()).unwrap_or_default());
    had_country == country.is_some() && had_state == state.is_some()
}

fn fit_task(task: &mut Task, bounds: &Bounds) -> FieldSet {
    if !bounds.waiting {
        task.status = match task.status {
            Status::Waiting => Status::InProgress,
            Status::Deferred => Status::NotStarted,
            other => other,
        };
    }
    if !bounds.started && task.status == Status::InProgress {
        task.status = Status::NotStarted;
    }
    if !bounds.low_priority && task.priority == Priority::Low {
        task.priority = Priority::Normal;
    }
    let cut = Cutter::new(bounds)
        .line(Field::Subject, &mut task.subject)
        .text(Field::Body, &mut task.body)
        .cut;
    match task.due.is_none() && !bounds.undated {
        // Whatever day the other side put in its place is nobody's wish.
        true => cut.with(Field::Due),
        false => cut,
    }
}

struct Cutter<'a> {
    bounds: &'a Bounds,
    cut: FieldSet,
}

impl<'a> Cutter<'a> {
    fn new(bounds: &'a Bounds) -> Self {
        Self {
            bounds,
            cut: FieldSet::NONE,
        }
    }

    fn line(self, field: Field, value: &mut Content<String>) -> Self {
        let clean: String = value
            .expose()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.keep(field, value, clean)
    }

    fn text(self, field: Field, value: &mut Content<String>) -> Self {
        let clean = value.expose().replace("\r\n", "\n").replace('\r', "\n");
        let clean = clean
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect();
        self.keep(field, value, clean)
    }

    fn keep(mut self, field: Field, value: &mut Content<String>, clean: String) -> Self {
        let trimmed = clean.trim();
        let length = self.bounds.length(field);
        let cut: String = trimmed.chars().take(length).collect();
        if cut.len() < trimmed.len() {
            self.cut = self.cut.with(field);
        }
        *value = Content::new(cut.trim_end().to_owned());
        self
    }
}

/// The canonical bytes of one field; empty bytes mean that the field is empty. `attendees` are the keys of
/// the attendees whom the CRM knows, sorted: the record alone cannot tell.
pub fn value(record: &Record, field: Field, attendees: &[Content<String>]) -> Content<Vec<u8>> {
    Content::new(match record {
        Record::Event(event) => event_value(event, field, attendees),
        Record::Contact(contact) => contact_value(contact, field),
        Record::Task(task) => task_value(task, field),
        Record::Email(_) => Vec::new(),
    })
}

fn event_value(event: &Event, field: Field, attendees: &[Content<String>]) -> Vec<u8> {
    match field {
        Field::Subject => words(&event.subject),
        Field::Body => words(&event.body),
        Field::Location => words(&event.location),
        Field::When => match &event.when {
            When::Timed { start, end } => format!("t{} {}", start.timestamp(), end.timestamp()),
            When::AllDay { first, last } => format!("d{first} {last}"),
        }
        .into_bytes(),
        Field::ShowAs => vec![event.show_as as u8 + 1],
        Field::Privacy => flag(event.sensitivity.is_private()),
        Field::Reminder => event
            .reminder_minutes
            .map(|minutes| minutes.to_string().into_bytes())
            .unwrap_or_default(),
        Field::Attendees => attendees
            .iter()
            .map(|key| key.expose().as_str())
            .collect::<Vec<_>>()
            .join("\n")
            .into_bytes(),
        Field::Responses => responses(event, attendees),
        _ => Vec::new(),
    }
}

/// Who of these answered, and what; of somebody who was asked twice the first answer counts.
fn responses(event: &Event, attendees: &[Content<String>]) -> Vec<u8> {
    let mut said: BTreeMap<Content<String>, Response> = BTreeMap::new();
    for attendee in &event.attendees {
        said.entry(attendee.person.key()).or_insert(attendee.response);
    }
    said.retain(|key, response| *response != Response::None && attendees.contains(key));
    let mut out = Vec::new();
    for (key, response) in said {
        out.extend_from_slice(key.expose().as_bytes());
        out.extend([b'\n', response as u8]);
    }
    out
}

fn contact_value(contact: &Contact, field: Field) -> Vec<u8> {
    match field {
        Field::GivenName => words(&contact.given_name),
        Field::FamilyName => words(&contact.family_name),
        Field::FullName => full_name(contact),
        Field::Company => words(&contact.company),
        Field::JobTitle => words(&contact.job_title),
        Field::Department => words(&contact.department),
        Field::Email => contact.email.expose().trim().to_lowercase().into_bytes(),
        Field::BusinessPhone => digits(&contact.business_phone),
        Field::HomePhone => digits(&contact.home_phone),
        Field::MobilePhone => digits(&contact.mobile_phone),
        Field::Fax => digits(&contact.business_fax),
        Field::Address => address_value(&contact.address),
        Field::Body => words(&contact.notes),
        _ => Vec::new(),
    }
}

/// However a name is parted, its words are the same.
fn full_name(contact: &Contact) -> Vec<u8> {
    let parts = [words(&contact.given_name), words(&contact.family_name)];
    let parts: Vec<Vec<u8>> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(&b' ')
}

fn address_value(address: &PostalAddress) -> Vec<u8> {
    let parts = [
        &address.street,
        &address.city,
        &address.state,
        &address.postal_code,
        &address.country,
    ]
    .map(words);
    if parts.iter().all(Vec::is_empty) {
        Vec::new()
    } else {
        parts.join(&b'\n')
    }
}

fn task_value(task: &Task, field: Field) -> Vec<u8> {
    match field {
        Field::Subject => words(&task.subject),
        Field::Body => words(&task.body),
        Field::Due => task
            .due
            .map(|due| due.to_string().into_bytes())
            .unwrap_or_default(),
        Field::Status => vec![task.status as u8 + 1],
        Field::Priority => vec![task.priority as u8 + 1],
        Field::Reminder => task
            .reminder
            .map(|at| at.timestamp().to_string().into_bytes())
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// White space is where servers disagree most (wrapped lines, closing line breaks): runs count as one.
fn words(text: &Content<String>) -> Vec<u8> {
    let mut out = String::with_capacity(text.expose().len());
    for word in text.expose().split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out.into_bytes()
}

/// A telephone number is its digits; a text without any digit is compared as text.
fn digits(text: &Content<String>) -> Vec<u8> {
    let kept: String = text
        .expose()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == '+')
        .collect();
    if kept.chars().any(|c| c.is_ascii_digit()) {
        kept.into_bytes()
    } else {
        words(text)
    }
}

fn flag(set: bool) -> Vec<u8> {
    if set { vec![1] } else { Vec::new() }
}

/// The fields of a record that are compared, in the order of their numbers.
pub fn fields(kind: RecordKind) -> impl Iterator<Item = Field> {
    FieldSet::of_kind(kind).iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(notes: &str, phone: &str) -> Record {
        Record::Contact(Contact {
            notes: notes.into(),
            business_phone: phone.into(),
            ..Contact::default()
        })
    }

    fn same(a: &Record, b: &Record, field: Field) -> bool {
        value(a, field, &[]) == value(b, field, &[])
    }

    #[test]
    fn white_space_and_punctuation_that_a_server_adds_are_not_a_change() {
        let a = contact("one two\r\n three", "+49 (30) 123-45");
        let b = contact(" one  two\nthree\r\n", "+493012345");
        assert!(same(&a, &b, Field::Body));
        assert!(same(&a, &b, Field::BusinessPhone));
    }

    #[test]
    fn a_changed_word_is_a_change() {
        assert!(!same(
            &contact("one two", ""),
            &contact("one too", ""),
            Field::Body
        ));
    }

    #[test]
    fn a_text_beyond_the_bound_is_cut_between_characters_and_reported() {
        let mut record = contact("héé", "");
        let bounds = Bounds {
            lengths: vec![(Field::Body, 2)],
            ..Bounds::none()
        };
        assert!(fit(&mut record, &bounds) == FieldSet::of(&[Field::Body]));
        assert!(same(&record, &contact("hé", ""), Field::Body));
    }

    #[test]
    fn a_country_that_the_list_lacks_stays_on_its_side_and_one_that_it_has_gets_its_name() {
        let mut places = Places::default();
        places.add_country(57, "Germany", Some("DE"));
        let bounds = Bounds {
            places: Some(Arc::new(places)),
            ..Bounds::none()
        };
        let fitted = |country: &str| {
            let mut card = Contact::default();
            card.address.country = country.into();
            let mut record = Record::Contact(card);
            let cut = fit(&mut record, &bounds);
            let Record::Contact(card) = record else {
                panic!("a contact")
            };
            (card.address.country.expose().clone(), cut.has(Field::Address))
        };
        assert_eq!(fitted("de"), ("Germany".to_owned(), false));
        assert_eq!(fitted("Deutschland"), (String::new(), true));
        assert_eq!(fitted(""), (String::new(), false));
    }

    #[test]
    fn a_task_without_a_day_keeps_none_where_the_other_side_must_have_one() {
        let bounds = Bounds {
            undated: false,
            ..Bounds::none()
        };
        let cut = |due: Option<chrono::NaiveDate>, bounds: &Bounds| {
            let mut record = Record::Task(Task {
                due,
                ..Task::default()
            });
            fit(&mut record, bounds).has(Field::Due)
        };
        assert!(cut(None, &bounds));
        assert!(!cut(chrono::NaiveDate::from_ymd_opt(2026, 3, 1), &bounds));
        assert!(!cut(None, &Bounds::none()));
    }

    #[test]
    fn a_whole_name_is_the_same_however_it_is_parted() {
        let named = |given: &str, family: &str| {
            Record::Contact(Contact {
                given_name: given.into(),
                family_name: family.into(),
                ..Contact::default()
            })
        };
        assert!(same(
            &named("Anna", "van der Berg"),
            &named("Anna van der", "Berg"),
            Field::FullName
        ));
        assert!(!same(&named("Anna", ""), &named("Ann", "a"), Field::FullName));
    }

    #[test]
    fn fitting_twice_changes_nothing_more() {
        let bounds = Bounds {
            lengths: vec![(Field::Body, 5)],
            ..Bounds::none()
        };
        let mut once = contact("ab \u{b} cde fgh  ", "");
        fit(&mut once, &bounds);
        let mut twice = once.clone();
        assert!(fit(&mut twice, &bounds).is_empty());
        assert!(once == twice);
    }
}
