//! Tokens and codes that were given out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::app;

struct Session {
    username: String,
    given: DateTime<Utc>,
    /// The refresh token that it came with; revoking that ends the session too.
    refresh: Option<String>,
}

/// An authorization code that was not used yet.
pub struct Code {
    /// Who approved.
    pub username: String,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// The PKCE challenge (RFC 7636 section 4.2, S256); empty without PKCE.
    pub challenge: String,
}

#[derive(Default)]
struct Given {
    sessions: HashMap<String, Session>,
    refresh: HashMap<String, String>,
    codes: HashMap<String, Code>,
}

/// Everything that was given out and is still good.
#[derive(Default)]
pub struct Tokens(Mutex<Given>);

impl Tokens {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new access token.
    pub fn new_session(&self, username: &str, now: DateTime<Utc>, refresh: Option<String>) -> String {
        let token = format!(
            "{}!{}{}",
            &app::organization_id(),
            Uuid::new_v4().simple(),
            Uuid::new_v4().simple()
        );
        let session = Session {
            username: username.to_owned(),
            given: now,
            refresh,
        };
        self.given().sessions.insert(token.clone(), session);
        token
    }

    /// The user of an access token that has not expired.
    pub fn session(&self, token: &str, now: DateTime<Utc>, minutes: i64) -> Option<String> {
        let given = self.given();
        let session = given.sessions.get(token)?;
        (now - session.given < TimeDelta::minutes(minutes)).then(|| session.username.clone())
    }

    /// A new refresh token.
    pub fn new_refresh(&self, username: &str) -> String {
        let token = format!("5Aep861{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.given().refresh.insert(token.clone(), username.to_owned());
        token
    }

    /// The user of a refresh token.
    pub fn refresh_user(&self, token: &str) -> Option<String> {
        self.given().refresh.get(token).cloned()
    }

    /// A new authorization code.
    pub fn new_code(&self, username: &str, redirect_uri: &str, challenge: &str) -> String {
        let code = format!("aPrx{}", Uuid::new_v4().simple());
        let entry = Code {
            username: username.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
        };
        self.given().codes.insert(code.clone(), entry);
        code
    }

    /// Takes a code; it works once.
    pub fn take_code(&self, code: &str) -> Option<Code> {
        self.given().codes.remove(code)
    }

    /// Ends a token; a refresh token takes its access tokens along (help: "Revoke OAuth Tokens").
    pub fn revoke(&self, token: &str) -> bool {
        let mut given = self.given();
        if given.refresh.remove(token).is_some() {
            given
                .sessions
                .retain(|_, session| session.refresh.as_deref() != Some(token));
            return true;
        }
        given.sessions.remove(token).is_some()
    }
}
