//! The house's own rules, as tests: what the compiler cannot see and a review would forget.
//!
//! A rule is a function from source files to a [`Verdict`](verdict::Verdict): how many places it looked at,
//! and what is wrong there. Every rule is asked twice. Over the tree it must find nothing, and it must have
//! looked at something. Over a few planted lines it must find the fault: a rule that cannot find anything
//! would be green for ever.
//!
//! To add one, write the function in the file of its subject under `tidy/`, and both tests beside it.

// A test may fail by panicking: that is how it tells. Cargo tells it by the environment where the project is.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/content.rs"]
mod content;
#[path = "tidy/doors.rs"]
mod doors;
#[path = "tidy/failures.rs"]
mod failures;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/lab.rs"]
mod lab;
#[path = "tidy/names.rs"]
mod names;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/unfinished.rs"]
mod unfinished;
#[path = "tidy/verdict.rs"]
mod verdict;
#[path = "tidy/waiting.rs"]
mod waiting;
