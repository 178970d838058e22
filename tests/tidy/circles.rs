//! No two files need each other, directly or around corners: each can be read, and tested, after the ones
//! that it imports.

use super::names::{Modules, names};
use super::source::Source;
use super::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Following imports from file to file never leads back.
pub fn no_circles(sources: &[Source]) -> Verdict {
    let modules = Modules::of(sources);
    let mut arrows: Arrows = BTreeMap::new();
    for source in sources {
        for name in names(source).iter().filter(|name| !name.in_test) {
            let target = modules
                .absolute(source, name)
                .and_then(|absolute| modules.file(&absolute));
            if let Some(target) = target.filter(|target| target.path != source.path) {
                arrows.entry(&source.path).or_default().insert(&target.path);
            }
        }
    }
    let mut verdict = Verdict {
        looked: arrows.values().map(BTreeSet::len).sum(),
        found: Vec::new(),
    };
    let mut done = BTreeSet::new();
    for start in arrows.keys() {
        follow(&arrows, start, &mut Vec::new(), &mut done, &mut verdict.found);
    }
    verdict
}

/// Depth first; a file met again on the way closes a circle. Each circle is told once.
fn follow<'a>(
    arrows: &Arrows<'a>,
    file: &'a str,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
    found: &mut Vec<String>,
) {
    if let Some(first) = way.iter().position(|before| *before == file) {
        found.push(format!("{} -> {file}", way[first..].join(" -> ")));
        return;
    }
    if !done.insert(file) {
        return;
    }
    way.push(file);
    for next in arrows.get(file).into_iter().flatten() {
        follow(arrows, next, way, done, found);
    }
    way.pop();
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted};
    use super::*;

    #[test]
    fn no_files_of_the_house_need_each_other() {
        no_circles(&house()).holds();
    }

    #[test]
    fn a_circle_around_a_corner_is_told_in_full() {
        let sources = planted(&[
            (
                "src/sync/mod.rs",
                "pub mod plan; pub mod cursor; fn f() { plan::go() }",
            ),
            ("src/sync/plan.rs", "use super::cursor::Cursor;"),
            ("src/sync/cursor.rs", "use crate::sync::Turn;"),
        ]);
        no_circles(&sources)
            .finds(&["src/sync/cursor.rs -> src/sync/mod.rs -> src/sync/plan.rs -> src/sync/cursor.rs"]);
    }
}
