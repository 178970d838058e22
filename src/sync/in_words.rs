//! Verdicts in words, for previews and explanations. Ids, fields and reasons; no content.

use super::choice::model::Choice;
use super::gather::Work;
use super::model::{Side, Verdict};
use crate::record::field::FieldSet;

/// What a person would be asked about this.
pub(super) fn may_be(row: &Choice) -> String {
    let ids: Vec<&str> = row.candidates.records.iter().map(|id| id.0.as_str()).collect();
    match ids.is_empty() {
        true => row.candidates.stage.sentence().to_owned(),
        false => format!("{}: {}", row.candidates.stage.sentence(), ids.join(", ")),
    }
}

/// The id of the side that the news came from.
pub(super) fn id_of(work: &Work) -> String {
    match (work.origin, &work.item, &work.crm) {
        (Side::Mailbox, Some(item), _) | (_, Some(item), None) => item.id.0.clone(),
        (_, _, Some(crm)) => crm.0.clone(),
        (_, None, None) => String::new(),
    }
}

/// A verdict in words; `None` for one that writes nothing and leaves nothing out.
pub fn describe(verdict: &Verdict) -> Option<(&'static str, String)> {
    Some(match verdict {
        Verdict::InStep { .. } | Verdict::Ignore => return None,
        Verdict::Update {
            to_crm, to_mailbox, ..
        } if to_mailbox.is_empty() => ("update in CRM", words(*to_crm)),
        Verdict::Update {
            to_crm, to_mailbox, ..
        } if to_crm.is_empty() => ("update in mailbox", words(*to_mailbox)),
        Verdict::Update {
            to_crm, to_mailbox, ..
        } => (
            "update both",
            format!("to CRM: {}; to mailbox: {}", words(*to_crm), words(*to_mailbox)),
        ),
        Verdict::CreateInCrm => ("create in CRM", String::new()),
        Verdict::CreateInMailbox => ("create in mailbox", String::new()),
        Verdict::DeleteInCrm { because } => (
            "delete in CRM",
            because.map_or(String::new(), |reason| reason.sentence().to_owned()),
        ),
        Verdict::DeleteInMailbox { because } => (
            "delete in mailbox",
            because.map_or(String::new(), |reason| reason.sentence().to_owned()),
        ),
        Verdict::Unlink => ("unlink", String::new()),
        Verdict::LetGo(reason) => ("unlink", reason.sentence().to_owned()),
        Verdict::Skip(reason) => ("skip", reason.sentence().to_owned()),
    })
}

fn words(fields: FieldSet) -> String {
    fields
        .iter()
        .map(|field| field.word())
        .collect::<Vec<_>>()
        .join(", ")
}
