//! Throttling: how many requests at once, and when not to ask at all.
//!
//! Exchange charges an impersonated call to the mailbox's own budget, so patience is kept per mailbox (see
//! `session`). The number of requests at once is bounded per mailbox and for the server as a whole, well below
//! EWSMaxConcurrency, and follows what each of them bears ([`super::pressure`]). A front end that turns several
//! mailboxes away one after the other is left alone as a whole. Source: "EWS throttling in Exchange"; RFC 9110
//! section 10.2.3 for Retry-After.

use super::fault::DEFAULT_WAIT;
use super::session::Session;
use super::valve::{Place, Valve};
use super::wire::answer::Fault;
use crate::foundation::clock::Clock;
use crate::mailbox::error::MailboxError;
use chrono::{DateTime, Utc};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// No server is believed that asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Requests turned away in a row, with not one answered between, after which the server is left alone.
const TURNED_AWAY: u32 = 3;

/// The server's share.
pub struct Throttle {
    server: Valve,
    clock: Clock,
    door: Mutex<Door>,
}

/// The front end, as it treated us last.
#[derive(Default)]
struct Door {
    turned_away: u32,
    shut_until: Option<Instant>,
}

/// Permission for one request; ends when dropped.
pub struct Turn<'a> {
    _mailbox: Place<'a>,
    _server: Place<'a>,
}

/// What an answer says of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    Well,
    /// Too much at once.
    Strained,
    /// The mailbox is to be left alone for so long.
    Busy(Duration),
    /// The front end turns us away, for so long.
    TurnedAway(Duration),
}

impl Throttle {
    /// So many requests at once.
    pub fn new(max_concurrency: usize, clock: Clock) -> Self {
        Self {
            server: Valve::new(max_concurrency),
            clock,
            door: Mutex::default(),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`MailboxError::Busy`] at once, while Exchange wants the mailbox, or the server, to be left alone.
    pub async fn turn<'a>(&'a self, session: &'a Session) -> Result<Turn<'a>, MailboxError> {
        let mailbox = session.valve.enter().await;
        let server = self.server.enter().await;
        match self.must_wait(session) {
            Some(wait) => Err(MailboxError::Busy { wait }),
            None => Ok(Turn {
                _mailbox: mailbox,
                _server: server,
            }),
        }
    }

    /// How long not to ask.
    pub fn must_wait(&self, session: &Session) -> Option<Duration> {
        let shut = self.door().shut_until.and_then(|until| {
            until
                .checked_duration_since(self.clock.instant())
                .filter(|wait| !wait.is_zero())
        });
        session.must_wait().max(shut)
    }

    /// Notes what an answer says of the load.
    pub fn note(&self, session: &Session, signal: Signal) {
        let now = self.clock.instant();
        match signal {
            Signal::Well => {
                session.valve.went_well();
                self.server.went_well();
                *self.door() = Door::default();
            }
            Signal::Strained => {
                session.valve.pushed_back(now);
                self.server.pushed_back(now);
            }
            Signal::Busy(wait) => {
                session.leave_alone(wait);
                session.valve.pushed_back(now);
                self.server.pushed_back(now);
            }
            Signal::TurnedAway(wait) => {
                session.leave_alone(wait);
                self.server.pushed_back(now);
                let mut door = self.door();
                door.turned_away += 1;
                if door.turned_away >= TURNED_AWAY {
                    door.shut_until = door.shut_until.max(now.checked_add(wait));
                }
            }
        }
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signal {
    /// The strongest of what these faults say.
    pub fn of<'a>(faults: impl Iterator<Item = &'a Fault>) -> Self {
        faults
            .map(of_fault)
            .fold(Self::Well, |worst, signal| match (worst, signal) {
                (Self::Busy(one), Self::Busy(other)) => Self::Busy(one.max(other)),
                (Self::Busy(wait), _) | (_, Self::Busy(wait)) => Self::Busy(wait),
                (Self::Strained, _) | (_, Self::Strained) => Self::Strained,
                _ => Self::Well,
            })
    }

    /// What an answer of plain HTTP says, where it is one that asks for patience.
    pub fn of_status(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Self> {
        if status != StatusCode::SERVICE_UNAVAILABLE && status != StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        let text = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wait = text.and_then(|text| retry_after(text.trim(), now));
        Some(Self::TurnedAway(wait.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT)))
    }
}

fn of_fault(fault: &Fault) -> Signal {
    let any = |is: fn(&str) -> bool| is(&fault.code) || fault.inner.as_deref().is_some_and(is);
    // A hint counts, whatever it comes with.
    if any(is_busy) || fault.back_off.is_some() {
        Signal::Busy(fault.back_off.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT))
    } else if any(is_strained) {
        Signal::Strained
    } else {
        Signal::Well
    }
}

fn is_busy(code: &str) -> bool {
    matches!(code, "ErrorServerBusy" | "ErrorExceededConnectionCount")
}

fn is_strained(code: &str) -> bool {
    matches!(
        code,
        "ErrorTooManyObjectsOpened"
            | "ErrorTimeoutExpired"
            | "ErrorInternalServerTransientError"
            | "ErrorMailboxStoreUnavailable"
            | "ErrorConnectionFailed"
            | "ErrorInsufficientResources"
            | "ErrorNotEnoughMemory"
            | "ErrorExceededFindCountLimit"
    )
}

/// Seconds, or a date.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    (at.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::ids::MailboxId;
    use crate::mailbox::exchange::session::Sessions;
    use crate::mailbox::model::MailboxRef;
    use http::HeaderValue;

