//! Who may import whom. Imports go down, never sideways, and a connector is known to `app.rs` alone.

use super::names::{Modules, Name, names};
use super::source::Source;
use super::verdict::Verdict;

/// The floors of the house, from the top.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["service"],
    &["web"],
    &["app"],
    &["sync", "context", "identity"],
    &["attachments", "access", "directory", "appliance"],
    &["mailbox", "crm", "notify", "tracking", "usage", "audit"],
    &["record"],
    &["foundation"],
];

/// The rooms that have connectors: every folder in them is one.
const PORTS: &[&str] = &["mailbox", "crm"];

/// The rooms that may see the composition root.
const MAY_SEE_APP: &[&str] = &["cli", "service", "web"];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// Every import between two rooms goes down.
pub fn imports_go_down(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    each_import(sources, |source, name, absolute| {
        let (Some(from), Some(to)) = (source.room(), absolute.first()) else {
            return;
        };
        if from == to || from == "lib" {
            return;
        }
        verdict.looked += 1;
        let place = format!("{}:{}", source.path, name.line);
        let path = absolute.join("::");
        match (floor(from), floor(to)) {
            (None, _) => verdict
                .found
                .push(format!("{place}: the room `{from}` stands on no floor")),
            (_, None) => verdict
                .found
                .push(format!("{place}: `{path}` is in a room that stands on no floor")),
            (Some(mine), Some(other)) if mine >= other => verdict.found.push(format!(
                "{place}: `{from}` may not import `{path}`: imports go down, never up or sideways"
            )),
            _ if to == "app" && !MAY_SEE_APP.contains(&from) => verdict
                .found
                .push(format!("{place}: only cli, service and web may import `{path}`")),
            _ => {}
        }
    });
    verdict
}

/// Only `app.rs` names a connector; a connector sees neither the database nor another connector.
pub fn connectors_stand_apart(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    each_import(sources, |source, name, absolute| {
        let here = source.module().and_then(|module| connector(sources, &module));
        let there = connector(sources, absolute);
        if here.is_none() && there.is_none() {
            return;
        }
        verdict.looked += 1;
        let place = format!("{}:{}", source.path, name.line);
        let path = absolute.join("::");
        if let Some(there) = &there
            && source.room() != Some("app")
            && here.as_ref() != Some(there)
        {
            verdict
                .found
                .push(format!("{place}: only app.rs may name the connector `{there}`"));
        }
        if here.is_some() && (path.starts_with("foundation::db") || absolute.iter().any(|s| s == "store")) {
            verdict.found.push(format!(
                "{place}: a connector may not see the database (`{path}`)"
            ));
        }
    });
    verdict
}

/// The connector that a path leads into: `mailbox::exchange`.
fn connector(sources: &[Source], path: &[String]) -> Option<String> {
    let [room, folder, ..] = path else { return None };
    let within = format!("src/{room}/{folder}/");
    (PORTS.contains(&room.as_str()) && sources.iter().any(|source| source.path.starts_with(&within)))
        .then(|| format!("{room}::{folder}"))
}

fn each_import(sources: &[Source], mut look: impl FnMut(&Source, &Name, &[String])) {
    let modules = Modules::of(sources);
    for source in sources {
        for name in names(source).iter().filter(|name| !name.in_test) {
            if let Some(absolute) = modules.absolute(source, name) {
                look(source, name, &absolute);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted};
    use super::*;

    #[test]
    fn imports_go_down_in_the_whole_house() {
        imports_go_down(&house()).holds();
    }

    #[test]
    fn an_import_that_goes_up_or_sideways_is_found() {
        let sources = planted(&[
            ("src/foundation/clock.rs", "use crate::record::Event;"),
            ("src/crm/model.rs", "fn f() { m!(crate::mailbox::model::X) }"),
            ("src/sync/pass.rs", "use crate::app::App;"),
            ("src/attic/mod.rs", "use crate::record::Event;"),
            ("src/main.rs", "fn main() { holdfast::app::open(); }"),
        ]);
        let verdict = imports_go_down(&sources);
        verdict.finds(&["src/foundation/clock.rs:1", "record::Event"]);
        verdict.finds(&["src/crm/model.rs:1", "mailbox::model::X"]);
        verdict.finds(&["src/sync/pass.rs:1", "app::App"]);
        verdict.finds(&["src/attic/mod.rs:1", "no floor"]);
        verdict.finds(&["src/main.rs:1", "only cli, service and web"]);
    }

    #[test]
    fn connectors_stand_apart_in_the_whole_house() {
        connectors_stand_apart(&house()).holds();
    }

    #[test]
    fn a_connector_that_is_named_or_reaches_out_is_found() {
        let sources = planted(&[
            ("src/sync/pass.rs", "use crate::mailbox::exchange::Exchange;"),
            ("src/mailbox/port.rs", "use super::exchange::Exchange;"),
            ("src/mailbox/exchange/mod.rs", "use crate::foundation::db::Db;"),
            ("src/mailbox/graph/mod.rs", "use super::exchange::wire;"),
        ]);
        let verdict = connectors_stand_apart(&sources);
        verdict.finds(&["src/sync/pass.rs:1", "only app.rs"]);
        verdict.finds(&["src/mailbox/port.rs:1", "only app.rs"]);
        verdict.finds(&["src/mailbox/exchange/mod.rs:1", "database"]);
        verdict.finds(&["src/mailbox/graph/mod.rs:1", "mailbox::exchange"]);
    }
}
