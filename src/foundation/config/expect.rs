//! What a setting takes, as a check and as words.

use std::net::SocketAddr;
use toml_edit::Value;
use url::Url;

/// What a setting takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expect {
    /// Any text that is not empty.
    Text,
    /// The path of a file or folder.
    Path,
    /// true or false.
    Flag,
    /// A whole number within bounds.
    Number(i64, i64),
    /// One of a few words.
    OneOf(&'static [&'static str]),
    /// An address to listen on.
    Listen,
    /// A web address.
    WebUrl,
    /// The address of a database, without a password.
    DatabaseUrl,
    /// A filter of the log.
    LogLevel,
    /// Several `host:port`.
    HostPorts,
    /// Several paths.
    Paths,
}

impl Expect {
    /// In words, to end the sentence "expected …".
    pub fn words(self) -> String {
        match self {
            Self::Text => "a text in quotes".into(),
            Self::Path => "a path in quotes".into(),
            Self::Flag => "true or false".into(),
            Self::Number(least, most) => format!("a whole number from {least} to {most}"),
            Self::OneOf([only]) => format!("\"{only}\""),
            Self::OneOf(words) => {
                format!("one of {}", words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))
            }
            Self::Listen => "an address and a port, such as \"127.0.0.1:8443\"".into(),
            Self::WebUrl => "a web address, such as \"https://mail.example.com/path\", without a password".into(),
            Self::DatabaseUrl => {
                "a database address, such as \"postgresql://db.example.com/holdfast\", without a password (PostgreSQL \
                 takes it from a password file: add ?passfile=/path)"
                    .into()
            }
            Self::LogLevel => "a level (error, warn, info, debug, trace), or several such as \
                 \"info,holdfast::sync=debug\""
                .into(),
            Self::HostPorts => "a list of \"host:port\", such as [\"mail.example.com:443\"]".into(),
            Self::Paths => "a list of paths, such as [\"/etc/ssl/our-ca.pem\"]".into(),
        }
    }

    /// Whether the value will do.
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::Flag => value.is_bool(),
            Self::Number(least, most) => value.as_integer().is_some_and(|n| (least..=most).contains(&n)),
            Self::HostPorts => each(value, is_host_port),
            Self::Paths => each(value, |text| !text.is_empty()),
            Self::Text | Self::Path => text(value, |text| !text.trim().is_empty()),
            Self::OneOf(words) => text(value, |text| words.contains(&text)),
            Self::Listen => text(value, |text| text.parse::<SocketAddr>().is_ok()),
            Self::WebUrl => text(value, |text| is_url(text, &["https", "http"])),
            Self::DatabaseUrl => text(value, |text| is_url(text, &["postgresql", "postgres"])),
            Self::LogLevel => text(value, |text| text.split(',').all(is_log_filter)),
        }
    }

    /// A text of the environment as the value that it stands for. What does not fit stays a text, and is then
    /// refused by [`takes`](Self::takes).
    pub fn read(self, raw: &str) -> Value {
        match self {
            Self::Flag => raw.parse::<bool>().map_or_else(|_| raw.into(), Value::from),
            Self::Number(..) => raw.parse::<i64>().map_or_else(|_| raw.into(), Value::from),
            Self::HostPorts | Self::Paths => raw
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .collect::<toml_edit::Array>()
                .into(),
            _ => raw.into(),
        }
    }

    /// The value as an error may show it: none where somebody may have written a password into it.
    pub fn shown(self, value: &Value) -> Option<String> {
        match self {
            Self::WebUrl | Self::DatabaseUrl => None,
            _ => Some(value.to_string().trim().chars().take(60).collect()),
        }
    }
}

fn text(value: &Value, good: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(good)
}

fn each(value: &Value, good: impl Fn(&str) -> bool) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(|one| text(one, &good)))
}

/// A name or address and a port. An IPv6 address stands in brackets.
fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .map_or_else(
            || !host.is_empty() && !host.contains([':', '/', ' ', '*']),
            |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
        );
    host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A level for everything, or for one room of ours. The log's own parser would take a misspelt level for a
/// room, and a library's finer levels may show the bytes that it handles.
fn is_log_filter(part: &str) -> bool {
    let (room, level) = part.trim().rsplit_once('=').unwrap_or(("holdfast", part.trim()));
    (room == "holdfast" || room.starts_with("holdfast::")) && level.parse::<tracing::Level>().is_ok()
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let secret = url
            .query_pairs()
            .any(|(name, _)| name == "password" || name == "sslpassword");
        schemes.contains(&url.scheme()) && url.password().is_none() && !secret
    })
}