    fn fault(code: &str, back_off: Option<u64>, inner: Option<&str>) -> Fault {
        Fault {
            code: code.to_owned(),
            back_off: back_off.map(Duration::from_millis),
            inner: inner.map(str::to_owned),
        }
    }

    #[test]
    fn every_form_of_a_push_back_is_understood_and_the_longest_hint_counts() {
        let of = |faults: &[Fault]| Signal::of(faults.iter());
        let busy = |ms| Signal::Busy(Duration::from_millis(ms));
        assert_eq!(of(&[fault("ErrorServerBusy", Some(2500), None)]), busy(2500));
        assert_eq!(of(&[fault("ErrorServerBusy", None, None)]), busy(60_000));
        assert_eq!(
            of(&[fault("ErrorInternalServerError", None, Some("ErrorServerBusy"))]),
            busy(60_000)
        );
        assert_eq!(
            of(&[fault("ErrorExceededConnectionCount", None, None)]),
            busy(60_000)
        );
        assert_eq!(
            of(&[fault("ErrorInsufficientResources", Some(700), None)]),
            busy(700)
        );
        for code in ["ErrorTimeoutExpired", "ErrorInsufficientResources"] {
            assert_eq!(of(&[fault(code, None, None)]), Signal::Strained);
        }
        let mixed = [
            fault("ErrorItemNotFound", None, None),
            fault("ErrorTimeoutExpired", None, None),
            fault("ErrorServerBusy", Some(100), None),
            fault("ErrorServerBusy", Some(900), None),
        ];
        assert_eq!(of(&mixed), busy(900));
        assert_eq!(of(&mixed[..1]), Signal::Well);
        let years = fault("ErrorServerBusy", Some(u64::MAX), None);
        assert_eq!(of(&[years]), Signal::Busy(LONGEST_WAIT));
    }

    #[test]
    fn retry_after_is_read_in_both_of_its_forms() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            match Signal::of_status(StatusCode::SERVICE_UNAVAILABLE, &headers, now) {
                Some(Signal::TurnedAway(wait)) => wait.as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(wait("17"), 17);
        let at = now + chrono::TimeDelta::seconds(90);
        assert_eq!(wait(&at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()), 90);
        assert_eq!(wait("soon"), 60);
    }

    #[test]
    fn a_front_end_that_turns_everybody_away_is_left_alone_and_one_answer_opens_it_again() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let (throttle, sessions) = (Throttle::new(8, clock.clone()), Sessions::new(clock.clone()));
        let session = |id| sessions.of(&MailboxRef::new(MailboxId(id), "a@example.com"));
        let away = Signal::TurnedAway(Duration::from_secs(30));
        throttle.note(&session(1), away);
        throttle.note(&session(2), away);
        assert_eq!(throttle.must_wait(&session(9)), None, "two may be two back ends");
        throttle.note(&session(3), away);
        assert_eq!(throttle.must_wait(&session(9)), Some(Duration::from_secs(30)));
        clock.advance(Duration::from_secs(30));
        assert_eq!(throttle.must_wait(&session(9)), None);
        throttle.note(&session(9), Signal::Well);
        throttle.note(&session(1), away);
        assert_eq!(throttle.must_wait(&session(9)), None);
    }
}
