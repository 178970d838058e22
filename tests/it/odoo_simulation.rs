//! The random lives of `simulation` beside a real Odoo: people work on both sides, the mail server fails, the process
//! dies between any two calls and during them, and in the end Odoo itself says, asked with its people's own keys, what
//! it holds.
//!
//! A life is known by its seed. Odoo's clock is the machine's and the world's is not, so of two edits of one thing by
//! two people either may win where the newer one should; both sides must say the same all the same.
//!
//! ```text
//! HOLDFAST_ODOO_SIM_SEED=4711 make test-odoo      lives that life again
//! HOLDFAST_ODOO_SIM_WORLDS=40 make test-odoo      lives through so many
//! ```

use crate::harness::office::Ground;
use crate::odoo_pages::{OdooPages, open_on};
use crate::odoo_server::{Odoo, Rep};
use crate::simulation::books;
use crate::simulation::life::live_in;
use crate::simulation::policies;
use crate::simulation::world::World;
use holdfast_lab::Options;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;

/// Mailboxes of a world at most.
const MOST: usize = 2;

/// What is lived without being asked for more: within a minute.
const WORLDS: u64 = 12;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

async fn live(ground: &Ground, odoo: &Arc<Odoo>, reps: &[Rep], seed: u64) -> Result<(), String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let people = rng.random_range(1..=MOST);
    let policies: Vec<_> = (0..people).map(|_| policies::any(&mut rng)).collect();
    let options = Options {
        people,
        items_per_person: 0,
        seed: 7,
        ..Options::default()
    };
    OdooPages::new(Arc::clone(odoo), reps.to_vec()).clear().await;
    let reps = reps[..people].to_vec();
    let office = open_on(ground.clone(), Arc::clone(odoo), reps, options).await;
    let mut world = World::of(office, ground, policies, rng.random_range(1..=3)).await;
    world.apart = true;
    let replay = format!("HOLDFAST_ODOO_SIM_SEED={seed} make test-odoo");
    let name = format!("world {seed} beside Odoo");
    eprintln!("{name} begins");
    let census = live_in(world, rng, &name, &replay).await?;
    eprintln!("{name}: {} deaths", census.struck.values().sum::<u64>());
    Ok(())
}

#[tokio::test]
async fn every_world_beside_a_real_odoo_comes_to_rest_with_both_sides_in_step() {
    let (first, worlds) = match setting("HOLDFAST_ODOO_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (1, setting("HOLDFAST_ODOO_SIM_WORLDS").unwrap_or(WORLDS)),
    };
    let odoo = Arc::new(Odoo::up());
    let reps: Vec<Rep> = (0..MOST).map(|_| odoo.rep()).collect();
    let ground = Ground::new().await;
    for seed in first..first + worlds {
        live(&ground, &odoo, &reps, seed)
            .await
            .unwrap_or_else(|what| panic!("{what}"));
        books::clear(&ground);
    }
}
