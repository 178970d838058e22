//! Which folders the mail stream reads: the inbox, the sent items, everything below them, and those into which people
//! put mail to have it saved.
//!
//! One FindFolder request lists every folder of the mailbox and says of each when its contents changed last, how
//! many items ever left it and how many are in it, so that a round over a hundred quiet folders costs one request.

use super::client::{Client, Operation};
use super::cursor::{FolderPlace, MailPlace};
use super::session::MailFolder;
use super::wire::find_folder::{self, FoundFolders};
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::MailboxRef;
use std::collections::HashMap;
use std::time::Duration;

/// Marks are a short cut; the truth is asked for this often all the same.
const SWEEP: Duration = Duration::from_secs(6 * 3600);
/// A mark says the second of the last change, as EWS writes times, and counts; so a change that counts nothing, such as
/// a category, leaves the same mark within the second in which the folder was listed. A mark is therefore believed
/// only when it is still the same so long after it was first seen, when its second is over by the server's clock,
/// whatever that is; until then the folder is read.
const BELIEVED_AFTER_MS: i64 = 3_000;
/// Pages of a folder list; a mailbox has tens of thousands of folders at most.
const MAX_PAGES: usize = 50;

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
    let all = list(client, mailbox).await?;
    let sweep = client.session(mailbox).sweep_is_due(SWEEP);
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

/// Whether a folder with this mark has no news, and since when the mark is not believed yet.
fn believe(before: Option<&FolderPlace>, mark: &str, now: i64) -> (bool, Option<i64>) {
    let same = before.filter(|place| place.state.is_some() && place.mark == mark);
    match same.map(|place| place.fresh_since) {
        Some(None) => (true, None),
        // What hid behind the mark is read now, for the last time.
        Some(Some(since)) if now - since >= BELIEVED_AFTER_MS => (false, None),
        Some(Some(since)) => (false, Some(since.min(now))),
        None => (false, Some(now)),
    }
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
    let is_for_mail = |folder: &RawFolder| folder.class.is_empty() || folder.class.starts_with("IPF.Note");
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

/// All folders of the mailbox.
async fn list(client: &Client, mailbox: &MailboxRef) -> Result<Vec<RawFolder>, MailboxError> {
    let root = FolderRef::Distinguished("msgfolderroot");
    let operation = Operation {
        name: "FindFolder",
        repeatable: true,
    };
    let mut all = Vec::new();
    for _ in 0..MAX_PAGES {
        let offset = all.len();
        let answer: Vec<_> = client
            .call(
                mailbox,
                operation,
                |w, _| find_folder::request(w, root, offset),
                find_folder::read,
            )
            .await?;
        let mut last = true;
        for message in answer {
            let page: FoundFolders = message?;
            last = page.last || page.folders.is_empty();
            all.extend(page.folders);
        }
        if last {
            break;
        }
    }
    Ok(all)
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
    fn a_mark_is_believed_when_it_is_the_same_some_seconds_after_it_was_first_seen() {
        let place = |mark: &str, fresh_since| FolderPlace {
            id: "inbox".to_owned(),
            sent: false,
            dropped: false,
            state: Some("state".to_owned()),
            mark: mark.to_owned(),
            fresh_since,
            due: false,
        };
        assert_eq!(believe(None, "a", 1_000), (false, Some(1_000)));
        assert_eq!(
            believe(Some(&place("a", Some(1_000))), "a", 1_900),
            (false, Some(1_000))
        );
        assert_eq!(believe(Some(&place("a", Some(1_000))), "a", 9_000), (false, None));
        assert_eq!(believe(Some(&place("a", None)), "a", 9_500), (true, None));
        assert_eq!(believe(Some(&place("a", None)), "b", 9_500), (false, Some(9_500)));
        // Our clock was set back: it is not waited for.
        assert_eq!(
            believe(Some(&place("a", Some(9_000))), "a", 1_000),
            (false, Some(1_000))
        );
        let unread = FolderPlace {
            state: None,
            ..place("a", None)
        };
        assert_eq!(believe(Some(&unread), "a", 9_500), (false, Some(9_500)));
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
