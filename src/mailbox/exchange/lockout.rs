//! Keeps a wrong password from locking the service account.
//!
//! A directory locks an account after a handful of wrong passwords, and a thousand mailboxes that all find out
//! by themselves would lock it within a second. So sign-ins that nobody knows to be good go one at a time, and
//! after a refusal the next one waits: half a minute at first, a quarter of an hour at last.

use super::auth::AuthError;
use crate::foundation::backoff::Backoff;
use crate::foundation::clock::Clock;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const PATIENCE: Backoff = Backoff {
    first: Duration::from_secs(30),
    last: Duration::from_secs(900),
};

/// What is known of the account's password.
pub struct Lockout {
    clock: Clock,
    alone: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trusted: bool,
    refusals: u32,
    until: Option<Instant>,
}

/// Permission for one sign-in; keeps others away while the password is not known to be good.
pub struct Try<'a> {
    _alone: Option<tokio::sync::MutexGuard<'a, ()>>,
    /// True where a refusal may be an accident and deserves a second try.
    pub first: bool,
}

impl Lockout {
    /// Nothing is known yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            alone: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Waits for permission.
    ///
    /// # Errors
    /// [`AuthError::Refused`] at once, while the last refusal is too young.
    pub async fn permit(&self) -> Result<Try<'_>, AuthError> {
        let trusted = self.state().trusted;
        let alone = match trusted {
            true => None,
            false => Some(self.alone.lock().await),
        };
        let state = self.state();
        match state.until {
            Some(until) if self.clock.instant() < until => Err(AuthError::Refused("Http401")),
            _ => Ok(Try {
                // Somebody may have found out while we waited.
                _alone: alone.filter(|_| !state.trusted),
                first: state.refusals == 0,
            }),
        }
    }

    /// The password is good.
    pub fn accepted(&self) {
        *self.state() = State {
            trusted: true,
            ..State::default()
        };
    }

    /// It is not.
    pub fn refused(&self) {
        let now = self.clock.instant();
        let mut state = self.state();
        state.trusted = false;
        state.refusals = state.refusals.saturating_add(1);
        state.until = now.checked_add(PATIENCE.wait(state.refusals, 1.0));
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refused_password_is_left_alone_for_longer_each_time_and_forgiven_once_it_is_good() {
        let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH);
        let lockout = Lockout::new(clock.clone());
        assert!(lockout.permit().await.is_ok_and(|permit| permit.first));
        for wait in [30, 60, 120] {
            lockout.refused();
            clock.advance(Duration::from_secs(wait - 1));
            assert!(lockout.permit().await.is_err());
            clock.advance(Duration::from_secs(1));
            assert!(lockout.permit().await.is_ok_and(|permit| !permit.first));
        }
        lockout.accepted();
        assert!(lockout.permit().await.is_ok_and(|permit| permit.first));
    }

    #[tokio::test]
    async fn until_the_password_is_known_to_be_good_one_tries_it_and_the_others_wait() {
        let lockout = Lockout::new(Clock::manual(chrono::DateTime::UNIX_EPOCH));
        let Ok(first) = lockout.permit().await else {
            panic!("nothing was refused")
        };
        let mut waiting = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(lockout.permit()).poll(&mut waiting).is_pending());
        lockout.accepted();
        drop(first);
        let (one, other) = (lockout.permit().await, lockout.permit().await);
        assert!(one.is_ok() && other.is_ok());
    }
}
