//! The session's cookie. The prefix `__Host-` has the browser insist on what we ask for: Secure, this host
//! alone, every path (RFC 6265bis, 4.1.3.2).

use crate::identity::SessionToken;
use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

/// Its name.
pub const NAME: &str = "__Host-holdfast";

/// Given to the browser for as long as it is open; when the session ends is the database's business.
pub fn given(token: &SessionToken) -> Cookie<'static> {
    shape(token.expose().to_owned())
}

/// Takes the cookie back.
pub fn taken_back() -> Cookie<'static> {
    let mut cookie = shape(String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// The token that a browser sent.
pub fn sent(request: &HttpRequest) -> Option<SessionToken> {
    request
        .cookie(NAME)
        .map(|cookie| SessionToken::sent(cookie.value()))
}

fn shape(value: String) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}
