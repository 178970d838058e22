//! How a CRM fails, in our words. Connectors map their vendor's codes to these by table.

use crate::foundation::explain::{Explain, Kind};
use crate::foundation::failure::Class;
use std::time::Duration;

/// A failure of the CRM, or of one record in it.
#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    /// The egress gate did not let us out, or the CRM could not be reached.
    #[error("the CRM could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer was cut, too large, not JSON, a login page: `what` is one of a few fixed phrases.
    #[error("the CRM's answer could not be understood: {what}")]
    Unintelligible {
        /// Fixed words, never text from the answer.
        what: &'static str,
    },
    /// It asked for patience, or a row was locked.
    #[error("the CRM is busy: {code}")]
    Busy {
        /// The vendor's code.
        code: String,
        /// How long to wait.
        wait: Duration,
    },
    /// The organisation's calls for the day are used up.
    #[error("the CRM's call limit is used up")]
    LimitReached {
        /// How long to wait before trying again.
        wait: Duration,
    },
    /// The application's own sign-in is wrong: its id, key or secret.
    #[error("the CRM did not accept the application: {code}")]
    ApplicationRefused {
        /// The vendor's code.
        code: String,
    },
    /// We may not act as this user: unknown, inactive, or has not approved the application.
    #[error("the CRM does not let us act as the user: {code}")]
    UserRefused {
        /// The vendor's code.
        code: String,
    },
    /// Each user has a key of his own, and none is stored for this one.
    #[error("no key is stored for the user")]
    KeyMissing,
    /// The record is not there any more.
    #[error("the record is gone")]
    Gone,
    /// The change feed cannot be continued from this cursor.
    #[error("the CRM does not accept the cursor any more")]
    CursorLost,
    /// The user may not do this with this record, by his permissions.
    #[error("the user may not write the record: {code}")]
    NotPermitted {
        /// The vendor's code.
        code: String,
    },
    /// A rule of the organisation (a validation rule, a required field, a duplicate rule) refuses the record.
    #[error("a rule of the CRM refuses the record: {code}")]
    RuleRefused {
        /// The vendor's code.
        code: String,
        /// The API names of the fields that it named.
        fields: Vec<String>,
    },
    /// A field that Holdfast needs in the CRM was not made yet, or this user may not set it.
    #[error("the CRM lacks the field {field}")]
    SetupMissing {
        /// Object and API name.
        field: String,
    },
    /// The policy looks for mail's places in a field that the CRM does not have, or not for this user.
    #[error("the CRM has no field {field} to find a mail's place by")]
    PlaceMissing {
        /// Object and field, by their API names.
        field: String,
    },
    /// The policy names a list of records that the CRM does not have, or not for this user.
    #[error("the CRM does not have the list that the policy names")]
    ListMissing,
    /// The user as whom everybody's news is asked for does not see everybody's records.
    #[error("the CRM's user for news does not see every record")]
    WatcherBlind,
    /// It says that we asked nonsense.
    #[error("the CRM rejected the request: {code}")]
    BadRequest {
        /// The vendor's code.
        code: String,
    },
}

impl CrmError {
    /// What it means for a second try.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable(_) | Self::Unintelligible { .. } => Class::Again,
            Self::Busy { .. } => Class::Again,
            Self::LimitReached { wait } => Class::Throttled { wait: *wait },
            Self::ApplicationRefused { .. } | Self::UserRefused { .. } | Self::KeyMissing => {
                Class::SignInExpired
            }
            Self::Gone => Class::Gone,
            Self::CursorLost => Class::CursorLost,
            Self::NotPermitted { .. }
            | Self::RuleRefused { .. }
            | Self::SetupMissing { .. }
            | Self::PlaceMissing { .. }
            | Self::ListMissing
            | Self::WatcherBlind => Class::Refused,
            Self::BadRequest { .. } => Class::Broken,
        }
    }
}

