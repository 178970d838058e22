//! In which form a CRM keeps what is to be done, where it has more than one.
//!
//! A record's id says its form, so that what was made in one form is found again when the policy names the other.

use super::model::CrmId;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// What a task is in the CRM. A CRM that has one form only has tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskForm {
    /// A task: a record of its own.
    #[default]
    Task,
    /// An activity: a note of what is to be done next, by whom and when.
    Activity,
}

/// What the id of an activity begins with.
const ACTIVITY: &str = "activity-";

impl TaskForm {
    /// The form of the record with this id.
    pub fn of(id: &CrmId) -> Self {
        match id.0.starts_with(ACTIVITY) {
            true => Self::Activity,
            false => Self::Task,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Task => Self::Activity,
            Self::Activity => Self::Task,
        }
    }

    /// The id of a record that the CRM itself calls this.
    pub fn id(self, own: impl Display) -> CrmId {
        match self {
            Self::Task => CrmId(own.to_string()),
            Self::Activity => CrmId(format!("{ACTIVITY}{own}")),
        }
    }

    /// What the CRM itself calls the record with this id.
    pub fn own(id: &CrmId) -> &str {
        id.0.strip_prefix(ACTIVITY).unwrap_or(&id.0)
    }
}

/// Which tasks a stream has to do with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskForms {
    /// The form of new ones, and of those that the feed shows.
    pub new: TaskForm,
    /// True where the feed shows the other form as well.
    pub both: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_its_form_and_what_the_crm_calls_the_record() {
        for form in [TaskForm::Task, TaskForm::Activity] {
            let id = form.id(17);
            assert_eq!((TaskForm::of(&id), TaskForm::own(&id)), (form, "17"));
            assert_ne!(id, form.other().id(17));
        }
    }
}
