//! What the pages work with; the service hands it over.

use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::telemetry::Metrics;
use crate::identity::session::Lifetime;

/// The open parts.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// How long a session lasts.
    pub lifetime: Lifetime,
}
