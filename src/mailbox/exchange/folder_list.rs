//! Every folder of a mailbox, and which of them have no news.
//!
//! One FindFolder request lists every folder of the mailbox and says of each when its contents changed last, how
//! many items ever left it and how many are in it, so that a round over a hundred quiet folders costs one request.
//!
//! That mark says the second of the last change and no more (EWS writes a time as `xs:dateTime` without fractions).
//! An arrival in that second changes the counts; any other change leaves the same mark. A mark is therefore
//! believed only when it is still the same some seconds after it was first seen; until then the folder is read.

use super::client::{CallError, Client, Messages, Operation, Route};
use super::cursor::FolderPlace;
use super::wire::find_folder::{self, FoundFolders};
use super::wire::folder::{FolderRef, RawFolder};
use crate::mailbox::model::MailboxRef;
use std::time::Duration;

/// Marks are a short cut; the truth is asked for this often all the same.
pub const SWEEP: Duration = Duration::from_secs(6 * 3600);
/// A mark that is still the same after so long hides nothing: its second is over by the server's clock, whatever that
/// is, and a change that was under way then can be seen.
const BELIEVED_AFTER_MS: i64 = 3_000;
/// Pages of a folder list; a mailbox has tens of thousands of folders at most.
const MAX_PAGES: usize = 50;

/// All folders of the mailbox; by a route where the mailbox is one of a group.
///
/// # Errors
/// Those of the call.
pub async fn of(
    client: &Client,
    route: Option<&Route>,
    mailbox: &MailboxRef,
) -> Result<Vec<RawFolder>, CallError> {
    let root = FolderRef::Distinguished("msgfolderroot");
    let operation = Operation {
        name: "FindFolder",
        repeatable: true,
    };
    let mut all = Vec::new();
    for _ in 0..MAX_PAGES {
        let offset = all.len();
        let answer: Messages<FoundFolders> = client
            .call_by(
                route,
                mailbox,
                operation,
                |w, _| find_folder::request(w, root, offset),
                find_folder::read,
            )
            .await?;
        let mut last = true;
        for message in answer {
            let page = message.map_err(CallError::Fault)?;
            last = page.last || page.folders.is_empty();
            all.extend(page.folders);
        }
        if last {
            break;
        }
    }
    Ok(all)
}

/// Whether a folder with this mark has no news, and since when the mark is not believed yet. `now` is in milliseconds.
pub fn believe(before: Option<&FolderPlace>, mark: &str, now: i64) -> (bool, Option<i64>) {
    let same = before.filter(|place| place.state.is_some() && place.mark == mark);
    match same.map(|place| place.fresh_since) {
        Some(None) => (true, None),
        // What hid behind the mark is read now, for the last time.
        Some(Some(since)) if now - since >= BELIEVED_AFTER_MS => (false, None),
        Some(Some(since)) => (false, Some(since.min(now))),
        None => (false, Some(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
