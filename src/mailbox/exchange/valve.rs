//! A door that lets in as many at once as the pressure behind it allows, and fewer when it is told to.

use super::pressure::Pressure;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The door.
pub struct Valve {
    places: Semaphore,
    state: Mutex<State>,
}

struct State {
    pressure: Pressure,
    /// Places that exist, those still to be taken away not counted.
    granted: usize,
    /// Places to be taken away as soon as those inside leave them.
    owed: usize,
}

/// A place inside; given back when dropped.
pub struct Place<'a> {
    valve: &'a Valve,
    permit: Option<SemaphorePermit<'a>>,
}

impl Valve {
    /// For at most so many.
    pub fn new(most: usize) -> Self {
        let pressure = Pressure::new(most);
        let granted = pressure.limit();
        Self {
            places: Semaphore::new(granted),
            state: Mutex::new(State {
                pressure,
                granted,
                owed: 0,
            }),
        }
    }

    /// Waits for a place.
    #[expect(clippy::expect_used, reason = "the semaphore is never closed")]
    pub async fn enter(&self) -> Place<'_> {
        let permit = self
            .places
            .acquire()
            .await
            .expect("the semaphore is never closed");
        Place {
            valve: self,
            permit: Some(permit),
        }
    }

    /// An answer came as it should.
    pub fn went_well(&self) {
        let mut state = self.state();
        state.pressure.went_well();
        self.settle(&mut state);
    }

    /// The server pushed back.
    pub fn pushed_back(&self, now: Instant) {
        let mut state = self.state();
        state.pressure.pushed_back(now);
        self.settle(&mut state);
    }

    fn settle(&self, state: &mut State) {
        let limit = state.pressure.limit();
        if let Some(more) = limit.checked_sub(state.granted) {
            let stay = more.min(state.owed);
            state.owed -= stay;
            self.places.add_permits(more - stay);
        } else {
            let less = state.granted - limit;
            state.owed += less - self.places.forget_permits(less);
        }
        state.granted = limit;
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.valve.state();
        if state.owed > 0
            && let Some(permit) = self.permit.take()
        {
            state.owed -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Clock;
    use proptest::prelude::*;
    use std::time::Duration;

    impl Valve {
        fn try_enter(&self) -> Option<Place<'_>> {
            let permit = self.places.try_acquire().ok()?;
            Some(Place {
                valve: self,
                permit: Some(permit),
            })
        }
    }

    proptest! {
        #[test]
        fn nobody_gets_in_while_as_many_are_inside_as_the_limit_allows(
            most in 1..20_usize,
            steps in prop::collection::vec(0..4_u8, 1..300),
        ) {
            let valve = Valve::new(most);
            let mut now = Clock::manual(chrono::DateTime::UNIX_EPOCH).instant();
            let mut inside = Vec::new();
            for step in steps {
                now += Duration::from_secs(6);
                match step {
                    0 => {
                        let limit = valve.state().pressure.limit();
                        let entered = valve.try_enter();
                        prop_assert_eq!(entered.is_some(), inside.len() < limit);
                        inside.extend(entered);
                    }
                    1 => drop(inside.pop()),
                    2 => valve.went_well(),
                    _ => valve.pushed_back(now),
                }
            }
        }
    }
}
