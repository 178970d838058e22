//! In or out: the rules that decide whether an item takes part, each with its name, so that `explain` can
//! print what every one of them said. Pure.

use super::model::{Reason, Scope, Side};
use super::policy::{MailBody, Policy, PrivateItems, SeriesMode};
use crate::crm::model::{Match, WhoKind};
use crate::foundation::content::Content;
use crate::record::email::{Email, Protection};
use crate::record::event::{Event, Place, Sensitivity, When};
use crate::record::person::Person;
use crate::record::{Record, contact::Contact, task::Task};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};

/// What the rules may know.
pub struct RuleContext<'a> {
    /// The mailbox's policy.
    pub policy: &'a Policy,
    /// The instant of the turn.
    pub now: DateTime<Utc>,
    /// The mailbox's own address, in comparable form.
    pub owner: &'a Content<String>,
    /// Addresses of all mailboxes whose calendars are synchronised, in comparable form.
    pub synchronised: &'a HashSet<Content<String>>,
    /// Whom the CRM knows, by address in comparable form.
    pub known: &'a Known,
}

/// Addresses and whom the CRM knows by them.
#[derive(Default)]
pub struct Known(HashMap<Content<String>, Match>);

impl Known {
    /// Adds what the CRM answered.
    pub fn add(&mut self, matches: impl IntoIterator<Item = Match>) {
        self.0
            .extend(matches.into_iter().map(|found| (found.address.clone(), found)));
    }

    /// The match of an address; `None` where the CRM was not asked or knows nobody.
    pub fn get(&self, key: &Content<String>) -> Option<&Match> {
        self.0.get(key).filter(|found| !found.who.is_empty())
    }

    /// True where the CRM was asked about the address.
    pub fn asked(&self, key: &Content<String>) -> bool {
        self.0.contains_key(key)
    }

    /// The matches of these people, each address once.
    pub fn of<'p>(&self, people: impl Iterator<Item = &'p Person>) -> Vec<Match> {
        let mut seen = HashSet::new();
        people
            .map(Person::key)
            .filter(|key| seen.insert(key.clone()))
            .filter_map(|key| self.get(&key).cloned())
            .collect()
    }
}

/// What one rule said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// The rule's name.
    pub rule: &'static str,
    /// Why it keeps the item out; `None` where it lets it pass.
    pub out: Option<Reason>,
}

/// Asks every rule that concerns the record, in order.
pub fn rulings(record: &Record, side: Side, context: &RuleContext<'_>) -> Vec<Ruling> {
    let checks = match record {
        Record::Event(event) => event_checks(event, side, context),
        Record::Contact(contact) => contact_checks(contact),
        Record::Task(task) => task_checks(task, side),
        Record::Email(email) => email_checks(email, context),
    };
    checks
        .into_iter()
        .map(|(rule, keeps_out, reason)| Ruling {
            rule,
            out: keeps_out.then_some(reason),
        })
        .collect()
}

/// The first rule that keeps the record out decides.
pub fn scope(record: &Record, side: Side, context: &RuleContext<'_>) -> Scope {
    rulings(record, side, context)
        .into_iter()
        .find_map(|ruling| ruling.out)
        .map_or(Scope::In, Scope::Out)
}

