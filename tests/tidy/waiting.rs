//! Tests wait for conditions, never for the clock.

use super::names::names;
use super::source::Source;
use super::verdict::Verdict;

/// The files whose business is to ask again after a moment until a condition holds or a deadline passes;
/// everything else calls them.
const POLLING: &[&str] = &["tests/it/harness/wait.rs"];

/// No test sleeps.
pub fn tests_never_sleep(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        // The lab's own code is a server, not a test: being slow on request is its work.
        let is_test = source.path.starts_with("tests/") && !source.path.starts_with("tests/lab/src/");
        if POLLING.contains(&source.path.as_str()) {
            continue;
        }
        for name in names(source) {
            // `clock.sleep(…)` is a method of our own clock, which a test moves by hand.
            if !name.called || name.method || !(is_test || name.in_test) {
                continue;
            }
            verdict.looked += 1;
            if name.ends_with(&["sleep"]) || name.ends_with(&["sleep_until"]) {
                verdict.found.push(format!(
                    "{}:{}: a test sleeps; wait for the condition with a deadline instead",
                    source.path, name.line
                ));
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::source::{everything, planted};
    use super::*;

    #[test]
    fn no_test_sleeps() {
        tests_never_sleep(&everything()).holds();
    }

    #[test]
    fn a_sleep_in_a_test_is_found() {
        let sources = planted(&[
            (
                "tests/it/sync.rs",
                "async fn t() { tokio::time::sleep(d).await; }",
            ),
            (
                "src/sync/lease.rs",
                "#[cfg(test)] mod tests { #[test] fn t() { thread::sleep(d); } }",
            ),
        ]);
        let verdict = tests_never_sleep(&sources);
        verdict.finds(&["tests/it/sync.rs:1"]);
        verdict.finds(&["src/sync/lease.rs:1"]);
    }
}
