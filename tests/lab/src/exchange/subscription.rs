//! Who listens to what.

/// All subscriptions.
#[derive(Default)]
pub struct Subscriptions {}
