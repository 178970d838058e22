//! The way in: a code from the command line, once, becomes a session. And the way out.

use super::layout::{Head, page};
use crate::foundation::explain::Explain as _;
use crate::identity::{IdentityError, SignInCode, session};
use crate::web::cookie;
use crate::web::parts::Parts;
use crate::web::problem::{Problem, SIGN_IN};
use crate::web::tries::Tries;
use crate::web::viewer::Viewer;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    head: Head,
    error: Option<String>,
}

/// What is posted.
#[derive(Deserialize)]
pub struct Form {
    code: String,
}

/// The form; who is signed in already goes on to the first page.
///
/// # Errors
/// [`Problem::Draw`].
pub async fn show(viewer: Option<Viewer>) -> Result<HttpResponse, Problem> {
    if viewer.is_some() {
        return Ok(to("/"));
    }
    draw(None)
}

/// Lets somebody in who has a good code.
///
/// # Errors
/// The database's; a refused code is told on the form.
pub async fn enter(
    request: HttpRequest,
    parts: web::Data<Parts>,
    tries: web::Data<Tries>,
    form: web::Form<Form>,
) -> Result<HttpResponse, Problem> {
    let address = request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let code = SignInCode::typed(&form.code);
    let entered = match tries.note(address, parts.clock.instant()) {
        Ok(()) => session::begin(&parts.db, &parts.clock, &code, parts.lifetime).await,
        Err(too_many) => Err(too_many),
    };
    match entered {
        Ok(token) => {
            tries.forgive(address);
            tracing::info!(%address, "a session of the console began");
            let mut answer = to("/");
            // Fails only for a cookie that is no header's text, and Base64 always is.
            answer
                .add_cookie(&cookie::given(&token))
                .map_err(|_| Problem::Unreadable)?;
            Ok(answer)
        }
        Err(refused @ (IdentityError::CodeRefused | IdentityError::TooManyTries { .. })) => {
            tracing::warn!(%address, code = refused.code(), "a sign-in was refused");
            let mut answer = draw(Some(refused.sentence()))?;
            *answer.status_mut() = Problem::from(refused).status_code();
            Ok(answer)
        }
        Err(other) => Err(other.into()),
    }
}

/// Ends the session, and takes the cookie back.
///
/// # Errors
/// The database's.
pub async fn leave(request: HttpRequest, parts: web::Data<Parts>) -> Result<HttpResponse, Problem> {
    if let Some(token) = cookie::sent(&request) {
        session::end(&parts.db, &token).await?;
    }
    let mut answer = to(SIGN_IN);
    answer
        .add_cookie(&cookie::taken_back())
        .map_err(|_| Problem::Unreadable)?;
    Ok(answer)
}

fn draw(error: Option<String>) -> Result<HttpResponse, Problem> {
    Ok(page(&SignInPage {
        head: Head::outside("Sign in"),
        error,
    })?)
}

fn to(address: &'static str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}
