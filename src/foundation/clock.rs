//! The clock: the only place where the house asks what time it is.
//!
//! Pure code gets its times as arguments. Effects hold a [`Clock`]; tests hold a manual one and move it.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The time, and waiting for it. Cheap to clone; clones of a manual clock move together.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    start: Instant,
    hands: Mutex<Hands>,
    moved: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    wall: DateTime<Utc>,
    /// Time since `start` on the monotonic scale, which setting the wall clock does not touch.
    elapsed: Duration,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`advance`](Self::advance) is called.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes"
    )]
    pub fn manual(wall: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(Manual {
            start: Instant::now(),
            hands: Mutex::new(Hands {
                wall,
                elapsed: Duration::ZERO,
            }),
            moved: Notify::new(),
        })))
    }

    /// The time of day, as others would tell it. May jump; never measure with it.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::System => Utc::now(),
            Source::Manual(manual) => manual.hands().wall,
        }
    }

    /// A point on a scale that never jumps, for measuring how long something took.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes"
    )]
    pub fn instant(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Manual(manual) => manual.start + manual.hands().elapsed,
        }
    }

    /// Waits. On a manual clock: until it was advanced far enough.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else takes"
    )]
    pub async fn sleep(&self, wait: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(wait).await,
            Source::Manual(manual) => {
                let until = self.instant() + wait;
                loop {
                    // Registered before the look at the clock, so that a move in between wakes us.
                    let moved = manual.moved.notified();
                    if self.instant() >= until {
                        return;
                    }
                    moved.await;
                }
            }
        }
    }

    /// Moves a manual clock forward and wakes who waits for it. The machine's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &self.0 {
            {
                let mut hands = manual.hands();
                hands.elapsed += by;
                hands.wall += TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
            }
            manual.moved.notify_waiters();
        }
    }
}

impl Manual {
    /// No code panics while it holds the lock, so a poisoned one holds a good value all the same.
    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn a_sleeper_on_a_manual_clock_wakes_when_its_time_has_come_and_not_before() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let mut nobody = Context::from_waker(Waker::noop());
        let mut sleep = pin!(clock.sleep(Duration::from_secs(10)));
        assert!(sleep.as_mut().poll(&mut nobody).is_pending());
        clock.advance(Duration::from_secs(9));
        assert!(sleep.as_mut().poll(&mut nobody).is_pending());
        clock.advance(Duration::from_secs(1));
        assert!(sleep.as_mut().poll(&mut nobody).is_ready());
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH + TimeDelta::seconds(10));
    }
}
