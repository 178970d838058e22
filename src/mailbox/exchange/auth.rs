//! Signing in: Basic in a header, or NTLMv2 on a connection.
//!
//! NTLM authenticates the TCP connection ([MS-NTHT]): the first leg goes with an empty body, the real request
//! with the answer to the challenge, and from then on the connection is the account's, unless the server says
//! `Persistent-Auth: false`. The channel binding of RFC 5929 ties the handshake to this very TLS connection,
//! as Extended Protection wants it; it is left out where there is none, since a wrong one is refused.

use super::settings::{ExchangeSettings, SignIn};
use crate::foundation::egress::{BodyLimits, EgressError, HttpConnection, Streamed};
use crate::foundation::secret::Secret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use sspi::{
    AuthIdentityBuffers, BufferType, ClientRequestFlags, DataRepresentation, Ntlm, SecurityBuffer, Sspi,
    SspiImpl,
};
use std::net::IpAddr;
use std::time::Duration;

/// How an answer is waited for.
#[derive(Clone, Copy)]
pub struct Patience {
    /// How much of it is taken.
    pub body: BodyLimits,
    /// How long.
    pub within: Duration,
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The connection failed.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// Name or password are not accepted, or the server offers no sign-in of ours.
    #[error("the sign-in was refused: {0}")]
    Refused(&'static str),
}

/// The account.
pub enum Account {
    /// The whole header.
    Basic(Secret<String>),
    /// Domain, user and password.
    Ntlm {
        /// Name of the domain; empty for a user principal name.
        domain: String,
        /// Name of the user, or user principal name.
        user: String,
        /// The password.
        password: Secret<String>,
    },
    /// The settings would send the password in clear over the network.
    InClear,
}

/// A connection and whether the account owns it already.
pub struct Line {
    /// The connection.
    pub connection: HttpConnection,
    /// True after a handshake.
    pub signed_in: bool,
}

impl Account {
    /// The account of the settings.
    pub fn of(settings: &ExchangeSettings) -> Self {
        let password = settings.password.expose();
        match settings.sign_in {
            SignIn::Basic if !may_be_seen(settings) => Self::InClear,
            SignIn::Basic => {
                let pair = Secret::new(format!("{}:{password}", settings.login));
                Self::Basic(Secret::new(format!(
                    "Basic {}",
                    BASE64_STANDARD.encode(pair.expose())
                )))
            }
            SignIn::Ntlm => {
                let (domain, user) = settings.login.split_once('\\').unwrap_or(("", &settings.login));
                Self::Ntlm {
                    domain: domain.to_owned(),
                    user: user.to_owned(),
                    password: settings.password.clone(),
                }
            }
        }
    }

    /// Looked at before a connection is opened.
    ///
    /// # Errors
    /// [`AuthError::Refused`] where the password would cross the network in clear.
    pub fn may_go_out(&self) -> Result<(), AuthError> {
        match self {
            Self::InClear => Err(AuthError::Refused("BasicWithoutTls")),
            Self::Basic(_) | Self::Ntlm { .. } => Ok(()),
        }
    }

    /// Sends a request as the account. A 401 that comes back is a refusal.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn send(
        &self,
        line: &mut Line,
        mut request: Request<Bytes>,
        patience: Patience,
    ) -> Result<Response<Bytes>, AuthError> {
        let answer = match self {
            Self::InClear => return Err(AuthError::Refused("BasicWithoutTls")),
            Self::Basic(header) => {
                request.headers_mut().insert(AUTHORIZATION, basic(header)?);
                line.connection
                    .send(request, &patience.body, patience.within)
                    .await?
            }
            Self::Ntlm { .. } if line.signed_in => {
                let again = request.clone();
                let answer = line
                    .connection
                    .send(request, &patience.body, patience.within)
                    .await?;
                if answer.status() == StatusCode::UNAUTHORIZED && line.connection.is_open() {
                    line.signed_in = false;
                    self.handshake(line, again, patience).await?
                } else {
                    answer
                }
            }
            Self::Ntlm { .. } => self.handshake(line, request, patience).await?,
        };
        if answer.status() == StatusCode::UNAUTHORIZED {
            line.signed_in = false;
            return Err(AuthError::Refused("Http401"));
        }
        Ok(answer)
    }

