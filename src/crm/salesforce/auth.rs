//! Tokens: one per user, in memory only, made when first needed and again when the org says that it is over.
//!
//! Salesforce keeps five approvals per user and application and drops the oldest for a sixth, so a token is
//! shared by all calls of a user and made by one of them while the others wait.

use super::settings::{Flow, SalesforceSettings};
use super::throttle::BUSY_WAIT;
use super::wire::token::{self, Granted};
use crate::crm::error::CrmError;
use crate::foundation::clock::Clock;
use crate::foundation::egress::{EgressError, HttpClient, Repeatable};
use crate::foundation::secret::Secret;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

/// A token and where it is good.
pub(super) struct Token {
    access: Secret<String>,
    /// The root of the org's own host. Calls go there and nowhere else.
    pub(super) instance: Url,
    /// The user whose token it is, where the answer said.
    pub(super) user_id: Option<String>,
    /// The org that gave it, where the answer said.
    pub(super) organisation: Option<String>,
    serial: u64,
}

impl Token {
    /// The value of the Authorization header, marked so that HTTP libraries do not print it.
    pub(super) fn header(&self) -> Result<HeaderValue, CrmError> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.access.expose())).map_err(|_| {
            CrmError::Unintelligible {
                what: "the token is not one",
            }
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Token>>>>;

/// Signs in.
pub(super) struct Auth {
    settings: Arc<SalesforceSettings>,
    http: HttpClient,
    clock: Clock,
    slots: Mutex<HashMap<String, Slot>>,
    serial: AtomicU64,
}

impl Auth {
    pub(super) fn new(settings: Arc<SalesforceSettings>, http: HttpClient, clock: Clock) -> Self {
        Self {
            settings,
            http,
            clock,
            slots: Mutex::default(),
            serial: AtomicU64::new(0),
        }
    }

    /// The user's token, made now if there is none.
    pub(super) async fn token(&self, username: &str) -> Result<Arc<Token>, CrmError> {
        let slot = self.slot(username);
        let mut token = slot.lock().await;
        match &*token {
            Some(token) => Ok(Arc::clone(token)),
            None => {
                let fresh = self.sign_in(username).await?;
                *token = Some(Arc::clone(&fresh));
                Ok(fresh)
            }
        }
    }

    /// A token that is not the stale one. Whoever comes first makes it; the others get the same.
    pub(super) async fn renewed(&self, username: &str, stale: &Token) -> Result<Arc<Token>, CrmError> {
        let slot = self.slot(username);
        let mut token = slot.lock().await;
        match &*token {
            Some(token) if token.serial != stale.serial => Ok(Arc::clone(token)),
            _ => {
                *token = None;
                let fresh = self.sign_in(username).await?;
                *token = Some(Arc::clone(&fresh));
                Ok(fresh)
            }
        }
    }

    fn slot(&self, username: &str) -> Slot {
        let who = match self.settings.acts_as_user() {
            true => username,
            false => "",
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(who.to_owned()).or_default())
    }

    async fn sign_in(&self, username: &str) -> Result<Arc<Token>, CrmError> {
        let url = self.settings.token_url();
        let form = self.form(username)?;
        let mut request = Request::new(Bytes::from(form));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        request.extensions_mut().insert(Repeatable);
        let answer = self.http.send(&url, request).await.map_err(unreachable)?;
        let granted = self.granted(answer.status().as_u16(), answer.body())?;
        let instance = self.instance(&granted.instance_url)?;
        let (user_id, organisation) = (granted.user_id(), granted.organisation_id());
        Ok(Arc::new(Token {
            access: Secret::new(granted.access_token),
            instance,
            user_id,
            organisation,
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
        }))
    }

    fn form(&self, username: &str) -> Result<String, CrmError> {
        let client_id = &self.settings.client_id;
        match &self.settings.flow {
            Flow::Jwt {
                private_key_pem,
                audience,
            } => {
                let default = self.settings.default_audience();
                let audience = audience.as_deref().unwrap_or(&default);
                token::jwt_form(client_id, username, audience, private_key_pem, self.clock.now())
            }
            Flow::ClientCredentials { secret } => Ok(token::client_credentials_form(client_id, secret)),
        }
    }

    fn granted(&self, status: u16, body: &[u8]) -> Result<Granted, CrmError> {
        match status {
            200..300 => serde_json::from_slice(body).map_err(|_| CrmError::Unintelligible {
                what: "the sign-in's answer is not a token",
            }),
            420 | 429 | 500.. => Err(CrmError::Busy {
                code: format!("HTTP {status} at sign-in"),
                wait: BUSY_WAIT,
            }),
            400..500 => {
                let refusal = token::refusal(body, self.settings.acts_as_user());
                Err(refusal.unwrap_or(CrmError::Unintelligible {
                    what: "the sign-in's answer is not Salesforce's",
                }))
            }
            _ => Err(CrmError::Unintelligible {
                what: "the sign-in leads somewhere else",
            }),
        }
    }

    /// The root of the instance. An answer must not talk us out of TLS.
    fn instance(&self, url: &str) -> Result<Url, CrmError> {
        let instance = Url::parse(url).ok().and_then(|url| url.join("/").ok());
        instance
            .filter(|url| url.scheme() == "https" || url.scheme() == self.settings.login_url.scheme())
            .ok_or(CrmError::Unintelligible {
                what: "the sign-in named no usable instance",
            })
    }
}

/// What a failure at the gate means.
pub(super) fn unreachable(error: EgressError) -> CrmError {
    match error {
        EgressError::TooLarge { .. } => CrmError::Unintelligible { what: TOO_LARGE },
        EgressError::Protocol { what, .. } => CrmError::Unintelligible { what },
        other => CrmError::Unreachable(Box::new(other)),
    }
}

/// What is said of an answer that exceeds our limit.
pub(super) const TOO_LARGE: &str = "it is too large";
