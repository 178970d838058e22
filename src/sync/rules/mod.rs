//! In or out: the rules that decide whether an item takes part, each with its name, so that `explain` can
//! print what every one of them said. Pure.

mod context;
mod mail;
#[cfg(test)]
mod tests;

pub use context::{Known, Marks, RuleContext};
pub use mail::{is_marked, people_of};

use super::model::{Reason, Scope, Side};
use super::policy::{CategoryRules, FolderRules, MailBody, Policy, PrivateItems, SeriesMode};
use crate::foundation::content::Content;
use crate::record::email::Protection;
use crate::record::event::{Event, Place};
use crate::record::person::Person;
use crate::record::{Record, contact::Contact, task::Task};
use chrono::TimeDelta;

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
        Record::Contact(contact) => contact_checks(contact, side, context),
        Record::Task(task) => task_checks(task, side, context),
        Record::Email(email) => mail::checks(email, context),
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
        (
            "calendar.folders",
            elsewhere(&policy.folders, context),
            Reason::Folder,
        ),
        (
            "calendar.categories",
            from_mailbox && kept_out(&policy.categories, context),
            Reason::Category,
        ),
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
    let (start, end) = event.when.span();
    end >= context.now - TimeDelta::days(policy.past_days.into())
        && start <= context.now + TimeDelta::days(policy.future_days.into())
}

/// Categories are marks of the mailbox: a record of the CRM has none and passes, and so does an item that we made of
/// one, unless its owner gave it a category that keeps it out.
fn kept_out(rules: &CategoryRules, context: &RuleContext<'_>) -> bool {
    rules.keep_out(context.marks.categories, context.marks.copy)
}

/// A record of the CRM lies in no folder.
fn elsewhere(rules: &FolderRules, context: &RuleContext<'_>) -> bool {
    context.marks.folder.is_some_and(|folder| rules.keep_out(folder))
}

fn contact_checks(contact: &Contact, side: Side, context: &RuleContext<'_>) -> Vec<Check> {
    let nothing = [&contact.given_name, &contact.family_name, &contact.email]
        .iter()
        .all(|value| value.expose().trim().is_empty());
    vec![
        ("contacts.private", contact.is_private, Reason::Private),
        (
            "contacts.folders",
            elsewhere(&context.policy.contacts.folders, context),
            Reason::Folder,
        ),
        (
            "contacts.categories",
            side == Side::Mailbox && kept_out(&context.policy.contacts.categories, context),
            Reason::Category,
        ),
        (
            "contacts.list",
            side == Side::Crm
                && context.policy.contacts.list.is_some()
                && !(context.marks.listed || context.marks.copy),
            Reason::List,
        ),
        ("contacts.has_a_name", nothing, Reason::NothingToShow),
    ]
}

fn task_checks(task: &Task, side: Side, context: &RuleContext<'_>) -> Vec<Check> {
    vec![
        // In the mailbox it stands for the occurrence whose turn it is. In the CRM it is a rule, whose occurrences are
        // records of their own.
        (
            "tasks.single",
            side == Side::Crm && task.is_recurring,
            Reason::Series,
        ),
        (
            "tasks.private",
            side == Side::Mailbox && task.is_private,
            Reason::Private,
        ),
        (
            "tasks.folders",
            elsewhere(&context.policy.tasks.folders, context),
            Reason::Folder,
        ),
        (
            "tasks.categories",
            side == Side::Mailbox && kept_out(&context.policy.tasks.categories, context),
            Reason::Category,
        ),
    ]
}

/// Takes out of a record what the policy keeps back: the details of a masked private meeting, the body of
/// a mail of which only the header, or less, is saved. Returns true where something was kept back, so that nothing is
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
            event.groups.clear();
            true
        }
        // A signed or encrypted body means nothing outside its envelope.
        Record::Email(email)
            if policy.mail.body != MailBody::Full || email.protection == Some(Protection::Smime) =>
        {
            email.text = Content::default();
            email.html = Content::default();
            if policy.mail.body == MailBody::None {
                email.subject = Content::default();
            }
            true
        }
        _ => false,
    }
}
