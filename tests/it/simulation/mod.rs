//! Worlds that live through a random life: people work on both sides, the outside fails in every way that the
//! lab knows, and the node dies between any two steps of a turn. When a world has come to rest, both sides say
//! the same, nothing is lost, nothing is there twice, nobody was mailed, and every pair is linked once.
//!
//! A world is known by its seed. A world that fails prints its seed and its life, and
//!
//! ```text
//! make sim SEED=4711            lives it again
//! make sim WORLDS=100000        lives through so many
//! ```

pub mod books;
mod found;
pub mod life;
mod mails;
mod moment;
mod nth_effect;
mod nth_handover;
mod nth_statement;
mod papers;
mod people;
pub mod policies;
mod ports;
mod quarrels;
mod run;
mod series;
mod standing;
mod stops;
mod things;
mod troubles;
mod turns;
mod verdict;
mod way;
pub mod world;
