//! A failure becomes an answer here and nowhere else: a page in words, or JSON of the same words.

use super::console::layout::Head;
use crate::access::AccessError;
use crate::foundation::explain::{Explain, Kind};
use crate::identity::IdentityError;
use crate::sync::error::SyncError;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ContentType, LOCATION};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use serde_json::json;

/// Where somebody without a session is sent.
pub const SIGN_IN: &str = "/sign-in";

/// Why a request got no page.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// There is no session, or it has ended.
    #[error("not signed in")]
    NotSignedIn,
    /// Nothing is served at this address.
    #[error("no such page")]
    NoSuchPage,
    /// There is no mailbox of this number.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// Another site sent the browser here with a form.
    #[error("the form comes from another site")]
    AnotherSite,
    /// What was sent cannot be read.
    #[error("the request cannot be read")]
    Unreadable,
    /// A right is missing.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The sign-in failed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What was asked for could not be read from the database.
    #[error(transparent)]
    Board(#[from] SyncError),
    /// A template could not be filled.
    #[error("the page could not be drawn")]
    Draw(#[from] askama::Error),
}

impl Explain for Problem {
    fn kind(&self) -> Kind {
        match self {
            Self::NotSignedIn | Self::AnotherSite => Kind::Refused,
            Self::NoSuchPage | Self::NoSuchMailbox => Kind::NotFound,
            Self::Unreadable => Kind::Invalid,
            Self::Access(error) => error.kind(),
            Self::Identity(error) => error.kind(),
            Self::Board(error) => error.kind(),
            Self::Draw(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "web.not_signed_in",
            Self::NoSuchPage => "web.no_such_page",
            Self::NoSuchMailbox => "web.no_such_mailbox",
            Self::AnotherSite => "web.another_site",
            Self::Unreadable => "web.unreadable",
            Self::Access(error) => error.code(),
            Self::Identity(error) => error.code(),
            Self::Board(error) => error.code(),
            Self::Draw(_) => "web.draw",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::NotSignedIn => "You are not signed in, or your session has ended. `holdfast code` on the \
                 appliance prints a code to sign in with."
                .into(),
            Self::NoSuchPage => {
                "There is no page at this address. Check it, or begin at the first page.".into()
            }
            Self::NoSuchMailbox => {
                "There is no such mailbox; it may have been removed. The first page lists \
                 all there are."
                    .into()
            }
            Self::AnotherSite => "Another site sent this request, and Holdfast did not act on it. Open the \
                 page yourself and do it there."
                .into(),
            Self::Unreadable => {
                "Holdfast could not read this request. Go back, and fill in the form again.".into()
            }
            Self::Access(error) => error.sentence(),
            Self::Identity(error) => error.sentence(),
            Self::Board(error) => error.sentence(),
            Self::Draw(_) => "The page could not be drawn. This is a fault in Holdfast: report it with the \
                 request's number."
                .into(),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        if matches!(self, Self::NotSignedIn) {
            return StatusCode::UNAUTHORIZED;
        }
        if matches!(self, Self::Identity(IdentityError::TooManyTries { .. })) {
            return StatusCode::TOO_MANY_REQUESTS;
        }
        match self.kind() {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Refused => StatusCode::FORBIDDEN,
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Bare; the middleware, which knows what was asked for, fills it in with [`Problem::answer`].
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    head: Head,
    headline: &'static str,
    sentence: &'a str,
    code: &'static str,
    number: &'a str,
}

impl Problem {
    /// The answer to the request of this number: JSON for scripts, a page for people.
    pub fn answer(&self, scripted: bool, number: &str) -> HttpResponse {
        let sentence = self.sentence();
        if scripted {
            return HttpResponse::build(self.status_code()).json(json!({
                "code": self.code(), "sentence": sentence, "request": number,
            }));
        }
        if matches!(self, Self::NotSignedIn) {
            return HttpResponse::SeeOther()
                .insert_header((LOCATION, SIGN_IN))
                .finish();
        }
        let page = ProblemPage {
            head: Head::outside(self.headline()),
            headline: self.headline(),
            sentence: &sentence,
            code: self.code(),
            number,
        };
        let mut answer = HttpResponse::build(self.status_code());
        match page.render() {
            Ok(html) => answer
                .insert_header((CONTENT_TYPE, ContentType::html()))
                .body(html),
            Err(_) => answer
                .insert_header((CONTENT_TYPE, ContentType::plaintext()))
                .body(sentence),
        }
    }

    fn headline(&self) -> &'static str {
        match self.kind() {
            Kind::NotFound => "There is nothing here.",
            Kind::Refused => "You may not do this.",
            Kind::Invalid => "This request cannot be read.",
            Kind::Conflict => "This clashes with something else.",
            Kind::Unavailable => "Holdfast cannot answer just now.",
            Kind::Internal => "Something is wrong in Holdfast.",
        }
    }
}
