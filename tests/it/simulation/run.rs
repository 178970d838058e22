//! Many lives, some at a time.

use super::books;
use super::life::{Census, live};
use crate::harness::office::Ground;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How many worlds at once; each waits for sockets and for PostgreSQL most of the time.
const AT_ONCE: usize = 4;

/// Worlds that follow each other in one database, before its tables are too full of what was deleted. Another database
/// would do as well, and costs as much as several worlds.
const BEFORE_VACUUM: u64 = 10;

/// From so many on every stop must have been somebody's death: a simulation that never kills at a stop proves
/// nothing about it.
const MANY: u64 = 20_000;

struct Run {
    next: AtomicU64,
    end: u64,
    census: Mutex<Census>,
    failed: Mutex<Vec<String>>,
}

impl Run {
    /// Lives one world after the other, until there are enough or one has failed.
    async fn lives(&self) {
        let ground = Ground::new().await;
        for lived in 1.. {
            let seed = self.next.fetch_add(1, Ordering::SeqCst);
            if seed >= self.end || !self.failed.lock().unwrap().is_empty() {
                return;
            }
            match AssertUnwindSafe(live(&ground, seed)).catch_unwind().await {
                Ok(Ok(one)) => {
                    let mut census = self.census.lock().unwrap();
                    census.stops.extend(one.stops);
                    for (stop, count) in one.struck {
                        *census.struck.entry(stop).or_default() += count;
                    }
                }
                Ok(Err(what)) => self.failed.lock().unwrap().push(what),
                Err(_) => {
                    let what = format!("world {seed}: panicked; replay: make sim SEED={seed}");
                    self.failed.lock().unwrap().push(what);
                }
            }
            books::clear(&ground);
            if lived % BEFORE_VACUUM == 0 {
                books::vacuum(&ground);
            }
        }
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_world_comes_to_rest_with_both_sides_in_step() {
    let (first, usual) = match setting("HOLDFAST_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (1, 200),
    };
    let worlds = setting("HOLDFAST_SIM_WORLDS").unwrap_or(usual);
    let run = Arc::new(Run {
        next: AtomicU64::new(first),
        end: first + worlds,
        census: Mutex::default(),
        failed: Mutex::default(),
    });
    let lives: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let run = Arc::clone(&run);
            std::thread::spawn(move || {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                builder.enable_all().build().unwrap().block_on(run.lives());
            })
        })
        .collect();
    for life in lives {
        life.join().unwrap();
    }
    let failed = run.failed.lock().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    let census = run.census.lock().unwrap();
    eprintln!("{worlds} worlds; deaths by stop: {:?}", census.struck);
    if worlds >= MANY {
        let spared: Vec<_> = census
            .stops
            .iter()
            .filter(|stop| !census.struck.contains_key(*stop))
            .collect();
        assert!(spared.is_empty(), "no world died {spared:?}");
    }
}