    /// Sends a request as the account, on a connection of its own, and leaves the answer open.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn open(
        &self,
        mut line: Line,
        mut request: Request<Bytes>,
        patience: Patience,
    ) -> Result<Streamed, AuthError> {
        let authorization = match self {
            Self::InClear => return Err(AuthError::Refused("BasicWithoutTls")),
            Self::Basic(header) => Some(basic(header)?),
            Self::Ntlm { .. } if line.signed_in => None,
            Self::Ntlm { .. } => match self.greet(&mut line, &request, patience).await? {
                Greeting::Proof(proof) => Some(proof),
                // Not the sign-in's business; the request itself will be told the same.
                Greeting::Answered(_) => None,
            },
        };
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let answer = Streamed::open(line.connection, request, patience.within).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(AuthError::Refused("Http401"));
        }
        Ok(answer)
    }

    async fn handshake(
        &self,
        line: &mut Line,
        mut request: Request<Bytes>,
        patience: Patience,
    ) -> Result<Response<Bytes>, AuthError> {
        let proof = match self.greet(line, &request, patience).await? {
            Greeting::Proof(proof) => proof,
            Greeting::Answered(answer) => return Ok(answer),
        };
        request.headers_mut().insert(AUTHORIZATION, proof);
        let answer = line
            .connection
            .send(request, &patience.body, patience.within)
            .await?;
        let stays = answer
            .headers()
            .get("Persistent-Auth")
            .is_none_or(|value| !value.as_bytes().eq_ignore_ascii_case(b"false"));
        line.signed_in = answer.status() != StatusCode::UNAUTHORIZED && stays;
        Ok(answer)
    }

    /// The legs before the request: our offer, the server's challenge, and the proof that answers it.
    async fn greet(
        &self,
        line: &mut Line,
        request: &Request<Bytes>,
        patience: Patience,
    ) -> Result<Greeting, AuthError> {
        let Self::Ntlm {
            domain,
            user,
            password,
        } = self
        else {
            return Err(AuthError::Refused("NoSignInOfOurs"));
        };
        let mut credentials = Some(AuthIdentityBuffers::from_utf8(user, domain, password.expose()));
        let mut ntlm = Ntlm::new();
        if let Some(token) = line.connection.channel_binding() {
            ntlm.set_channel_bindings(&token);
        }
        let mut first = request.clone();
        *first.body_mut() = Bytes::new();
        first.headers_mut().remove(CONTENT_TYPE);
        let offer = step(&mut ntlm, &mut credentials, None)?;
        let mut scheme = "NTLM";
        first.headers_mut().insert(AUTHORIZATION, header(scheme, &offer)?);
        let mut answer = line
            .connection
            .send(first.clone(), &patience.body, patience.within)
            .await?;
        if challenge(&answer, scheme).is_none() && offers(&answer, "Negotiate") && line.connection.is_open() {
            // Where an administrator left Negotiate alone, Windows takes a bare NTLM token under that name.
            scheme = "Negotiate";
            first.headers_mut().insert(AUTHORIZATION, header(scheme, &offer)?);
            answer = line
                .connection
                .send(first, &patience.body, patience.within)
                .await?;
        }
        let Some(challenge) = challenge(&answer, scheme) else {
            return match answer.status() {
                StatusCode::UNAUTHORIZED => Err(AuthError::Refused("NtlmNotOffered")),
                // Not the sign-in's business: the server is busy, or it is no Exchange.
                _ => Ok(Greeting::Answered(answer)),
            };
        };
        let proof = step(&mut ntlm, &mut credentials, Some(challenge))?;
        Ok(Greeting::Proof(header(scheme, &proof)?))
    }
}

/// How far the legs before the request came.
enum Greeting {
    /// The header that goes with the request.
    Proof(HeaderValue),
    /// Something answered that has no challenge for us.
    Answered(Response<Bytes>),
}

fn basic(header: &Secret<String>) -> Result<HeaderValue, AuthError> {
    let mut value = HeaderValue::try_from(header.expose().as_str())
        .map_err(|_| AuthError::Refused("PasswordNotSendable"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// One leg of the handshake: our next token.
fn step(
    ntlm: &mut Ntlm,
    credentials: &mut Option<AuthIdentityBuffers>,
    challenge: Option<Vec<u8>>,
) -> Result<Vec<u8>, AuthError> {
    let failed = |_: sspi::Error| AuthError::Refused("NtlmHandshakeFailed");
    let mut input = vec![SecurityBuffer::new(
        challenge.unwrap_or_default(),
        BufferType::Token,
    )];
    let mut output = vec![SecurityBuffer::new(Vec::new(), BufferType::Token)];
    let mut builder = ntlm
        .initialize_security_context()
        .with_credentials_handle(credentials)
        .with_context_requirements(ClientRequestFlags::ALLOCATE_MEMORY)
        .with_target_data_representation(DataRepresentation::Native)
        .with_input(&mut input)
        .with_output(&mut output);
    ntlm.initialize_security_context_impl(&mut builder)
        .map_err(failed)?
        .resolve_to_result()
        .map_err(failed)?;
    output
        .pop()
        .map(|buffer| buffer.buffer)
        .ok_or(AuthError::Refused("NtlmHandshakeFailed"))
}

fn header(scheme: &str, token: &[u8]) -> Result<HeaderValue, AuthError> {
    let mut value = HeaderValue::try_from(format!("{scheme} {}", BASE64_STANDARD.encode(token)))
        .map_err(|_| AuthError::Refused("NtlmHandshakeFailed"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The token of a challenge by this scheme.
fn challenge(answer: &Response<Bytes>, scheme: &str) -> Option<Vec<u8>> {
    if answer.status() != StatusCode::UNAUTHORIZED {
        return None;
    }
    let values = answer
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let token = values
        .filter_map(|value| value.split_once(' '))
        .find(|(name, _)| name.eq_ignore_ascii_case(scheme))?
        .1;
    BASE64_STANDARD.decode(token.trim()).ok()
}

fn offers(answer: &Response<Bytes>, scheme: &str) -> bool {
    let mut values = answer
        .headers()
        .get_all(WWW_AUTHENTICATE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    answer.status() == StatusCode::UNAUTHORIZED
        && values.any(|value| value.trim().eq_ignore_ascii_case(scheme))
}

/// True where a password in a header is seen by the server alone.
fn may_be_seen(settings: &ExchangeSettings) -> bool {
    let host = settings.url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    settings.url.scheme() == "https" || is_here
}
