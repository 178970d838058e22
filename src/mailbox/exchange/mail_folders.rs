//! Which folders the mail stream reads: the inbox, the sent items, everything below them, and those into which people
//! put mail to have it saved. Which of them have news is told by the [list](super::folder_list) of all folders.

use super::client::{Client, Operation};
use super::cursor::{FolderPlace, MailPlace};
use super::folder_list::{self, SWEEP, believe};
use super::known_folders::is_for_mail;
use super::session::MailFolder;
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::MailboxRef;
use crate::record::kind::RecordKind;
use std::collections::HashMap;

/// Begins a round: the place of a stream that starts now, or what changed since, with the folders that must be
/// read marked as due.
///
/// A folder that left the stream is forgotten. Its mail is not reported as deleted: it still exists, and what
/// was copied of it stays.
///
/// # Errors
/// Those of the calls.
pub async fn begin_round(
    client: &Client,
    mailbox: &MailboxRef,
    place: Option<MailPlace>,
) -> Result<MailPlace, MailboxError> {
    let (inbox, sent, known) = match place {
        Some(place) => (place.inbox, place.sent, place.folders),
        None => {
            let (inbox, sent) = roots(client, mailbox).await?;
            (inbox, sent, Vec::new())
        }
    };
    let all = folder_list::of(client, None, mailbox).await?;
    let sweep = client.session(mailbox).sweep_is_due(RecordKind::Mail, SWEEP);
    let now = client.clock().now().timestamp_millis();
    let known: HashMap<&str, &FolderPlace> = known.iter().map(|place| (place.id.as_str(), place)).collect();
    let folders: Vec<FolderPlace> = of_stream(&all, &inbox, &sent, &mailbox.drop_folders)
        .map(|(folder, MailFolder { sent, dropped })| {
            // Where the policy has come to name a folder, or names it no more, all of its mail is judged anew.
            let before = known.get(folder.id.as_str()).copied();
            let before = before.filter(|place| place.dropped == dropped);
            let (quiet, fresh_since) = believe(before, &folder.mark, now);
            FolderPlace {
                id: folder.id.clone(),
                sent,
                dropped,
                state: before.and_then(|place| place.state.clone()),
                mark: folder.mark.clone(),
                fresh_since,
                due: sweep || !quiet || folder.mark.is_empty(),
            }
        })
        .collect();
    remember(client, mailbox, &folders);
    Ok(MailPlace { inbox, sent, folders })
}

/// Tells the mailbox's session where sent mail lies.
pub fn remember(client: &Client, mailbox: &MailboxRef, folders: &[FolderPlace]) {
    let folders = folders
        .iter()
        .map(|place| {
            let folder = MailFolder {
                sent: place.sent,
                dropped: place.dropped,
            };
            (place.id.clone(), folder)
        })
        .collect();
    client.session(mailbox).set_mail_folders(folders);
}

/// The folders of the stream, each with what it says of its mail.
fn of_stream<'a>(
    all: &'a [RawFolder],
    inbox: &'a str,
    sent: &'a str,
    drop_folders: &'a [String],
) -> impl Iterator<Item = (&'a RawFolder, MailFolder)> {
    let dropped = move |folder: &RawFolder| {
        let name = folder.name.expose().trim().to_lowercase();
        is_for_mail(folder)
            && drop_folders
                .iter()
                .any(|wanted| wanted.trim().to_lowercase() == name)
    };
    let parents: HashMap<&str, &str> = all
        .iter()
        .map(|folder| (folder.id.as_str(), folder.parent.as_str()))
        .collect();
    all.iter().filter_map(move |folder| {
        let mut at = folder.id.as_str();
        // A tree that bites its own tail ends here all the same.
        for _ in 0..=parents.len() {
            if at == inbox || at == sent {
                let found = MailFolder {
                    sent: at == sent,
                    dropped: dropped(folder),
                };
                return Some((folder, found));
            }
            match parents.get(at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        let elsewhere = MailFolder {
            sent: false,
            dropped: true,
        };
        dropped(folder).then_some((folder, elsewhere))
    })
}

async fn roots(client: &Client, mailbox: &MailboxRef) -> Result<(String, String), MailboxError> {
    let asked = [
        FolderRef::Distinguished("inbox"),
        FolderRef::Distinguished("sentitems"),
    ];
    let operation = Operation {
        name: "GetFolder",
        repeatable: true,
    };
    let answer: Vec<_> = client
        .call(
            mailbox,
            operation,
            |w, _| get_folder::request(w, &asked),
            get_folder::read,
        )
        .await?;
    let mut ids = Vec::new();
    for message in answer {
        let folders: Vec<RawFolder> = message?;
        ids.extend(folders.into_iter().map(|folder| folder.id));
    }
    match <[String; 2]>::try_from(ids) {
        Ok([inbox, sent]) => Ok((inbox, sent)),
        Err(_) => Err(MailboxError::Unintelligible {
            what: "the mailbox has no inbox",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(id: &str, parent: &str) -> RawFolder {
        RawFolder {
            id: id.to_owned(),
            parent: parent.to_owned(),
            ..RawFolder::default()
        }
    }

    #[test]
    fn the_stream_is_the_inbox_the_sent_items_and_what_lies_below_them() {
        let all = [
            folder("inbox", "top"),
            folder("deep", "projects"),
            folder("projects", "inbox"),
            folder("sent", "top"),
            folder("2025", "sent"),
            folder("calendar", "top"),
            folder("loop", "loop"),
        ];
        let found: Vec<_> = of_stream(&all, "inbox", "sent", &[])
            .map(|(folder, found)| (folder.id.as_str(), found.sent))
            .collect();
        assert_eq!(
            found,
            [
                ("inbox", false),
                ("deep", false),
                ("projects", false),
                ("sent", true),
                ("2025", true)
            ]
        );
    }

    #[test]
    fn a_folder_for_mail_to_be_saved_is_found_by_its_name_wherever_it_is() {
        let named = |id: &str, parent: &str, name: &str, class: &str| RawFolder {
            name: name.into(),
            class: class.to_owned(),
            ..folder(id, parent)
        };
        let all = [
            folder("inbox", "top"),
            named("below", "inbox", "To the CRM", "IPF.Note"),
            named("beside", "top", "to the crm ", ""),
            named("people", "top", "To the CRM", "IPF.Contact"),
            named("other", "top", "Private", "IPF.Note"),
        ];
        let wanted = [" TO THE CRM".to_owned()];
        let found: Vec<_> = of_stream(&all, "inbox", "sent", &wanted)
            .map(|(folder, found)| (folder.id.as_str(), found.dropped))
            .collect();
        assert_eq!(found, [("inbox", false), ("below", true), ("beside", true)]);
    }
}
