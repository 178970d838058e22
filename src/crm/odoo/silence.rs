//! The context that every call is made in: nobody is told of anything.
//!
//! Odoo mails the attendees of a meeting, the followers of a record, and whoever becomes a follower, unless the
//! context of the call says otherwise. None of these keys is harmful where a version does not know it.

use serde_json::{Value, json};

/// The context.
pub(super) fn context() -> Value {
    json!({
        // Instants are UTC in every interface but the import, which reads them in the context's zone.
        "tz": "UTC",
        // An invitation, a change of time, a reminder at once (`calendar`).
        "no_mail_to_attendees": true,
        "dont_notify": true,
        "skip_attendee_notification": true,
        // A description stays what its author wrote: without it, contact details are added (`calendar`, 19).
        "skip_contact_description": true,
        // Followers, and what is written for them (`mail`).
        "mail_create_nolog": true,
        "mail_create_nosubscribe": true,
        "mail_auto_subscribe_no_notify": true,
        // Whoever is given an activity (`mail`).
        "mail_activity_quick_update": true,
        "mail_notrack": true,
        "tracking_disable": true,
        "mail_notify_force_send": false,
        // Synchronisers of Odoo's own leave alone what came from elsewhere (`google_calendar`,
        // `microsoft_calendar`): a second one would invite the attendees.
        "no_calendar_sync": true,
    })
}
