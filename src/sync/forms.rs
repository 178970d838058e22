//! Tasks of a CRM that has them in two forms.
//!
//! The policy names the form of what is new. What is linked stays what it is, whatever the policy says later: its id
//! tells its form, and while there is one of the other form, the CRM's feed shows both. Of the other form nothing takes
//! part but what is linked, or what we made and could not remember, so that a change of the policy doubles nothing and
//! deletes nothing.

use super::engine::Engine;
use super::error::SyncError;
use super::model::StreamId;
use super::policy::{Policy, TaskForm};
use super::store::links;
use crate::crm::model::{CrmId, CrmRecord};
use crate::crm::port::Crm;
use crate::crm::task_form::TaskForms;
use crate::record::kind::RecordKind;
use std::collections::HashSet;
use std::sync::Arc;

/// The form of a stream's new records, and what it has in the other one.
#[derive(Default)]
pub struct Forms {
    /// `None` where there is only one form.
    new: Option<TaskForm>,
    linked: HashSet<CrmId>,
}

impl Forms {
    /// True for a record in the form that new ones do not take.
    pub fn is_other(&self, id: &CrmId) -> bool {
        self.new.is_some_and(|form| TaskForm::of(id) != form)
    }

    /// True for such a record that takes no part.
    pub fn keep_out(&self, record: &CrmRecord) -> bool {
        self.is_other(&record.id) && record.key.is_none() && !self.linked.contains(&record.id)
    }
}

/// The CRM with tasks of the policy's form, as whoever asks what it has needs it set up.
pub fn of_policy(policy: &Policy, crm: Arc<dyn Crm>) -> Arc<dyn Crm> {
    crm.with_tasks(only(policy)).unwrap_or(crm)
}

fn only(policy: &Policy) -> TaskForms {
    let new = policy.tasks.form;
    TaskForms { new, both: false }
}

/// The CRM as this stream is to see it.
///
/// # Errors
/// The database's.
pub async fn seen_by(
    engine: &Engine,
    stream: StreamId,
    policy: &Policy,
    crm: Arc<dyn Crm>,
) -> Result<(Arc<dyn Crm>, Forms), SyncError> {
    let new = policy.tasks.form;
    let of_tasks = (stream.kind == RecordKind::Tasks).then(|| crm.with_tasks(only(policy)));
    let Some(one) = of_tasks.flatten() else {
        return Ok((crm, Forms::default()));
    };
    let linked = engine
        .db
        .run_for(stream.mailbox, move |conn| {
            links::of_form(conn, stream, new.other())
        })
        .await?;
    let both = TaskForms { new, both: true };
    let seen = match linked.is_empty() {
        true => one,
        false => crm.with_tasks(both).unwrap_or(one),
    };
    Ok((
        seen,
        Forms {
            new: Some(new),
            linked,
        },
    ))
}
