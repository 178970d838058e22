//! What things are called in Odoo.

use crate::record::kind::RecordKind;

/// The field that holds our key. An administrator makes it once on each of the four models.
pub(in crate::crm::odoo) const KEY: &str = "x_holdfast_key";

/// The model behind a kind.
pub(in crate::crm::odoo) fn model_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar => "calendar.event",
        RecordKind::Contacts => "res.partner",
        RecordKind::Tasks => "project.task",
        RecordKind::Mail => "mail.message",
    }
}

/// True for a kind whose records can be archived; a mail cannot.
pub(in crate::crm::odoo) fn can_be_archived(kind: RecordKind) -> bool {
    kind != RecordKind::Mail
}

/// The column that says whose a record is.
pub(in crate::crm::odoo) fn owner_column(kind: RecordKind) -> Option<&'static str> {
    match kind {
        RecordKind::Calendar | RecordKind::Contacts => Some("user_id"),
        RecordKind::Tasks => Some("user_ids"),
        RecordKind::Mail => None,
    }
}