impl Explain for CrmError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable(_)
            | Self::Unintelligible { .. }
            | Self::Busy { .. }
            | Self::LimitReached { .. } => Kind::Unavailable,
            Self::ApplicationRefused { .. }
            | Self::UserRefused { .. }
            | Self::KeyMissing
            | Self::WatcherBlind
            | Self::NotPermitted { .. } => Kind::Refused,
            Self::Gone => Kind::NotFound,
            Self::CursorLost => Kind::Conflict,
            Self::RuleRefused { .. }
            | Self::SetupMissing { .. }
            | Self::PlaceMissing { .. }
            | Self::ListMissing => Kind::Invalid,
            Self::BadRequest { .. } => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "crm.unreachable",
            Self::Unintelligible { .. } => "crm.unintelligible",
            Self::Busy { .. } => "crm.busy",
            Self::LimitReached { .. } => "crm.limit_reached",
            Self::ApplicationRefused { .. } => "crm.application_refused",
            Self::UserRefused { .. } => "crm.user_refused",
            Self::KeyMissing => "crm.key_missing",
            Self::Gone => "crm.gone",
            Self::CursorLost => "crm.cursor_lost",
            Self::NotPermitted { .. } => "crm.not_permitted",
            Self::RuleRefused { .. } => "crm.rule_refused",
            Self::SetupMissing { .. } => "crm.setup_missing",
            Self::PlaceMissing { .. } => "crm.place_missing",
            Self::ListMissing => "crm.list_missing",
            Self::WatcherBlind => "crm.watcher_blind",
            Self::BadRequest { .. } => "crm.bad_request",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Unreachable(source) => format!(
                "The CRM could not be reached: {source}. Check that it is up, that its address in the settings is right and that egress.allow lists it. Holdfast tries again by itself."
            ),
            Self::Unintelligible { what } => format!(
                "Something answered in the CRM's place, or its answer was damaged ({what}). Check that no proxy or login page stands in between. Holdfast tries again by itself."
            ),
            Self::Busy { code, wait } => format!(
                "The CRM is busy ({code}). Holdfast tries again in about {} seconds.",
                wait.as_secs().max(1)
            ),
            Self::LimitReached { wait } => format!(
                "The CRM's calls for the day are used up. Holdfast waits {} minutes and goes on; ask for more calls if this happens often.",
                wait.as_secs().div_ceil(60)
            ),
            Self::ApplicationRefused { code } => format!(
                "The CRM did not accept Holdfast's own sign-in ({code}). Compare the connection's settings (for Salesforce client_id, for Odoo url and database) with the CRM's own, and for Salesforce set its key again with `holdfast secret set crm.NAME.private_key`."
            ),
            Self::UserRefused { code } => format!(
                "The CRM does not let Holdfast act as this user ({code}). Check that the user name is right, that the user is active, and that the application is approved for the user; for Odoo, that the user's API key is stored and has not expired."
            ),
            Self::KeyMissing => "No API key of this user is stored. Let the user make one in the CRM, and store it with `holdfast secret set crm.NAME.key.LOGIN`, where LOGIN is the user's name in the CRM.".to_owned(),
            Self::Gone => "The record was deleted in the CRM meanwhile. Nothing to do.".to_owned(),
            Self::CursorLost => "The CRM cannot say what changed since we last asked. Holdfast reads the stream again from the start and matches what it knows; nothing is doubled.".to_owned(),
            Self::NotPermitted { code } => format!(
                "The user's permissions in the CRM do not allow this ({code}). Give the user the right, or change the policy so that Holdfast does not try."
            ),
            Self::RuleRefused { code, fields } => format!(
                "A rule of the CRM refuses this record ({code}{}). Correct the item, or change the rule; Holdfast tries again when either changes.",
                if fields.is_empty() { String::new() } else { format!(", fields: {}", fields.join(", ")) }
            ),
            Self::SetupMissing { field } => format!(
                "The CRM has no field {field}, or this user may not set it. Ask the CRM's administrator to create it as the guide for this CRM says, as text of 64 characters, and to let the users that are synchronised see and edit it."
            ),
            Self::PlaceMissing { field } => format!(
                "The policy finds the place of mail by {field}, which the CRM does not have or does not show to this user. Correct mail.matching in the policy, or let the user see the field."
            ),
            Self::ListMissing => "The policy takes contacts from a list of the CRM that is not there or that this user does not see, or the CRM has no such lists. Correct contacts.list in the policy, or share the list with the user.".to_owned(),
            Self::WatcherBlind => "The CRM's user for news does not see everybody's records, so each user is asked for his own, which is slower. Give the user that crm.NAME.watch_user names (with one integration user: that user) the permissions View All Data and View Setup and Configuration.".to_owned(),
            Self::BadRequest { code } => format!(
                "The CRM rejected our request ({code}). This is a fault in Holdfast: report it with this code."
            ),
        }
    }
}
