//! Can we act in a mailbox? `probe()`. Can we sign in at all? `greet()`.
//!
//! One GetFolder request in the mailbox, with the impersonation header: it fails the way every later call
//! would fail, and changes nothing. Where folders are chosen, their items are counted by a list of all.

use super::chosen_folders;
use super::client::{Client, Operation};
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{MailboxProbe, MailboxRef};
use crate::record::kind::RecordKind;

const FOLDERS: [(RecordKind, &str); 5] = [
    (RecordKind::Contacts, "contacts"),
    (RecordKind::Calendar, "calendar"),
    (RecordKind::Tasks, "tasks"),
    (RecordKind::Mail, "inbox"),
    (RecordKind::Mail, "sentitems"),
];

/// See [`MailboxServer::probe`](crate::mailbox::port::MailboxServer::probe). The number of mails is that of
/// the inbox and the sent items without their subfolders.
///
/// # Errors
/// Those of the port.
pub async fn probe(client: &Client, mailbox: &MailboxRef) -> Result<MailboxProbe, MailboxError> {
    let asked = FOLDERS.map(|(_, name)| FolderRef::Distinguished(name));
    let operation = Operation {
        name: "GetFolder",
        repeatable: true,
    };
    let answer: Vec<Result<Vec<RawFolder>, _>> = client
        .call(
            mailbox,
            operation,
            |w, _| get_folder::request(w, &asked),
            get_folder::read,
        )
        .await?;
    let mut items: Vec<(RecordKind, Option<u32>)> = Vec::new();
    for ((kind, _), message) in FOLDERS.into_iter().zip(answer) {
        let count = message?.first().and_then(|folder| folder.total);
        match items.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, sum)) => *sum = sum.zip(count).map(|(left, right)| left.saturating_add(right)),
            None => items.push((kind, count)),
        }
    }
    for (kind, count) in &mut items {
        let choice = mailbox.folders.of(*kind);
        if choice.is_some_and(|choice| !choice.is_default_alone()) {
            *count = chosen_folders::count(client, mailbox, *kind).await?;
        }
    }
    let server = client.build().map(|build| build.words()).unwrap_or_default();
    Ok(MailboxProbe { server, items })
}

/// See [`MailboxServer::greet`](crate::mailbox::port::MailboxServer::greet).
///
/// # Errors
/// Those of the port.
pub async fn greet(client: &Client) -> Result<String, MailboxError> {
    let build = client.greet().await?;
    Ok(build.map_or_else(|| "Exchange".to_owned(), |build| build.words()))
}
