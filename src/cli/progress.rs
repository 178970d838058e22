//! Progress of a first synchronisation: bars in a terminal, lines elsewhere.

use crate::sync::model::StreamId;
use crate::sync::report::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bars, one for each stream that moves; silent where nobody looks.
pub struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<StreamId, ProgressBar>>,
    title: String,
    shown: bool,
}

impl Bars {
    /// For one mailbox, drawn among the bars of others. Only a terminal gets any, on standard error.
    pub fn new(all: MultiProgress, title: &str, json: bool) -> Self {
        Self {
            all,
            bars: Mutex::default(),
            title: title.to_owned(),
            shown: !json && std::io::stderr().is_terminal(),
        }
    }

    /// Takes the bars away; what remains is what the command prints.
    pub fn clear(&self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        bars.drain().for_each(|(_, bar)| bar.finish_and_clear());
    }

    fn bar(&self, stream: StreamId, total: Option<u64>) -> ProgressBar {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let bar = match total {
                Some(total) => ProgressBar::new(total).with_style(style(
                    "{prefix:40!} {bar:24} {pos:>6}/{len:<6} {per_sec:>12}  {eta} left",
                )),
                None => ProgressBar::new_spinner()
                    .with_style(style("{prefix:40!} {spinner} {pos:>6} {per_sec:>12}")),
            };
            bar.set_prefix(format!("{} {}", self.title, stream.kind.word()));
            bar.enable_steady_tick(Duration::from_millis(200));
            self.all.add(bar)
        };
        bars.entry(stream).or_insert_with(make).clone()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn advanced(&self, stream: StreamId, done: u64, total: Option<u64>) {
        if self.shown {
            let bar = self.bar(stream, total);
            bar.set_position(done);
            if total.is_some_and(|total| done >= total) {
                bar.finish();
            }
        }
    }
}
