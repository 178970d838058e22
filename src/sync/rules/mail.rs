//! The rules for mail. What keeps a mail out whoever wishes it comes first; what its owner may overrule by marking it
//! comes after.

use super::context::RuleContext;
use crate::crm::model::WhoKind;
use crate::record::email::{Email, Protection};
use crate::record::event::Sensitivity;
use crate::record::person::Person;
use crate::sync::matching::matched;
use crate::sync::model::Reason;
use crate::sync::policy::{MailBody, MailPolicy};
use crate::sync::scope_policy::has_category;
use chrono::TimeDelta;

type Check = (&'static str, bool, Reason);

/// What every rule says of a mail, in order.
pub(super) fn checks(email: &Email, context: &RuleContext<'_>) -> Vec<Check> {
    let policy = &context.policy.mail;
    let oldest = context.now - TimeDelta::days(policy.past_days.into());
    let protected = match email.protection {
        Some(Protection::Rights) => policy.body == MailBody::Full,
        Some(Protection::Smime) | None => false,
    };
    let private = email.sensitivity != Sensitivity::Normal;
    let marked = is_marked(email, policy);
    let unless_marked = |keeps_out: bool| keeps_out && !marked;
    let who = |key: &_| context.known.get(key);
    let found = matched(email, &policy.matching, context.owner, who, context.places);
    let nowhere = context.mail_needs_record && found.under.is_none() && !has_card(email, context);
    vec![
        ("mail.sent", email.is_draft, Reason::Draft),
        ("mail.between_people", email.is_report, Reason::Report),
        ("mail.private", private, Reason::Private),
        ("mail.unprotected", protected, Reason::Protected),
        (
            "mail.not_blocked",
            names_one_of(email, &policy.block),
            Reason::Blocked,
        ),
        ("mail.allowed", !is_allowed(email, context), Reason::NotAllowed),
        ("mail.message_id", email.message_id.is_none(), Reason::NoMessageId),
        (
            "mail.on_demand",
            policy.on_demand.only && !marked,
            Reason::NotMarked,
        ),
        ("mail.window", unless_marked(email.at < oldest), Reason::Window),
        (
            "mail.not_internal",
            unless_marked(internal(email, context)),
            Reason::Internal,
        ),
        (
            "mail.matched",
            unless_marked(found.by.is_none()),
            Reason::NobodyKnown,
        ),
        ("mail.has_a_record", nowhere, Reason::NobodyKnown),
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

/// True where the CRM has a contact or a lead for somebody in the mail besides its owner.
fn has_card(email: &Email, context: &RuleContext<'_>) -> bool {
    let others = people_of(email)
        .map(Person::key)
        .filter(|key| key != context.owner);
    let known = others.filter_map(|key| context.known.get(&key));
    known
        .flat_map(|found| &found.who)
        .any(|who| who.kind != WhoKind::User)
}

/// True for a mail that its owner marked to be saved: by a category, or by the folder that it lies in.
pub fn is_marked(email: &Email, policy: &MailPolicy) -> bool {
    let mut wanted = policy.on_demand.categories.iter();
    email.dropped || wanted.any(|name| has_category(&email.categories, name))
}

/// True where an address, or its domain, is on a list.
fn names_one_of(email: &Email, list: &[String]) -> bool {
    if list.is_empty() {
        return false;
    }
    let list: Vec<String> = list.iter().map(|entry| comparable(entry)).collect();
    people_of(email).map(Person::key).any(|key| {
        let address = key.expose();
        list.iter()
            .any(|entry| entry == address || entry == domain(address))
    })
}

fn is_allowed(email: &Email, context: &RuleContext<'_>) -> bool {
    let list = &context.policy.mail.allow;
    list.is_empty() || names_one_of(email, list)
}

fn internal(email: &Email, context: &RuleContext<'_>) -> bool {
    let own = domain(context.owner.expose());
    let listed = &context.policy.mail.internal_domains;
    let listed: Vec<String> = listed.iter().map(|entry| comparable(entry)).collect();
    people_of(email).map(Person::key).all(|key| {
        let domain = domain(key.expose());
        domain == own || listed.iter().any(|entry| entry == domain)
    })
}

/// An entry of a list as it is compared: `@b.example` means the domain too.
fn comparable(entry: &str) -> String {
    entry.trim().trim_start_matches('@').to_lowercase()
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}