type Check = (&'static str, bool, Reason);

fn event_checks(event: &Event, side: Side, context: &RuleContext<'_>) -> Vec<Check> {
    let policy = &context.policy.calendar;
    let from_mailbox = side == Side::Mailbox;
    let private = from_mailbox && event.sensitivity.is_private() && policy.private == PrivateItems::Skip;
    let organizer = event.organizer.as_ref().map(Person::key);
    let organizers_copy = from_mailbox
        && !event.is_organizer
        && organizer.is_some_and(|key| key != *context.owner && context.synchronised.contains(&key));
    vec![
        ("calendar.series", of_series(event, context), Reason::Series),
        ("calendar.takes_place", event.cancelled, Reason::Cancelled),
        ("calendar.private", private, Reason::Private),
        ("calendar.window", !in_window(event, context), Reason::Window),
        (
            "calendar.one_record_for_one_meeting",
            organizers_copy,
            Reason::OrganizersCopy,
        ),
    ]
}

/// A date of a series takes part by itself, if the policy has series at all; a series as a whole, and a date
/// of one that nobody can tell from its neighbours, do not.
fn of_series(event: &Event, context: &RuleContext<'_>) -> bool {
    match event.place {
        Place::Single => false,
        Place::Dated(_) => context.policy.calendar.series.mode == SeriesMode::Skip,
        Place::Occurrence | Place::Master => true,
    }
}

fn in_window(event: &Event, context: &RuleContext<'_>) -> bool {
    let policy = &context.policy.calendar;
    let (start, end) = match &event.when {
        When::Timed { start, end } => (*start, *end),
        When::AllDay { first, last } => {
            let midnight = |day: &chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
            (midnight(first), midnight(last) + TimeDelta::days(1))
        }
    };
    end >= context.now - TimeDelta::days(policy.past_days.into())
        && start <= context.now + TimeDelta::days(policy.future_days.into())
}

fn contact_checks(contact: &Contact) -> Vec<Check> {
    let nothing = [&contact.given_name, &contact.family_name, &contact.email]
        .iter()
        .all(|value| value.expose().trim().is_empty());
    vec![
        ("contacts.private", contact.is_private, Reason::Private),
        ("contacts.has_a_name", nothing, Reason::NothingToShow),
    ]
}

fn task_checks(task: &Task, side: Side) -> Vec<Check> {
    vec![
        ("tasks.single", task.is_recurring, Reason::Series),
        (
            "tasks.private",
            side == Side::Mailbox && task.is_private,
            Reason::Private,
        ),
    ]
}

fn email_checks(email: &Email, context: &RuleContext<'_>) -> Vec<Check> {
    let policy = &context.policy.mail;
    let oldest = context.now - TimeDelta::days(policy.past_days.into());
    let protected = match email.protection {
        Some(Protection::Rights) => policy.body == MailBody::Full,
        Some(Protection::Smime) | None => false,
    };
    vec![
        ("mail.sent", email.is_draft, Reason::Draft),
        ("mail.between_people", email.is_report, Reason::Report),
        (
            "mail.private",
            email.sensitivity != Sensitivity::Normal,
            Reason::Private,
        ),
        ("mail.unprotected", protected, Reason::Protected),
        ("mail.window", email.at < oldest, Reason::Window),
        ("mail.not_blocked", blocked(email, context), Reason::Blocked),
        ("mail.not_internal", internal(email, context), Reason::Internal),
        (
            "mail.somebody_known",
            !somebody_known(email, context),
            Reason::NobodyKnown,
        ),
        ("mail.message_id", email.message_id.is_none(), Reason::NoMessageId),
    ]
}

/// Everybody in a mail, sender first.
pub fn people_of(email: &Email) -> impl Iterator<Item = &Person> {
    email
        .from
        .iter()
        .chain(&email.to)
        .chain(&email.cc)
        .chain(&email.bcc)
}

fn blocked(email: &Email, context: &RuleContext<'_>) -> bool {
    people_of(email).map(Person::key).any(|key| {
        context.policy.mail.block.iter().any(|entry| {
            let entry = entry.to_lowercase();
            *key.expose() == entry || domain(key.expose()) == entry
        })
    })
}

fn internal(email: &Email, context: &RuleContext<'_>) -> bool {
    let own = domain(context.owner.expose());
    let listed = &context.policy.mail.internal_domains;
    people_of(email).map(Person::key).all(|key| {
        let domain = domain(key.expose());
        domain == own || listed.iter().any(|entry| entry.to_lowercase() == domain)
    })
}

fn somebody_known(email: &Email, context: &RuleContext<'_>) -> bool {
    people_of(email)
        .map(Person::key)
        .filter(|key| key != context.owner)
        .filter_map(|key| context.known.get(&key))
        .any(|found| {
            found
                .who
                .iter()
                .any(|who| matches!(who.kind, WhoKind::Contact | WhoKind::Lead))
        })
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Takes out of a record what the policy keeps back: the details of a masked private meeting, the body of
/// a mail of which only the header is saved. Returns true where something was kept back, so that nothing is
/// written back over the full item.
pub fn mask(record: &mut Record, policy: &Policy) -> bool {
    match record {
        Record::Event(event)
            if event.sensitivity.is_private() && policy.calendar.private == PrivateItems::Mask =>
        {
            event.subject = "Private appointment".into();
            event.body = Content::default();
            event.location = Content::default();
            event.attendees.clear();
            true
        }
        // A signed or encrypted body means nothing outside its envelope.
        Record::Email(email)
            if policy.mail.body == MailBody::HeaderOnly || email.protection == Some(Protection::Smime) =>
        {
            email.text = Content::default();
            email.html = Content::default();
            true
        }
        _ => false,
    }
}
