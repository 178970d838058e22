//! Printing: words for people, JSON for programs. Never both.

use super::outcome::CliError;
use crate::foundation::explain::Explain;
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;
use tabled::builder::Builder;
use tabled::settings::Style;

/// How to print.
pub struct Output {
    /// One JSON document.
    pub json: bool,
}

impl Output {
    /// Prints `document` as JSON, or what `words` makes.
    pub fn print<T: Serialize>(&self, document: &T, words: impl FnOnce() -> String) {
        let text = if self.json {
            // Our own plain types always serialise.
            serde_json::to_string_pretty(document).unwrap_or_default()
        } else {
            words()
        };
        line(&text);
    }

    /// Prints an error to standard error and returns its exit code.
    pub fn failed(&self, error: &CliError) -> ExitCode {
        let text = if self.json {
            serde_json::json!({"error": {"code": error.code(), "sentence": error.sentence()}}).to_string()
        } else {
            format!("holdfast: {} [{}]", error.sentence(), error.code())
        };
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{text}");
        ExitCode::from(error.exit())
    }
}

/// A line to standard output. A reader that has gone away (`holdfast status | head`) is no failure.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}

/// A plain table with a header.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut builder = Builder::default();
    builder.push_record(header);
    for row in rows {
        builder.push_record(row);
    }
    builder.build().with(Style::blank()).to_string()
}
