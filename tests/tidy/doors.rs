//! Things with one door: the database, the web framework, the network, the clock, the environment.
//!
//! clippy.toml forbids some of the same by name; this looks at the crates and types themselves, at every
//! mention, also where clippy's own exceptions (`#[expect(…)]`) would be.

use super::names::{Name, names};
use super::source::Source;
use super::verdict::Verdict;

/// One thing and where it may be mentioned.
struct Door {
    /// What it is, in the finding.
    what: &'static str,
    /// Is this name a mention of it?
    is: fn(&Name) -> bool,
    /// May this file mention it?
    allowed: fn(&str) -> bool,
    /// Where it belongs, in the finding.
    place: &'static str,
}

const DIESEL: Door = Door {
    what: "the database (diesel)",
    // A room's error type is made from diesel's in a transaction's closure; that name, and no query.
    is: |name| {
        (name.has("diesel") || name.has("diesel_migrations"))
            && !name.ends_with(&["diesel", "result", "Error"])
    },
    allowed: |path| {
        path.starts_with("src/foundation/db/") || path.ends_with("/store.rs") || path.contains("/store/")
    },
    place: "store.rs files and foundation/db",
};

const ACTIX: Door = Door {
    what: "the web framework (actix)",
    is: |name| name.segments.iter().any(|segment| segment.starts_with("actix")),
    allowed: |path| path.starts_with("src/web/"),
    place: "web",
};

const NETWORK: Door = Door {
    what: "a connection to the outside",
    is: |name| {
        [
            "TcpStream",
            "TcpSocket",
            "UdpSocket",
            "UnixStream",
            "UnixDatagram",
            "UnixSocket",
            "socket2",
            "lookup_host",
            "ToSocketAddrs",
            "to_socket_addrs",
            "HttpConnector",
            "reqwest",
        ]
        .iter()
        .any(|word| name.has(word))
            || ["rustix", "nix", "libc"].iter().any(|library| {
                let mut inner = name
                    .segments
                    .iter()
                    .skip_while(|segment| segment != library)
                    .skip(1);
                inner.any(|segment| ["net", "socket", "connect"].contains(&segment.as_str()))
            })
            || (name.has("hyper") || name.has("hyper_util")) && name.has("client")
            || name.has("conn") && name.ends_with(&["handshake"])
    },
    allowed: |path| path.starts_with("src/foundation/egress/"),
    place: "foundation/egress, behind the gate",
};

const LISTENERS: Door = Door {
    what: "a listening socket",
    is: |name| name.has("TcpListener") || name.has("UnixListener"),
    allowed: |path| path.starts_with("src/web/"),
    place: "web",
};

const CLOCK: Door = Door {
    what: "the clock",
    is: |name| {
        ["Utc", "Local", "Instant", "SystemTime"]
            .iter()
            .any(|kind| name.ends_with(&[kind, "now"]))
            || name.has("sleep_until")
            || name.ends_with(&["time", "sleep"])
            || name.ends_with(&["thread", "sleep"])
            || name.ends_with(&["Uuid", "now_v7"])
            || name.ends_with(&["time", "interval"])
    },
    allowed: in_foundation,
    place: "foundation (take a Clock, or the time as an argument)",
};

const ENVIRONMENT: Door = Door {
    what: "the environment",
    is: |name| {
        [
            "var",
            "vars",
            "var_os",
            "vars_os",
            "set_var",
            "remove_var",
            "temp_dir",
        ]
        .iter()
        .any(|call| name.ends_with(&["env", call]))
    },
    allowed: in_foundation,
    place: "foundation (take a setting)",
};

fn in_foundation(path: &str) -> bool {
    path.starts_with("src/foundation/")
}

/// The thing is mentioned in its own place and nowhere else.
fn one_door(sources: &[Source], door: &Door) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        for name in names(source).iter().filter(|name| !name.in_test) {
            if !(door.is)(name) {
                continue;
            }
            verdict.looked += 1;
            if !(door.allowed)(&source.path) {
                verdict.found.push(format!(
                    "{}:{}: `{}` reaches for {}, which belongs to {}",
                    source.path,
                    name.line,
                    name.segments.join("::"),
                    door.what,
                    door.place
                ));
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted};
    use super::*;

    fn planted_line(door: &Door, path: &str, line: &str) {
        let verdict = one_door(&planted(&[(path, line)]), door);
        verdict.finds(&[path, door.what]);
    }

    #[test]
    fn diesel_stays_in_stores() {
        one_door(&house(), &DIESEL).holds();
        planted_line(&DIESEL, "src/sync/pass.rs", "use diesel::prelude::*;");
    }

    #[test]
    fn actix_stays_in_web() {
        one_door(&house(), &ACTIX).holds();
        planted_line(
            &ACTIX,
            "src/sync/worker.rs",
            "fn f() { actix_web::rt::spawn(g()) }",
        );
    }

    #[test]
    fn connections_are_opened_in_egress_alone() {
        one_door(&house(), &NETWORK).holds();
        for line in [
            "use tokio::net::TcpStream;",
            "async fn f() { std::net::UdpSocket::bind(a) }",
            "async fn f() { tokio::net::lookup_host(a).await }",
            "use std::os::unix::net::UnixStream;",
            "fn f() { socket2::Socket::new(a, b, c) }",
            "use rustix::net::{connect, socket};",
            "fn f() { libc::connect(a, b, c) }",
            "use hyper::client::conn::http1;",
            "async fn f() { conn::http1::handshake(io).await }",
        ] {
            planted_line(&NETWORK, "src/mailbox/exchange/client.rs", line);
        }
    }

    #[test]
    fn listening_is_for_the_web_room() {
        // The framework binds its own sockets, so that the house may well mention no listener at all.
        assert!(one_door(&house(), &LISTENERS).found.is_empty());
        for line in ["use std::net::TcpListener;", "use tokio::net::UnixListener;"] {
            planted_line(&LISTENERS, "src/sync/worker.rs", line);
        }
    }

    #[test]
    fn the_clock_is_read_in_foundation_alone() {
        one_door(&house(), &CLOCK).holds();
        for line in [
            "fn f() { chrono::Utc::now(); }",
            "fn f() { Instant::now(); }",
            "async fn f() { tokio::time::sleep(d).await }",
            "fn f() { Uuid::now_v7(); }",
        ] {
            planted_line(&CLOCK, "src/sync/schedule.rs", line);
        }
    }

    #[test]
    fn the_environment_is_read_in_foundation_alone() {
        one_door(&house(), &ENVIRONMENT).holds();
        planted_line(
            &ENVIRONMENT,
            "src/cli/serve.rs",
            "fn f() { std::env::var(\"HOME\"); }",
        );
    }
}
