//! A stage of a turn in a place of its own.
//!
//! A turn is one deep future. Unoptimised code keeps every future that is awaited on the stack of whoever awaits it, more
//! than once and for as long as it runs, so that the stages of a turn add up to more than the two megabytes that a thread
//! of the daemon's or of a test has.

use std::pin::Pin;

/// Begins a stage where its size is nobody else's.
pub(in crate::sync) fn stage<'a, F>(
    begin: impl FnOnce() -> F,
) -> Pin<Box<dyn Future<Output = F::Output> + Send + 'a>>
where
    F: Future + Send + 'a,
{
    Box::pin(begin())
}
