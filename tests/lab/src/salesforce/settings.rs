//! What an administrator of the org has set: features, sharing, limits, and what each user may.
//!
//! Tests change it over the control surface (`PATCH /salesforce/settings`, a JSON merge patch).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Organisation-wide default for accounts, contacts, leads, opportunities and cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Only the owner and those above see a record.
    Private,
    /// Everybody sees, the owner and those above change.
    #[default]
    PublicReadOnly,
}

/// The org's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether an event may last longer than a day.
    pub multiday_events: bool,
    /// Whether an activity may relate to several contacts.
    pub shared_activities: bool,
    /// Whether a duplicate rule on the contact's e-mail address is active.
    pub duplicate_rule: bool,
    /// Organisation-wide default.
    pub sharing: Sharing,
    /// API calls in 24 hours.
    pub daily_limit: u64,
    /// Whether every refresh gives a new refresh token and kills the old one.
    pub refresh_rotation: bool,
    /// Minutes until an access token expires by itself.
    pub session_minutes: i64,
    /// List views of contacts: the SOQL query of each, by its id.
    pub list_views: BTreeMap<String, String>,
    /// How often the sandbox was refreshed.
    pub refreshes: u64,
    /// By username; users not named here may do what their objects allow.
    pub users: BTreeMap<String, UserSettings>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            multiday_events: true,
            shared_activities: true,
            duplicate_rule: false,
            sharing: Sharing::default(),
            daily_limit: 1_000_000,
            refresh_rotation: false,
            session_minutes: 120,
            list_views: BTreeMap::new(),
            refreshes: 0,
            users: BTreeMap::new(),
        }
    }
}

/// What one user may.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct UserSettings {
    /// Whether the app is approved for the user.
    pub approved: bool,
    /// Whether the user may use the API at all.
    pub api_enabled: bool,
    /// Sees every record.
    pub view_all: bool,
    /// Changes every record.
    pub modify_all: bool,
    /// Sees how the org is set up, and who is assigned which permission set.
    pub view_setup: bool,
    /// By object name; objects not named here are allowed wholly.
    pub objects: BTreeMap<String, ObjectRights>,
}

impl Default for UserSettings {
    fn default() -> UserSettings {
        UserSettings {
            approved: true,
            api_enabled: true,
            view_all: false,
            modify_all: false,
            view_setup: false,
            objects: BTreeMap::new(),
        }
    }
}

/// Object permissions of one user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectRights {
    /// Read.
    pub read: bool,
    /// Create.
    pub create: bool,
    /// Edit.
    pub edit: bool,
    /// Delete.
    pub delete: bool,
    /// By field name; fields not named here are allowed.
    pub fields: BTreeMap<String, FieldRights>,
}

impl Default for ObjectRights {
    fn default() -> ObjectRights {
        ObjectRights {
            read: true,
            create: true,
            edit: true,
            delete: true,
            fields: BTreeMap::new(),
        }
    }
}

/// Field-level security of one user.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldRights {
    /// Read.
    pub read: bool,
    /// Create and edit.
    pub edit: bool,
}

impl Default for FieldRights {
    fn default() -> FieldRights {
        FieldRights {
            read: true,
            edit: true,
        }
    }
}
