//! What attendees answered, in their own rows (`calendar.attendee`). They come with their event, which knows nothing of
//! answers, so that these are set once the event is written. A plain write: Odoo's own buttons post a message under the
//! event besides, of which its followers are told.

use super::around;
use super::call::Call;
use super::client::Client;
use super::codes;
use super::convert::Form;
use crate::crm::error::CrmError;
use crate::crm::settled::Settled;
use crate::record::event::Response;
use serde_json::json;
use std::collections::BTreeMap;

/// What the guests of an event answered.
pub(super) struct Answers {
    /// Which write it belongs to.
    pub(super) at: usize,
    /// Each guest's card, and his answer.
    pub(super) guests: Vec<(i64, Response)>,
}

/// A row that is to be set, and the write that it belongs to.
struct Answer {
    row: i64,
    at: usize,
}

/// Sets the answers of events that were written. Where one cannot be set just now, that is the event's fate, and it is
/// written again; one that can never be set (gone meanwhile, no right) makes no failure of the event.
pub(super) async fn set(
    client: &Client,
    login: &str,
    answers: &[Answers],
    fates: &mut Settled,
) -> Result<(), CrmError> {
    for (state, rows) in differing(client, login, answers, fates).await? {
        let ids = rows.iter().map(|answer| answer.row).collect();
        if write(client, login, ids, state).await?.is_ok() {
            continue;
        }
        // One of them is to blame, and the others are not.
        for Answer { row, at } in rows {
            match write(client, login, vec![row], state).await? {
                Ok(()) => {}
                Err(error @ CrmError::Busy { .. }) => fates.settle(at, Err(error)),
                Err(_) => tracing::debug!(row, "an attendee's answer was refused"),
            }
        }
    }
    Ok(())
}

/// The rows that say something else, by what they are to say.
async fn differing(
    client: &Client,
    login: &str,
    answers: &[Answers],
    fates: &Settled,
) -> Result<BTreeMap<&'static str, Vec<Answer>>, CrmError> {
    let written = |of: &Answers| Form::Event.number(&fates.written(of.at)?.id);
    let events: Vec<(i64, &Answers)> = answers.iter().filter_map(|of| Some((written(of)?, of))).collect();
    let mut differing: BTreeMap<&str, Vec<Answer>> = BTreeMap::new();
    if events.is_empty() {
        return Ok(differing);
    }
    let ids: Vec<i64> = events.iter().map(|(id, _)| *id).collect();
    let there = around::guests(client, login, &ids).await?;
    for (id, Answers { at, guests }) in events {
        for guest in there.get(&id).into_iter().flatten() {
            let said = guests.iter().find(|(card, _)| *card == guest.partner);
            if let Some((_, response)) = said.filter(|(_, response)| *response != guest.response) {
                let answer = Answer {
                    row: guest.row,
                    at: *at,
                };
                differing.entry(state(*response)).or_default().push(answer);
            }
        }
    }
    Ok(differing)
}

/// What concerns these rows is in the inner result; what concerns every call ends the whole.
async fn write(
    client: &Client,
    login: &str,
    rows: Vec<i64>,
    state: &str,
) -> Result<Result<(), CrmError>, CrmError> {
    let call = Call::on("calendar.attendee", "write", rows).with("vals", json!({ "state": state }));
    match client.call(login, &call).await {
        Ok(_) => Ok(Ok(())),
        Err(error) if codes::is_of_record(&error) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

fn state(response: Response) -> &'static str {
    match response {
        Response::None => "needsAction",
        Response::Tentative => "tentative",
        Response::Accepted => "accepted",
        Response::Declined => "declined",
    }
}
