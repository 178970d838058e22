//! What things are called in Odoo.

use crate::crm::model::CrmId;
use crate::crm::task_form::TaskForm;
use crate::record::kind::RecordKind;

/// The field that holds our key. An administrator makes it once on each model.
pub(in crate::crm::odoo) const KEY: &str = "x_holdfast_key";

/// What a record is in Odoo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::crm::odoo) enum Form {
    Event,
    Contact,
    Task,
    Activity,
    Mail,
}

impl Form {
    /// What a new record of a kind is.
    pub(in crate::crm::odoo) fn of(kind: RecordKind, tasks: TaskForm) -> Self {
        match (kind, tasks) {
            (RecordKind::Calendar, _) => Self::Event,
            (RecordKind::Contacts, _) => Self::Contact,
            (RecordKind::Tasks, TaskForm::Task) => Self::Task,
            (RecordKind::Tasks, TaskForm::Activity) => Self::Activity,
            (RecordKind::Mail, _) => Self::Mail,
        }
    }

    /// What the record of a kind with this id is.
    pub(in crate::crm::odoo) fn of_id(kind: RecordKind, id: &CrmId) -> Self {
        Self::of(kind, TaskForm::of(id))
    }

    /// The other thing that a task may be.
    pub(in crate::crm::odoo) fn other(self) -> Option<Self> {
        match self {
            Self::Task => Some(Self::Activity),
            Self::Activity => Some(Self::Task),
            Self::Event | Self::Contact | Self::Mail => None,
        }
    }

    /// The id of the record with this number.
    pub(in crate::crm::odoo) fn id(self, number: i64) -> CrmId {
        let form = match self {
            Self::Activity => TaskForm::Activity,
            _ => TaskForm::Task,
        };
        form.id(number)
    }

    /// The number behind an id; `None` for what is none of this model's.
    pub(in crate::crm::odoo) fn number(self, id: &CrmId) -> Option<i64> {
        let of_activity = TaskForm::of(id) == TaskForm::Activity;
        let own = (of_activity == (self == Self::Activity)).then(|| TaskForm::own(id));
        own?.parse().ok()
    }

    /// Its kind.
    pub(in crate::crm::odoo) fn kind(self) -> RecordKind {
        match self {
            Self::Event => RecordKind::Calendar,
            Self::Contact => RecordKind::Contacts,
            Self::Task | Self::Activity => RecordKind::Tasks,
            Self::Mail => RecordKind::Mail,
        }
    }

    /// The model behind it.
    pub(in crate::crm::odoo) fn model(self) -> &'static str {
        match self {
            Self::Event => "calendar.event",
            Self::Contact => "res.partner",
            Self::Task => "project.task",
            Self::Activity => "mail.activity",
            Self::Mail => "mail.message",
        }
    }

    /// What its external ids begin with; these are unique over all models.
    pub(in crate::crm::odoo) fn word(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            _ => self.kind().word(),
        }
    }

    /// True where some of its records are in the archive, where a search does not look by itself.
    pub(in crate::crm::odoo) fn has_archive(self) -> bool {
        self != Self::Mail
    }

    /// True where what is in the archive is what was deleted. Of activities it is what was done.
    pub(in crate::crm::odoo) fn is_deleted_into_archive(self) -> bool {
        !matches!(self, Self::Mail | Self::Activity)
    }

    /// The column that says whose a record is.
    pub(in crate::crm::odoo) fn owner_column(self) -> Option<&'static str> {
        match self {
            Self::Event | Self::Contact | Self::Activity => Some("user_id"),
            Self::Task => Some("user_ids"),
            Self::Mail => None,
        }
    }
}
