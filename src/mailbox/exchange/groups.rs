//! Distribution lists among the attendees of meetings: who is behind them.
//!
//! The list itself stays an attendee in the mailbox; its members count as guests where the CRM knows them. Exchange
//! takes a list apart one level at a time, so lists within lists are asked for in turn. A list whose members it does
//! not tell (membership is hidden, the list is gone, or has more members than one answer holds) stays as it is, and
//! how many those are is said beside the meeting. Answers are remembered for minutes, in memory only.

use super::client::{CallError, Client, Messages, Operation};
use super::convert::parts::person;
use super::members::Members;
use super::wire::expand_dl::{self, Expansion};
use super::wire::message::RawMailbox;
use crate::foundation::content::Content;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{MailboxItem, MailboxRef};
use crate::record::Record;
use crate::record::person::{Person, address_key};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer is remembered.
pub const KEEP: Duration = Duration::from_secs(600);
/// Members of one list, those of lists within it included. More people than any CRM links to a meeting.
const MOST_MEMBERS: usize = 5_000;
/// Lists behind one list that are asked for.
const MOST_LISTS: usize = 50;

/// What one call tells of one list: people, and lists within it. `None` where it tells nothing.
type OneLevel = Option<(Vec<Person>, Vec<Content<String>>)>;

/// The outer error concerns everybody, the inner one the meeting alone.
type Told<T> = Result<Result<T, MailboxError>, MailboxError>;

/// Fills in who is behind the lists of a meeting.
///
/// # Errors
/// Those of a call as a whole; the inner one is a passing fault of a list, with which the meeting is better read
/// again than taken for one without these guests.
pub async fn fill(client: &Client, mailbox: &MailboxRef, item: &mut MailboxItem) -> Told<()> {
    let Record::Event(event) = &mut item.record else {
        return Ok(Ok(()));
    };
    for group in &mut event.groups {
        let members = match members(client, mailbox, &group.key).await? {
            Ok(members) => members,
            Err(error) => return Ok(Err(error)),
        };
        group.members.clone_from(&members.people);
        group.hidden = members.hidden;
    }
    Ok(Ok(()))
}

async fn members(client: &Client, mailbox: &MailboxRef, list: &Content<String>) -> Told<Arc<Members>> {
    let session = client.session(mailbox);
    if let Some(known) = session.members(list, KEEP) {
        return Ok(Ok(known));
    }
    Ok(collect(client, mailbox, list).await?.map(|found| {
        let found = Arc::new(found);
        session.set_members(list.clone(), Arc::clone(&found));
        found
    }))
}

/// Level by level; a list that contains itself is asked for once.
async fn collect(client: &Client, mailbox: &MailboxRef, list: &Content<String>) -> Told<Members> {
    let mut members = Members::default();
    let mut met: HashSet<Content<String>> = HashSet::from([list.clone()]);
    let mut waiting = VecDeque::from([list.clone()]);
    let mut asked = 0;
    while let Some(list) = waiting.pop_front() {
        asked += 1;
        let level = match asked <= MOST_LISTS {
            true => one_level(client, mailbox, &list).await?,
            false => Ok(None),
        };
        let (people, lists) = match level {
            Ok(Some(level)) => level,
            Ok(None) => {
                members.hidden += 1;
                continue;
            }
            Err(error) => return Ok(Err(error)),
        };
        let new = people.into_iter().filter(|person| met.insert(person.key()));
        members.people.extend(new);
        waiting.extend(lists.into_iter().filter(|key| met.insert(key.clone())));
        if members.people.len() > MOST_MEMBERS {
            return Ok(Ok(Members {
                people: Vec::new(),
                hidden: 1,
            }));
        }
    }
    Ok(Ok(members))
}

async fn one_level(client: &Client, mailbox: &MailboxRef, list: &Content<String>) -> Told<OneLevel> {
    let operation = Operation {
        name: "ExpandDL",
        repeatable: true,
    };
    let answer: Result<Messages<Expansion>, CallError> = client
        .call(
            mailbox,
            operation,
            |w, _| expand_dl::request(w, list.expose()),
            expand_dl::read,
        )
        .await;
    let message = match answer {
        Ok(messages) => messages.into_iter().next(),
        Err(CallError::Fault(fault)) => Some(Err(fault)),
        Err(error) => return Err(error.into()),
    };
    let expansion = match message {
        Some(Ok(expansion)) => expansion,
        Some(Err(fault)) => {
            let error = MailboxError::from(fault);
            // Whatever else Exchange says of a list (no such one, no access) is no word about the mailbox.
            return match error.class() {
                Class::Again | Class::Throttled { .. } => Ok(Err(error)),
                _ => Ok(Ok(None)),
            };
        }
        None => return Ok(Ok(None)),
    };
    // An empty list looks like one whose membership is hidden.
    if expansion.cut || expansion.members.is_empty() {
        return Ok(Ok(None));
    }
    let (lists, people): (Vec<_>, Vec<_>) = expansion.members.into_iter().partition(RawMailbox::is_list);
    let lists = lists.into_iter().map(|raw| address_key(&raw.address));
    Ok(Ok(Some((
        people.into_iter().filter_map(person).collect(),
        lists.collect(),
    ))))
}
