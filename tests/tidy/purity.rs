//! A plan is pure: it sees no engine, no database, no clock, no network, and waits for nobody; nor does anything
//! that it imports. The plan of the engine sees no content either.

use super::names::{Modules, Name, names};
use super::source::Source;
use super::verdict::Verdict;
use std::collections::BTreeSet;

/// What has an effect, or leads to one.
fn is_effect(name: &Name) -> bool {
    const WORDS: &[&str] = &[
        "async",
        "await",
        "tokio",
        "diesel",
        "PgConnection",
        "Db",
        "Engine",
        "Gate",
        "Clock",
        "Instant",
        "SystemTime",
        "hyper",
        "actix_web",
        "tracing",
    ];
    const ROOMS: &[&str] = &["fs", "net", "env", "process", "thread"];
    WORDS.iter().any(|word| name.has(word))
        || ROOMS.iter().any(|room| {
            name.segments
                .windows(2)
                .any(|two| two[0] == "std" && two[1] == *room)
        })
        || name.ends_with(&["Utc", "now"])
        || name.ends_with(&["Local", "now"])
        || name.called
            && ["println", "eprintln", "print", "eprint"]
                .iter()
                .any(|word| name.has(word))
}

/// Content and what opens it.
fn is_content(name: &Name) -> bool {
    name.has("Content") || name.has("Record") || name.method && name.ends_with(&["expose"])
}

/// Files named `plan.rs`, and every file that one of them leads to.
pub fn plans_are_pure(sources: &[Source]) -> Verdict {
    let modules = Modules::of(sources);
    let mut verdict = Verdict::default();
    for plan in sources.iter().filter(|source| source.path.ends_with("/plan.rs")) {
        let (mut seen, mut next) = (BTreeSet::new(), vec![plan]);
        while let Some(source) = next.pop() {
            if !seen.insert(source.path.as_str()) {
                continue;
            }
            for name in names(source).iter().filter(|name| !name.in_test) {
                verdict.looked += 1;
                let of_engine = plan.path.starts_with("src/sync/") && source.path == plan.path;
                if is_effect(name) || of_engine && is_content(name) {
                    verdict.found.push(format!(
                        "{}:{}: `{}` is not for {}, which is pure",
                        source.path,
                        name.line,
                        name.segments.join("::"),
                        plan.path
                    ));
                }
                let absolute = modules.absolute(source, name);
                next.extend(absolute.and_then(|absolute| modules.file(&absolute)));
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted};
    use super::*;

    #[test]
    fn plans_and_what_they_import_are_pure_in_the_whole_house() {
        plans_are_pure(&house()).holds();
    }

    #[test]
    fn an_effect_in_a_plan_or_in_what_it_imports_is_found() {
        for line in [
            "use crate::sync::engine::Engine;",
            "use crate::foundation::db::Db;",
            "async fn f() { g().await }",
            "fn f() { chrono::Utc::now(); }",
            "fn f() { std::fs::read(p); }",
            "use crate::foundation::content::Content;",
            "fn f() { println!(\"x\") }",
        ] {
            plans_are_pure(&planted(&[("src/sync/guard/plan.rs", line)]))
                .finds(&["src/sync/guard/plan.rs:1"]);
        }
        let sources = planted(&[
            ("src/sync/plan.rs", "use super::policy::Policy;"),
            ("src/sync/policy.rs", "use diesel::prelude::*;"),
        ]);
        plans_are_pure(&sources).finds(&["src/sync/policy.rs:1", "diesel", "src/sync/plan.rs"]);
    }
}
