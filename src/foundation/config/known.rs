//! Every setting that exists. `*` stands for the name that an administrator gives to a connection.

use super::expect::Expect;

/// One setting.
#[derive(Debug)]
pub(super) struct Known {
    /// Its name with dots, as the environment has it with double underscores.
    pub path: &'static str,
    /// What it takes.
    pub expect: Expect,
    /// Whether a section that exists must have it.
    pub required: bool,
    /// The kind of section that must have it, where not every kind must.
    pub of_kind: Option<&'static str>,
}

const fn optional(path: &'static str, expect: Expect) -> Known {
    Known {
        path,
        expect,
        required: false,
        of_kind: None,
    }
}

const fn required(path: &'static str, expect: Expect) -> Known {
    Known {
        path,
        expect,
        required: true,
        of_kind: None,
    }
}

const fn required_of(path: &'static str, expect: Expect, kind: &'static str) -> Known {
    Known {
        path,
        expect,
        required: true,
        of_kind: Some(kind),
    }
}

/// The list, in the order of conf/holdfast.toml.
pub(super) const KNOWN: &[Known] = &[
    optional("data_dir", Expect::Path),
    optional("database.url", Expect::DatabaseUrl),
    optional("database.owner_url", Expect::DatabaseUrl),
    optional("database.bin_dir", Expect::Path),
    optional("database.pool_size", Expect::Number(2, 200)),
    optional("log.level", Expect::LogLevel),
    optional("log.directory", Expect::Path),
    optional("log.format", Expect::OneOf(&["text", "json"])),
    optional("log.keep_files", Expect::Number(1, 3650)),
    optional("web.listen", Expect::Listen),
    optional("web.certificate_file", Expect::Path),
    optional("web.key_file", Expect::Path),
    optional("web.session_idle_minutes", Expect::Number(1, 1440)),
    optional("web.session_hours", Expect::Number(1, 168)),
    optional("egress.allow", Expect::HostPorts),
    optional("egress.extra_ca_files", Expect::Paths),
    optional("egress.connect_timeout_s", Expect::Number(1, 300)),
    optional("egress.ledger_days", Expect::Number(1, 36500)),
    optional("keyring.key_file", Expect::Path),
    optional("keyring.create_key_file", Expect::Flag),
    optional("sync.poll_interval_s", Expect::Number(1, 86400)),
    optional("sync.quiet_poll_interval_s", Expect::Number(1, 86400)),
    optional("sync.listening_poll_interval_s", Expect::Number(1, 86400)),
    optional("sync.workers", Expect::Number(1, 256)),
    optional("sync.page_size", Expect::Number(1, 512)),
    optional("sync.read_batch", Expect::Number(1, 500)),
    optional("sync.retry_first_s", Expect::Number(1, 86400)),
    optional("sync.retry_last_s", Expect::Number(1, 604_800)),
    optional("sync.lease_s", Expect::Number(5, 3600)),
    optional("sync.survivor_check_hours", Expect::Number(1, 8760)),
    optional("sync.journal_keep_days", Expect::Number(1, 3650)),
    optional("failures.names_days", Expect::Number(0, 365)),
    required("mail_server.*.kind", Expect::OneOf(&["exchange"])),
    required("mail_server.*.url", Expect::WebUrl),
    required("mail_server.*.login", Expect::Text),
    optional("mail_server.*.sign_in", Expect::OneOf(&["ntlm", "basic"])),
    optional(
        "mail_server.*.impersonate_by",
        Expect::OneOf(&["smtp", "upn", "sid"]),
    ),
    optional("mail_server.*.max_concurrency", Expect::Number(1, 100)),
    optional("mail_server.*.timeout_s", Expect::Number(5, 1800)),
    optional("mail_server.*.notifications", Expect::Flag),
    required("crm.*.kind", Expect::OneOf(&["salesforce", "odoo"])),
    required_of("crm.*.login_url", Expect::WebUrl, "salesforce"),
    required_of("crm.*.client_id", Expect::Text, "salesforce"),
    optional("crm.*.flow", Expect::OneOf(&["jwt", "client_credentials"])),
    optional("crm.*.audience", Expect::Text),
    optional("crm.*.api_version", Expect::Text),
    optional("crm.*.watch_user", Expect::Text),
    optional("crm.*.daily_call_reserve_percent", Expect::Number(0, 95)),
    optional("crm.*.backfill_call_percent", Expect::Number(1, 100)),
    required_of("crm.*.url", Expect::WebUrl, "odoo"),
    required_of("crm.*.database", Expect::Text, "odoo"),
    optional("crm.*.api", Expect::OneOf(&["json2", "jsonrpc"])),
];

/// The names of all settings, for documentation and tests.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.path)
}

/// The setting that a path with a real connection name stands for.
pub(super) fn find(path: &[&str]) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| fits(known, path) && known.path.split('.').count() == path.len())
}

/// Whether a path is a section that settings lie under.
pub(super) fn is_section(path: &[&str]) -> bool {
    KNOWN
        .iter()
        .any(|known| fits(known, path) && known.path.split('.').count() > path.len())
}

fn fits(known: &Known, path: &[&str]) -> bool {
    known
        .path
        .split('.')
        .zip(path)
        .all(|(want, have)| if want == "*" { is_name(have) } else { want == *have })
}

/// The name of a connection: it becomes part of a secret's name and of log lines.
pub(super) fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter))
}

/// The required settings of named sections, as (section, key, setting).
pub(super) fn required_keys() -> impl Iterator<Item = (&'static str, &'static str, &'static Known)> {
    KNOWN.iter().filter(|known| known.required).filter_map(|known| {
        let (section, key) = known.path.split_once(".*.")?;
        Some((section, key, known))
    })
}

/// What the administrator may have meant: the nearest name beside the wrong one, else the setting of that
/// very name in another section.
pub(super) fn nearest(path: &[&str]) -> Option<String> {
    let (wrong, above) = path.split_last()?;
    let beside = KNOWN
        .iter()
        .filter(|known| fits(known, above))
        .filter_map(|known| known.path.split('.').nth(above.len()));
    let near = beside
        .filter(|name| *name != "*")
        .map(|name| (strsim::damerau_levenshtein(name, wrong), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min();
    if let Some((_, name)) = near {
        return Some(above.iter().chain([&name]).copied().collect::<Vec<_>>().join("."));
    }
    let elsewhere = KNOWN
        .iter()
        .find(|known| known.path.rsplit('.').next() == Some(wrong));
    elsewhere.map(|known| known.path.replace('*', "NAME"))
}
