//! Which folders a stream of calendar, contacts or tasks reads where a policy names some beside the default one, or
//! in its place.
//!
//! One request lists all folders and tells which of them [have news](super::folder_list). Items carry the identifier
//! of their folder and not its name, so what was listed last is remembered for as long as the process lives. Where
//! nothing but the default folder is read, nothing of this is asked.

use super::client::{Client, Messages, Operation};
use super::cursor::{ChosenPlace, FolderPlace, Roots};
use super::folder_list::{self, SWEEP, believe};
use super::known_folders::{KnownFolders, default_folder, of_stream};
use super::wire::folder::{FolderRef, RawFolder};
use super::wire::get_folder;
use crate::mailbox::error::MailboxError;
use crate::mailbox::folders::FolderChoice;
use crate::mailbox::model::MailboxRef;
use crate::record::kind::RecordKind;
use std::sync::Arc;

/// Begins a round: the place of a stream that starts now, or what changed since, with the folders that must be read
/// marked as due.
///
/// # Errors
/// [`MailboxError::CursorLost`] where a folder that was read is none of the stream's any more: its items still exist,
/// and what becomes of them is not ours to say. [`MailboxError::NoSuchFolder`], and those of the calls.
pub async fn begin_round(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    place: Option<ChosenPlace>,
) -> Result<ChosenPlace, MailboxError> {
    let (roots, known) = match place {
        Some(place) => (place.roots, place.folders),
        None => (roots(client, mailbox, kind).await?, Vec::new()),
    };
    let folders = match is_told(mailbox, kind) || known.is_empty() {
        true => listed(client, mailbox, kind, &roots, &known).await?,
        // It read more once; what was left behind in other folders may still be linked.
        false => default_alone(&roots, &known),
    };
    let stays = |place: &FolderPlace| folders.iter().any(|folder| folder.id == place.id);
    if known.iter().any(|place| place.state.is_some() && !stays(place)) {
        return Err(MailboxError::CursorLost);
    }
    if folders.is_empty() {
        return Err(MailboxError::NoSuchFolder);
    }
    Ok(ChosenPlace { roots, folders })
}

/// Where somebody who reads from the default folder's place `state` on goes on.
///
/// # Errors
/// As [`begin_round`].
pub async fn go_on(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    state: String,
) -> Result<ChosenPlace, MailboxError> {
    let mut place = begin_round(client, mailbox, kind, None).await?;
    let default = place
        .folders
        .iter_mut()
        .find(|folder| folder.id == place.roots.default);
    default.ok_or(MailboxError::CursorLost)?.state = Some(state);
    Ok(place)
}

/// True where it matters in which folder an item lies.
fn is_told(mailbox: &MailboxRef, kind: RecordKind) -> bool {
    let choice = mailbox.folders.of(kind);
    choice.is_some_and(|choice| choice.told || !choice.is_default_alone())
}

/// The stream's folders by a list of all.
async fn listed(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
    roots: &Roots,
    known: &[FolderPlace],
) -> Result<Vec<FolderPlace>, MailboxError> {
    let choice = mailbox.folders.of(kind).cloned().unwrap_or_default();
    let all = folder_list::of(client, None, mailbox).await?;
    let session = client.session(mailbox);
    session.set_chosen_folders(kind, KnownFolders::of(&all, roots, kind, &choice));
    let sweep = session.sweep_is_due(kind, SWEEP);
    let now = client.clock().now().timestamp_millis();
    let place = |folder: &RawFolder| {
        let before = known.iter().find(|place| place.id == folder.id);
        let (quiet, fresh_since) = believe(before, &folder.mark, now);
        FolderPlace {
            id: folder.id.clone(),
            sent: false,
            dropped: false,
            state: before.and_then(|place| place.state.clone()),
            mark: folder.mark.clone(),
            fresh_since,
            due: sweep || !quiet || folder.mark.is_empty(),
        }
    };
    let folders = of_stream(&all, roots, kind, &choice);
    Ok(folders.into_iter().map(place).collect())
}

