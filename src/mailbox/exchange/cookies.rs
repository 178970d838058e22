//! The cookies that keep a mailbox, or a group of subscriptions, on one back end.

use http::HeaderMap;
use http::header::SET_COOKIE;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The cookies that matter: affinity to a back end. Others are dropped.
const KEPT: &[&str] = &["X-BackEndCookie", "X-BackEndOverrideCookie", "exchangecookie"];
/// A longer value is not a cookie of Exchange's.
const LONGEST_COOKIE: usize = 4096;

/// The cookies of one mailbox, or of one affinity group; never shared wider.
#[derive(Default)]
pub struct Jar(Mutex<BTreeMap<&'static str, String>>);

impl Jar {
    /// The `Cookie` header.
    pub fn header(&self) -> Option<String> {
        let cookies = self.cookies();
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer sets (RFC 6265 section 5.2, as much of it as these cookies use).
    pub fn keep(&self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let Ok(text) = header.to_str() else { continue };
            let pair = text.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let Some(kept) = KEPT.iter().find(|kept| kept.eq_ignore_ascii_case(name.trim())) else {
                continue;
            };
            match value.trim() {
                "" => self.cookies().remove(kept),
                value if value.len() > LONGEST_COOKIE => continue,
                value => self.cookies().insert(kept, value.to_owned()),
            };
        }
    }

    /// No code panics while it holds the lock, so a poisoned one holds good cookies all the same.
    fn cookies(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn affinity_cookies_are_kept_others_are_not_and_an_empty_value_forgets() {
        let jar = Jar::default();
        let set = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static(text));
            jar.keep(&headers);
        };
        set("X-BackEndCookie=S-1=abc=; expires=Tue; path=/EWS; secure; HttpOnly");
        set("ClientId=xyz; path=/");
        assert_eq!(jar.header().as_deref(), Some("X-BackEndCookie=S-1=abc="));
        set("x-backendcookie=; path=/EWS");
        assert_eq!(jar.header(), None);
    }
}
