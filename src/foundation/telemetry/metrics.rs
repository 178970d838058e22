//! The figures, in Prometheus' text format (OpenMetrics).
//!
//! Labels are words of the code, never of a mailbox: a figure per person would be a register of persons, and
//! ten thousand mailboxes would make ten thousand lines.

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A lag up to a second is what people call at once; the promise is three; beyond minutes all is the same.
const LAG_BUCKETS: [f64; 12] = [
    0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Items {
    kind: &'static str,
    direction: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Turns {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Calls {
    side: &'static str,
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lag {
    kind: &'static str,
}

/// Everything that is counted. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    items: Family<Items, Counter>,
    turns: Family<Turns, Counter>,
    calls: Family<Calls, Counter>,
    lag: Family<Lag, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// With every count at nothing.
    pub fn new() -> Self {
        let lag: fn() -> Histogram = || Histogram::new(LAG_BUCKETS);
        let (items, turns, calls) = (Family::default(), Family::default(), Family::default());
        let lag = Family::new_with_constructor(lag);
        let mut registry = Registry::with_prefix("holdfast");
        registry.register("items", "Items written, skipped or failed", items.clone());
        registry.register("turns", "Turns of streams by their outcome", turns.clone());
        registry.register("calls", "Requests sent to each side", calls.clone());
        registry.register(
            "lag_seconds",
            "From a change on one side to its copy on the other",
            lag.clone(),
        );
        Self {
            registry: Arc::new(registry),
            items,
            turns,
            calls,
            lag,
        }
    }

    /// Counts items of one record type and direction that ended in the same way.
    pub fn items(&self, kind: &'static str, direction: &'static str, outcome: &'static str, count: u64) {
        self.items
            .get_or_create(&Items {
                kind,
                direction,
                outcome,
            })
            .inc_by(count);
    }

    /// Counts one turn of a stream.
    pub fn turn(&self, kind: &'static str, outcome: &'static str) {
        self.turns.get_or_create(&Turns { kind, outcome }).inc();
    }

    /// Counts one request to a side, by the name of the operation.
    pub fn call(&self, side: &'static str, operation: &'static str) {
        self.calls.get_or_create(&Calls { side, operation }).inc();
    }

    /// Records how long a change took to reach the other side.
    pub fn lag(&self, kind: &'static str, lag: Duration) {
        self.lag.get_or_create(&Lag { kind }).observe(lag.as_secs_f64());
    }

    /// All figures as text.
    ///
    /// # Errors
    /// Never for a text in memory; the encoder's signature has one.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let metrics = Metrics::new();
        metrics.clone().items("mail", "to_crm", "written", 3);
        metrics.call("mailbox", "GetItem");
        metrics.turn("mail", "done");
        metrics.lag("mail", Duration::from_millis(700));
        let text = metrics.render().unwrap();
        for line in [
            r#"holdfast_items_total{kind="mail",direction="to_crm",outcome="written"} 3"#,
            r#"holdfast_calls_total{side="mailbox",operation="GetItem"} 1"#,
            r#"holdfast_turns_total{kind="mail",outcome="done"} 1"#,
            r#"holdfast_lag_seconds_bucket{le="1.0",kind="mail"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
    }
}
