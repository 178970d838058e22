//! What the connector remembers of a mailbox between two calls, in memory only: cookies that keep it on one
//! back end, how long Exchange wants to be left alone, its schema version, its mail folders.

use super::wire::version::Version;
use crate::foundation::clock::Clock;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::MailboxRef;
use chrono_tz::Tz;
use http::HeaderMap;
use http::header::SET_COOKIE;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Requests under way at once in one mailbox: Exchange's budget is per mailbox, and one stream waits for
/// each of its answers.
const PER_MAILBOX: usize = 3;
/// The cookies that matter: affinity to a back end. Others are dropped.
const KEPT: &[&str] = &["X-BackEndCookie", "X-BackEndOverrideCookie", "exchangecookie"];
/// A longer value is not a cookie of Exchange's.
const LONGEST_COOKIE: usize = 4096;

/// The sessions of all mailboxes.
pub struct Sessions {
    clock: Clock,
    all: Mutex<HashMap<MailboxId, Arc<Session>>>,
}

impl Sessions {
    /// None yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            all: Mutex::default(),
        }
    }

    /// The session of a mailbox; the first call makes it.
    pub fn of(&self, mailbox: &MailboxRef) -> Arc<Session> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(Session {
                turns: Semaphore::new(PER_MAILBOX),
                mailbox: mailbox.id,
                clock: self.clock.clone(),
                state: Mutex::default(),
            })
        };
        Arc::clone(all.entry(mailbox.id).or_insert_with(new))
    }
}

/// One mailbox's session.
pub struct Session {
    /// One permit a request.
    pub turns: Semaphore,
    mailbox: MailboxId,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    busy_until: Option<Instant>,
    cookies: BTreeMap<&'static str, String>,
    version: Option<Version>,
    mail_folders: Option<Arc<HashMap<String, bool>>>,
    swept: Option<Instant>,
    home_zone: Option<Option<Tz>>,
}

impl Session {
    /// How long Exchange still wants this mailbox to be left alone.
    pub fn must_wait(&self) -> Option<Duration> {
        let until = self.state().busy_until?;
        until
            .checked_duration_since(self.clock.instant())
            .filter(|wait| !wait.is_zero())
    }

    /// Exchange asked for patience.
    pub fn leave_alone(&self, wait: Duration) {
        let until = self.clock.instant().checked_add(wait);
        let mut state = self.state();
        state.busy_until = state.busy_until.max(until);
    }

    /// The `Cookie` header.
    pub fn cookies(&self) -> Option<String> {
        let state = self.state();
        let pairs: Vec<String> = state
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Keeps what an answer sets (RFC 6265 section 5.2, as much of it as these cookies use).
    pub fn keep_cookies(&self, headers: &HeaderMap) {
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
                "" => self.state().cookies.remove(kept),
                value if value.len() > LONGEST_COOKIE => continue,
                value => self.state().cookies.insert(kept, value.to_owned()),
            };
        }
    }

    /// The schema version of this mailbox, where it differs from its server's.
    pub fn version(&self) -> Option<Version> {
        self.state().version
    }

    /// The mailbox does not speak its server's version.
    pub fn set_version(&self, version: Version) {
        self.state().version = Some(version);
    }

    /// The mail stream's folders by identifier: true for the sent items and what is below them.
    pub fn mail_folders(&self) -> Option<Arc<HashMap<String, bool>>> {
        self.state().mail_folders.clone()
    }

    /// Remembers the mail stream's folders.
    pub fn set_mail_folders(&self, folders: HashMap<String, bool>) {
        self.state().mail_folders = Some(Arc::new(folders));
    }

    /// The owner's zone: `None` where nobody has looked yet, `Some(None)` where the calendar does not say.
    pub fn home_zone(&self) -> Option<Option<Tz>> {
        self.state().home_zone
    }

    /// Remembers what the calendar says.
    pub fn set_home_zone(&self, zone: Option<Tz>) {
        self.state().home_zone = Some(zone);
    }

    /// True once in a while: then every mail folder is looked into, whatever its mark says. The mailboxes of a
    /// process that starts are spread over the time between two sweeps.
    pub fn sweep_is_due(&self, every: Duration) -> bool {
        let now = self.clock.instant();
        let mut state = self.state();
        let swept = *state.swept.get_or_insert(self.first_sweep(now, every));
        let due = now.saturating_duration_since(swept) >= every;
        if due {
            state.swept = Some(now);
        }
        due
    }

    /// When the sweep before the first one would have been.
    fn first_sweep(&self, now: Instant, every: Duration) -> Instant {
        let spread = u64::from(self.mailbox.0.unsigned_abs()) % every.as_secs().max(1);
        now.checked_sub(Duration::from_secs(spread)).unwrap_or(now)
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn affinity_cookies_are_kept_others_are_not_and_an_empty_value_forgets() {
        let sessions = Sessions::new(Clock::manual(chrono::DateTime::UNIX_EPOCH));
        let session = sessions.of(&MailboxRef::new(MailboxId(1), "a@example.com"));
        let set = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static(text));
            session.keep_cookies(&headers);
        };
        set("X-BackEndCookie=S-1=abc=; expires=Tue; path=/EWS; secure; HttpOnly");
        set("ClientId=xyz; path=/");
        assert_eq!(session.cookies().as_deref(), Some("X-BackEndCookie=S-1=abc="));
        set("x-backendcookie=; path=/EWS");
        assert_eq!(session.cookies(), None);
    }

    #[test]
    fn a_mailbox_is_left_alone_as_long_as_exchange_asked_and_no_longer() {
        let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH);
        let sessions = Sessions::new(clock.clone());
        let session = sessions.of(&MailboxRef::new(MailboxId(1), "a@example.com"));
        session.leave_alone(Duration::from_secs(30));
        session.leave_alone(Duration::from_secs(5));
        clock.advance(Duration::from_secs(10));
        assert_eq!(session.must_wait(), Some(Duration::from_secs(20)));
        clock.advance(Duration::from_secs(20));
        assert_eq!(session.must_wait(), None);
    }
}
