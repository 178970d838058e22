//! New records through Odoo's import, each with an external id that follows from its key. An import is all or
//! nothing: rows that are refused are taken out and the others are sent again, until all are in.

use super::call::Call;
use super::client::Client;
use super::convert::Form;
use super::draft::Draft;
use super::wire::load::{self, Loaded, Refused};
use crate::crm::error::CrmError;
use crate::crm::model::CrmWritten;
use crate::crm::settled::Settled;
use std::collections::BTreeMap;
use std::time::Duration;

/// Rows in one call.
const MOST_ROWS: usize = 200;

/// The prefix of external ids that belong to no module of Odoo's.
const MODULE: &str = "__holdfast__";

/// Imports new records and settles their fates. Returns those that were refused, each with why.
pub(super) async fn import(
    client: &Client,
    login: &str,
    form: Form,
    mut drafts: Vec<Draft>,
    fates: &mut Settled,
) -> Result<Vec<(Draft, CrmError)>, CrmError> {
    // Always in one order: two imports that share keys wait for each other instead of locking each other out.
    drafts.sort_by(|a, b| a.key.cmp(&b.key));
    let mut unwanted = Vec::new();
    // Rows of one call have the same columns.
    let mut alike: BTreeMap<Vec<String>, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        alike.entry(titles(form, &draft)).or_default().push(draft);
    }
    for (titles, drafts) in alike {
        let mut waiting = batches(drafts);
        while let Some(mut batch) = waiting.pop() {
            let rows = batch.iter().map(|draft| texts(form, draft)).collect();
            let call = Call::of(form.model(), "load").with_all(load::arguments(&titles, rows));
            let outcome = match client.ask::<Loaded>(login, &call).await {
                Ok(loaded) => loaded.outcome(),
                // What the import itself cannot tell of a row refuses them all, so that each is tried alone.
                Err(error @ (CrmError::RuleRefused { .. } | CrmError::NotPermitted { .. })) => {
                    if batch.len() == 1 {
                        unwanted.extend(batch.pop().map(|only| (only, error)));
                        continue;
                    }
                    Err(Vec::new())
                }
                Err(error) => return Err(error),
            };
            match outcome {
                Ok(ids) => landed(form, &batch, &ids, fates),
                Err(refused) => waiting.extend(without(batch, &refused, &mut unwanted)),
            }
        }
    }
    Ok(unwanted)
}

fn titles(form: Form, draft: &Draft) -> Vec<String> {
    let mut titles = vec!["id".to_owned()];
    titles.extend(draft.cells.titles());
    if form == Form::Mail {
        titles.push("subtype_id/id".to_owned());
    }
    titles
}

fn texts(form: Form, draft: &Draft) -> Vec<String> {
    let mut texts = vec![format!("{MODULE}.{}_{}", form.word(), draft.key.0)];
    texts.extend(draft.cells.texts());
    if form == Form::Mail {
        // A note: what followers are told of is a discussion.
        texts.push("mail.mt_note".to_owned());
    }
    texts
}

fn batches(mut drafts: Vec<Draft>) -> Vec<Vec<Draft>> {
    let mut batches = Vec::new();
    while drafts.len() > MOST_ROWS {
        batches.push(drafts.split_off(drafts.len() - MOST_ROWS));
    }
    batches.push(drafts);
    batches
}

fn landed(form: Form, batch: &[Draft], ids: &[i64], fates: &mut Settled) {
    if ids.len() != batch.len() {
        // Which record is whose cannot be told; the repetition finds them by their keys.
        return;
    }
    for (draft, id) in batch.iter().zip(ids) {
        let written = CrmWritten {
            id: form.id(*id),
            existed: false,
            refused: Vec::new(),
        };
        fates.settle(draft.at, Ok(written));
    }
}

/// The rows that were not refused. Where none is named, halves: whoever is to blame ends up alone.
fn without(batch: Vec<Draft>, refused: &[Refused], unwanted: &mut Vec<(Draft, CrmError)>) -> Vec<Vec<Draft>> {
    let mut rest = Vec::new();
    let count = batch.len();
    for (row, draft) in batch.into_iter().enumerate() {
        let to_blame = refused
            .iter()
            .find(|refused| (refused.rows.0..=refused.rows.1).contains(&row));
        match to_blame {
            Some(refused) if refused.in_conflict => unwanted.push((draft, conflict())),
            Some(refused) => unwanted.push((draft, refusal(refused.field.clone()))),
            None if count == 1 => unwanted.push((draft, refusal(None))),
            None => rest.push(draft),
        }
    }
    if rest.is_empty() {
        return Vec::new();
    }
    if rest.len() < count {
        return vec![rest];
    }
    let half = rest.split_off(count / 2);
    vec![rest, half]
}

/// Somebody else wrote the same rows; unless it was the same record, which is found then, it passes.
fn conflict() -> CrmError {
    CrmError::Busy {
        code: "import in conflict".to_owned(),
        wait: Duration::from_secs(1),
    }
}

fn refusal(field: Option<String>) -> CrmError {
    CrmError::RuleRefused {
        code: "import refused".to_owned(),
        fields: field.into_iter().collect(),
    }
}