fn default_alone(roots: &Roots, known: &[FolderPlace]) -> Vec<FolderPlace> {
    let default = known.iter().filter(|place| place.id == roots.default);
    let due = |place: &FolderPlace| FolderPlace {
        due: true,
        ..place.clone()
    };
    default.map(due).collect()
}

/// Notes which folder is the default one, where nothing is known: what lies elsewhere is told without a list.
pub fn recall(client: &Client, mailbox: &MailboxRef, kind: RecordKind, roots: &Roots) {
    let session = client.session(mailbox);
    if session.chosen_folders(kind).is_none() {
        let nothing = KnownFolders::of(&[], roots, kind, &FolderChoice::default());
        session.set_chosen_folders(kind, nothing);
    }
}

async fn roots(client: &Client, mailbox: &MailboxRef, kind: RecordKind) -> Result<Roots, MailboxError> {
    let (default, _) = default_folder(kind).unwrap_or(("inbox", ""));
    let asked = [default, "deleteditems"].map(FolderRef::Distinguished);
    let operation = Operation {
        name: "GetFolder",
        repeatable: true,
    };
    let answer: Messages<Vec<RawFolder>> = client
        .call(
            mailbox,
            operation,
            |w, _| get_folder::identifiers(w, &asked),
            get_folder::read,
        )
        .await?;
    let mut ids = Vec::new();
    for message in answer {
        ids.push(match message.map_err(MailboxError::from) {
            Ok(folders) => folders
                .into_iter()
                .next()
                .map(|folder| folder.id)
                .unwrap_or_default(),
            // There is no such folder in this mailbox.
            Err(MailboxError::Gone) => String::new(),
            Err(error) => return Err(error),
        });
    }
    let [default, deleted]: [String; 2] = ids.try_into().map_err(|_| MailboxError::Unintelligible {
        what: "an answer of another length than the request",
    })?;
    Ok(Roots { default, deleted })
}

/// What is known of a stream's folders; asked for where it matters and nobody has asked yet. `None` where it does not.
///
/// # Errors
/// Those of the calls.
pub async fn known(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
) -> Result<Option<Arc<KnownFolders>>, MailboxError> {
    let session = client.session(mailbox);
    let known = session.chosen_folders(kind);
    let Some(choice) = mailbox.folders.of(kind).filter(|_| is_told(mailbox, kind)) else {
        return Ok(known);
    };
    if known.as_ref().is_some_and(|known| known.answers(choice)) {
        return Ok(known);
    }
    let roots = roots(client, mailbox, kind).await?;
    let all = folder_list::of(client, None, mailbox).await?;
    session.set_chosen_folders(kind, KnownFolders::of(&all, &roots, kind, choice));
    Ok(session.chosen_folders(kind))
}

/// The stream's folders in requests, the one into which new items go first.
///
/// # Errors
/// [`MailboxError::NoSuchFolder`], and those of the calls.
pub async fn chosen(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
) -> Result<Vec<String>, MailboxError> {
    let known = known(client, mailbox, kind).await?;
    let chosen = known.map(|known| known.chosen().to_vec()).unwrap_or_default();
    match chosen.is_empty() {
        true => Err(MailboxError::NoSuchFolder),
        false => Ok(chosen),
    }
}

/// How many items the stream's folders hold, where the server says of each.
///
/// # Errors
/// Those of the calls.
pub async fn count(
    client: &Client,
    mailbox: &MailboxRef,
    kind: RecordKind,
) -> Result<Option<u32>, MailboxError> {
    let choice = mailbox.folders.of(kind).cloned().unwrap_or_default();
    let roots = roots(client, mailbox, kind).await?;
    let all = folder_list::of(client, None, mailbox).await?;
    let mut counts = of_stream(&all, &roots, kind, &choice)
        .into_iter()
        .map(|folder| folder.total);
    Ok(counts.try_fold(0_u32, |sum, count| Some(sum.saturating_add(count?))))
}
