//! What a turn may not make because a person is asked first. Pure.

use super::model::{Candidates, Choice, Choices, Stage, State};
use crate::crm::model::CrmId;
use crate::record::kind::RecordKind;
use crate::sync::gather::Work;
use crate::sync::model::{ItemKey, Reason, Side, Verdict};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// Turns verdicts that would make something into skips where a person is asked, or has said to leave it alone. Returns
/// what waits from now on; `choices` knows of it too.
pub fn hold(
    planned: &mut [(Work, Verdict)],
    choices: &mut Choices,
    candidates: &HashMap<ItemKey, Candidates>,
    (kind, now): (RecordKind, DateTime<Utc>),
) -> Vec<Choice> {
    let mut waits = Vec::new();
    if choices.is_empty() {
        return waits;
    }
    for (work, verdict) in planned {
        let makes = matches!(verdict, Verdict::CreateInCrm | Verdict::CreateInMailbox);
        // What was linked before and is made again is nothing that a first reading found.
        if !makes || work.link.is_some() {
            continue;
        }
        match asked(work, choices) {
            Answer::Go => {}
            Answer::Leave => *verdict = Verdict::Skip(Reason::LeftAlone),
            Answer::Wait => *verdict = Verdict::Skip(Reason::AwaitsChoice),
            Answer::Ask => {
                *verdict = Verdict::Skip(Reason::AwaitsChoice);
                let choice = choice(kind, work, candidates, now);
                choices.put(choice.clone());
                waits.push(choice);
            }
        }
    }
    waits
}

enum Answer {
    Go,
    Wait,
    Ask,
    Leave,
}

fn asked(work: &Work, choices: &Choices) -> Answer {
    let claimed = |crm: &CrmId| work.origin == Side::Crm && choices.is_claimed(crm);
    match choices.get(work.origin, work.key()).map(|row| row.state) {
        Some(State::Never) => Answer::Leave,
        Some(State::New) => Answer::Go,
        Some(State::Held) if choices.released => Answer::Go,
        Some(State::Held) => Answer::Wait,
        // Its chosen counterpart is not to be had any more: asked again, rather than made anew.
        Some(State::Accepted) => Answer::Ask,
        None if work.crm.as_ref().is_some_and(claimed) => Answer::Wait,
        None if choices.asks => Answer::Ask,
        None => Answer::Go,
    }
}

fn choice(
    kind: RecordKind,
    work: &Work,
    candidates: &HashMap<ItemKey, Candidates>,
    now: DateTime<Utc>,
) -> Choice {
    let key = work.key();
    let of_mailbox = work.origin == Side::Mailbox;
    let found = candidates.get(&key).filter(|_| of_mailbox).cloned();
    Choice {
        id: 0,
        kind,
        side: work.origin,
        key,
        item: work
            .item
            .as_ref()
            .filter(|_| of_mailbox)
            .map(|item| item.id.clone()),
        crm: work.crm.clone().filter(|_| !of_mailbox),
        candidates: found.unwrap_or(Candidates {
            stage: Stage::Alone,
            records: Vec::new(),
        }),
        state: State::Held,
        chosen: None,
        held_at: now,
    }
}
