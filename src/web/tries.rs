//! How often a sign-in code may be tried: from one address, and in all. A code has sixty random bits, so
//! nobody guesses it within its fifteen minutes; the limit keeps those who try from costing the database
//! anything, and makes them seen in the log.

use crate::identity::IdentityError;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tries within one window from one address.
pub const PER_ADDRESS: u32 = 10;
/// Tries within one window from all addresses.
pub const IN_ALL: u32 = 200;
/// A window's length.
pub const WINDOW: Duration = Duration::from_secs(300);

/// The tries of the window that is open.
#[derive(Debug, Default)]
pub struct Tries(Mutex<Option<Window>>);

#[derive(Debug)]
struct Window {
    ends: Instant,
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Tries {
    /// Notes a try; more than are allowed are turned away before the code is looked at.
    ///
    /// # Errors
    /// [`IdentityError::TooManyTries`] with how long to wait.
    pub fn note(&self, address: IpAddr, now: Instant) -> Result<(), IdentityError> {
        let mut window = self.lock();
        // A new window forgets all addresses, so the map holds IN_ALL of them at most.
        let open = match window.take() {
            Some(open) if now < open.ends => window.insert(open),
            _ => window.insert(Window {
                ends: now + WINDOW,
                all: 0,
                by_address: HashMap::new(),
            }),
        };
        let here = open.by_address.get(&address).copied().unwrap_or(0);
        if here >= PER_ADDRESS || open.all >= IN_ALL {
            return Err(IdentityError::TooManyTries {
                wait: open.ends.saturating_duration_since(now),
            });
        }
        open.all += 1;
        open.by_address.insert(address, here + 1);
        Ok(())
    }

    /// Forgets the tries of an address that had a good code.
    pub fn forgive(&self, address: IpAddr) {
        if let Some(open) = self.lock().as_mut()
            && let Some(tries) = open.by_address.remove(&address)
        {
            open.all = open.all.saturating_sub(tries);
        }
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good value all the same.
    fn lock(&self) -> MutexGuard<'_, Option<Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Clock;
    use chrono::DateTime;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_has_ten_tries_and_then_waits_for_the_next_window() {
        let (tries, clock) = (Tries::default(), Clock::manual(DateTime::UNIX_EPOCH));
        for _ in 0..PER_ADDRESS {
            tries.note(address(1), clock.instant()).unwrap();
        }
        clock.advance(Duration::from_secs(60));
        let refused = tries.note(address(1), clock.instant()).unwrap_err();
        assert!(matches!(refused, IdentityError::TooManyTries { wait } if wait == Duration::from_secs(240)));
        assert!(tries.note(address(2), clock.instant()).is_ok());
        clock.advance(Duration::from_secs(240));
        assert!(tries.note(address(1), clock.instant()).is_ok());
    }

    #[test]
    fn many_addresses_together_are_stopped_as_well() {
        let (tries, clock) = (Tries::default(), Clock::manual(DateTime::UNIX_EPOCH));
        let taken = (0..=255)
            .filter(|last| tries.note(address(*last), clock.instant()).is_ok())
            .count();
        assert_eq!(taken, IN_ALL as usize);
    }

    #[test]
    fn a_good_code_forgives_the_bad_ones_before_it() {
        let (tries, clock) = (Tries::default(), Clock::manual(DateTime::UNIX_EPOCH));
        for _ in 0..PER_ADDRESS {
            tries.note(address(1), clock.instant()).unwrap();
        }
        tries.forgive(address(1));
        assert!(tries.note(address(1), clock.instant()).is_ok());
    }
}
