//! Signing in: Basic, and NTLM bound to its connection.
//!
//! Source: RFC 7617, \[MS-NTHT\]; `Persistent-Auth` as IIS sends it.

use super::directory::Principal;
use super::ntlm::{Challenge, Channel, ExtendedProtection, ServerNames, channel_binding};
use super::world::World;
use crate::http::ConnectionState;
use crate::lab::{ExtendedProtection as Wanted, Options};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};

/// How channel bindings are judged.
pub fn protection(options: &Options) -> ExtendedProtection {
    match options.extended_protection {
        Wanted::Off => ExtendedProtection::Off,
        Wanted::Allow => ExtendedProtection::Allow,
        Wanted::Require => ExtendedProtection::Require,
    }
}

/// Who signed in on a connection by NTLM; holds for its later requests.
#[derive(Clone)]
struct SignedIn(String);

/// Who asks, or the answer that sends him away.
///
/// # Errors
/// The 401 to send, possibly with the next leg of a handshake.
#[expect(clippy::result_large_err, reason = "the answer is sent as it is, once")]
pub fn caller<'a>(
    world: &'a World,
    request: &Request<Bytes>,
    connection: &ConnectionState,
) -> Result<&'a Principal, Response<Bytes>> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some((scheme, credentials)) = header.and_then(|header| header.split_once(' ')) else {
        return connection
            .get::<SignedIn>()
            .and_then(|known| world.directory.by_login(&known.0))
            .ok_or_else(|| refused(None));
    };
    let Ok(octets) = STANDARD.decode(credentials.trim()) else {
        return Err(refused(None));
    };
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => basic(world, &octets).ok_or_else(|| refused(None)),
        "ntlm" | "negotiate" => ntlm(world, scheme, &octets, connection),
        _ => Err(refused(None)),
    }
}

fn basic<'a>(world: &'a World, octets: &[u8]) -> Option<&'a Principal> {
    let text = std::str::from_utf8(octets).ok()?;
    let (login, password) = text.split_once(':')?;
    world
        .directory
        .by_login(login)
        .filter(|principal| principal.password == password)
}

#[expect(clippy::result_large_err, reason = "the answer is sent as it is, once")]
fn ntlm<'a>(
    world: &'a World,
    scheme: &str,
    message: &[u8],
    connection: &ConnectionState,
) -> Result<&'a Principal, Response<Bytes>> {
    // The message's type is its ninth octet.
    if message.get(8) == Some(&1) {
        connection.remove::<SignedIn>();
        let nonce: [u8; 8] = *uuid::Uuid::new_v4().as_bytes().first_chunk().unwrap_or(&[7; 8]);
        let challenge =
            Challenge::answer(message, &names(), nonce, world.clock.now()).map_err(|_| refused(None))?;
        let answer = format!("{scheme} {}", STANDARD.encode(challenge.message()));
        connection.set(challenge);
        return Err(refused(Some(&answer)));
    }
    let challenge = connection.remove::<Challenge>().ok_or_else(|| refused(None))?;
    let channel = Channel {
        protection: world.protection,
        binding: connection
            .leaf_der
            .as_ref()
            .and_then(|leaf| channel_binding(leaf)),
    };
    let login_of = |account: &super::ntlm::Account| match account.domain.as_str() {
        "" => account.user.clone(),
        domain => format!("{domain}\\{}", account.user),
    };
    let accepted = challenge.accept(message, channel, |account| {
        world
            .directory
            .by_login(&login_of(account))
            .map(|principal| principal.password.clone())
    });
    match accepted {
        Ok(account) => {
            let principal = world
                .directory
                .by_login(&login_of(&account))
                .ok_or_else(|| refused(None))?;
            connection.set(SignedIn(principal.login.clone()));
            Ok(principal)
        }
        Err(reason) => {
            tracing::info!(%reason, "sign-in refused");
            Err(refused(None))
        }
    }
}

fn names() -> ServerNames {
    ServerNames {
        netbios_domain: "LAB".to_owned(),
        netbios_computer: "MAIL1".to_owned(),
        dns_domain: "lab.example".to_owned(),
        dns_computer: "mail1.lab.example".to_owned(),
    }
}

/// A 401 with what the server offers, or with the next leg of a handshake alone.
pub fn refused(leg: Option<&str>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(
        b"<html><body>401 - Unauthorized</body></html>",
    ));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    match leg.and_then(|leg| HeaderValue::from_str(leg).ok()) {
        Some(leg) => {
            headers.append(WWW_AUTHENTICATE, leg);
        }
        None => {
            for offered in ["Negotiate", "NTLM", "Basic realm=\"lab.example\""] {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(offered));
            }
        }
    }
    response
}
