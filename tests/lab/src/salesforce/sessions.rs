//! Access tokens, refresh tokens and authorization codes.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// An access token's meaning.
#[derive(Clone, Debug)]
pub struct Session {
    /// User id.
    pub user: String,
    /// When it ends by itself.
    pub expires: DateTime<Utc>,
    /// The refresh token it came from.
    pub refresh: Option<String>,
    /// Whether the synchronising app has it.
    pub syncs: bool,
}

/// An authorization code's meaning.
#[derive(Clone, Debug)]
pub struct Code {
    /// User id.
    pub user: String,
    /// Where it may be redeemed.
    pub redirect_uri: String,
    /// The S256 challenge, if one was given.
    pub challenge: Option<String>,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// Whether a refresh token goes with it.
    pub offline: bool,
}

/// A change of the sessions, as the journal keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An access token was given.
    Granted {
        access: String,
        user: String,
        expires: DateTime<Utc>,
        refresh: Option<String>,
        #[serde(default)]
        syncs: bool,
    },
    /// A refresh token was given.
    RefreshGranted { refresh: String, user: String },
    /// A token was revoked; a refresh token takes its access tokens along.
    Revoked { token: String },
    /// Every access token of a user (or everybody's) was ended.
    Ended { user: Option<String> },
}

/// Every token in force.
#[derive(Default)]
pub struct Sessions {
    access: HashMap<String, Session>,
    refresh: HashMap<String, String>,
    codes: HashMap<String, Code>,
}

impl Sessions {
    /// Makes a change of the past or present effective.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Granted {
                access,
                user,
                expires,
                refresh,
                syncs,
            } => {
                self.access.insert(
                    access,
                    Session {
                        user,
                        expires,
                        refresh,
                        syncs,
                    },
                );
            }
            Event::RefreshGranted { refresh, user } => {
                self.refresh.insert(refresh, user);
            }
            Event::Revoked { token } => {
                self.access.remove(&token);
                if self.refresh.remove(&token).is_some() {
                    self.access
                        .retain(|_, session| session.refresh.as_deref() != Some(&token));
                }
            }
            Event::Ended { user } => {
                self.access
                    .retain(|_, session| user.as_ref().is_some_and(|user| *user != session.user));
            }
        }
    }

    /// The session of an access token, if it is in force.
    pub fn session(&self, access: &str, now: DateTime<Utc>) -> Option<&Session> {
        self.access.get(access).filter(|session| session.expires > now)
    }

    /// The user of a refresh token.
    pub fn refreshed(&self, refresh: &str) -> Option<&str> {
        self.refresh.get(refresh).map(String::as_str)
    }

    /// Whether the token is any that is in force.
    pub fn knows(&self, token: &str) -> bool {
        self.access.contains_key(token) || self.refresh.contains_key(token)
    }

    /// Keeps an authorization code.
    pub fn keep_code(&mut self, name: String, code: Code) {
        self.codes.insert(name, code);
    }

    /// Takes an authorization code; it serves once.
    pub fn take_code(&mut self, name: &str) -> Option<Code> {
        self.codes.remove(name)
    }
}

/// A new unguessable token with the vendor's look.
pub fn new_token(prefix: &str) -> String {
    let bytes: [u8; 48] = rand::rng().random();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}
