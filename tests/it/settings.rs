//! Settings: a slip is refused with its place and the way out, and the shipped file tells the truth.

use holdfast::foundation::config::{self, ConfigError, LoadOptions, Settings, load};
use holdfast::foundation::explain::Explain;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder with a settings file and what lies beside it.
struct Folder(TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.file(), text).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("holdfast.toml")
    }

    fn beside(self, name: &str, text: &str) -> Self {
        let conf_d = self.0.path().join("conf.d");
        fs::create_dir_all(&conf_d).unwrap();
        fs::write(conf_d.join(name), text).unwrap();
        self
    }

    fn load(&self, environment: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        load(&LoadOptions {
            file: Some(self.file()),
            environment,
        })
    }

    fn refusal(&self, environment: &[(&str, &str)]) -> String {
        self.load(environment)
            .expect_err("these settings must be refused")
            .sentence()
    }
}

const HEAD: &str = r#"
[mail_server.head]
kind = "exchange"
url = "https://mail.example.test/EWS/Exchange.asmx"
login = "svc"
"#;

const SALES: &str = r#"
[crm.sales]
kind = "salesforce"
login_url = "https://sales.example.test"
client_id = "id"
"#;

#[test]
fn an_unknown_setting_is_refused_with_file_line_and_the_nearest_name() {
    let folder = Folder::with("[log]\nlevel = \"info\"\n\n[database]\npool_sise = 4\n");
    let said = folder.refusal(&[]);
    let place = format!(
        "{}, line 5: there is no setting database.pool_sise",
        folder.file().display()
    );
    assert!(said.contains(&place), "{said}");
    assert!(said.contains("did you mean database.pool_size?"), "{said}");
}

#[test]
fn a_setting_in_the_wrong_section_is_told_where_it_belongs() {
    let said = Folder::with("[log]\npoll_interval_s = 4\n").refusal(&[]);
    let expected = "line 2: there is no setting log.poll_interval_s; did you mean sync.poll_interval_s?";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn an_unknown_section_is_refused_with_the_nearest_name() {
    let said = Folder::with("[databse]\npool_size = 4\n").refusal(&[]);
    assert!(
        said.contains("line 1: there is no setting databse; did you mean database?"),
        "{said}"
    );
}

#[test]
fn a_wrong_value_is_refused_with_what_was_expected_and_what_was_there() {
    for (text, said) in [
        (
            "[database]\npool_size = \"many\"",
            "line 2: database.pool_size expects a whole number from 2 to 200, but is \"many\"",
        ),
        (
            "[database]\npool_size = 0",
            "line 2: database.pool_size expects a whole number from 2 to 200, but is 0",
        ),
        (
            "[log]\nformat = \"xml\"",
            "line 2: log.format expects one of \"text\", \"json\", but is \"xml\"",
        ),
        ("[log]\nlevel = \"inof\"", "line 2: log.level expects a level"),
        (
            "[web]\nlisten = \"8443\"",
            "line 2: web.listen expects an address and a port",
        ),
        (
            "[egress]\nallow = [\"mail.example.test\"]",
            "line 2: egress.allow expects a list of \"host:port\"",
        ),
        (
            "[keyring]\ncreate_key_file = 1",
            "line 2: keyring.create_key_file expects true or false, but is 1",
        ),
        ("data_dir = \"\"", "line 1: data_dir expects a path in quotes"),
        ("log = 3", "line 1: log expects a section [log]"),
        (
            "[sync.workers]\nmany = 1",
            "line 1: sync.workers expects a whole number",
        ),
    ] {
        let refused = Folder::with(text).refusal(&[]);
        assert!(refused.contains(said), "{text}: {refused}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    for text in [
        "[database]\nurl = \"postgresql://holdfast:hunter2@db/holdfast\"",
        "[database]\nurl = \"postgresql://db/holdfast?password=hunter2\"",
        "[mail_server.head]\nkind = \"exchange\"\nlogin = \"svc\"\nurl = \"https://svc:hunter2@mail/\"",
    ] {
        let said = Folder::with(text).refusal(&[]);
        assert!(
            said.contains("without a password") && !said.contains("hunter2"),
            "{said}"
        );
    }
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    let said = Folder::with("[log]\nlevel = info\n").refusal(&[]);
    assert!(said.contains("holdfast.toml, line 2: this is not TOML"), "{said}");
}

#[test]
fn a_connection_without_what_it_needs_is_refused_with_its_section() {
    let said = Folder::with("\n[mail_server.head]\nkind = \"exchange\"\nlogin = \"svc\"\n").refusal(&[]);
    let expected = "line 2: the section mail_server.head lacks url: expected a web address";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_connection_name_that_will_not_do_is_refused() {
    let said = Folder::with("[mail_server.\"Head Office\"]\nkind = \"exchange\"\n").refusal(&[]);
    assert!(
        said.contains("line 1: mail_server.Head Office cannot be the name of a connection"),
        "{said}"
    );
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let said = Folder::with("[web]\ncertificate_file = \"/etc/holdfast/tls/page.pem\"\n").refusal(&[]);
    assert!(said.contains("line 2: the section web lacks key_file"), "{said}");
}

#[test]
fn all_slips_are_told_at_once() {
    let folder = Folder::with("[log]\nlevle = \"info\"\n").beside("10-more.toml", "[sync]\nworkers = 0\n");
    let said = folder.refusal(&[("HOLDFAST__WEB__LISTN", "127.0.0.1:1")]);
    for part in [
        "holdfast.toml, line 2: there is no setting log.levle; did you mean log.level?",
        "10-more.toml, line 2: sync.workers expects a whole number from 1 to 256, but is 0",
        "environment variable HOLDFAST__WEB__LISTN: there is no setting web.listn; did you mean web.listen?",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn later_layers_win_over_earlier_ones() {
    let folder = Folder::with("[sync]\nworkers = 1\npage_size = 11\nlease_s = 111\n")
        .beside("20-b.toml", "[sync]\npage_size = 33\n")
        .beside("10-a.toml", "[sync]\nworkers = 2\npage_size = 22\n")
        .beside("30-c.toml.bak", "[sync]\nworkers = 200\n");
    let settings = folder.load(&[("HOLDFAST__SYNC__WORKERS", "3")]).unwrap();
    let sync = settings.sync;
    assert_eq!((sync.workers, sync.page_size, sync.lease_s), (3, 33, 111));
}

#[test]
fn the_environment_sets_texts_lists_flags_and_named_sections() {
    let folder = Folder::with(HEAD);
    let settings = folder
        .load(&[
            ("HOLDFAST__EGRESS__ALLOW", "mail.example.test:443, [::1]:8080"),
            ("HOLDFAST__KEYRING__CREATE_KEY_FILE", "false"),
            ("HOLDFAST__MAIL_SERVER__HEAD__LOGIN", "12345"),
            ("HOLDFAST_CONFIG", "not a setting"),
        ])
        .unwrap();
    assert_eq!(settings.egress.allow, ["mail.example.test:443", "[::1]:8080"]);
    assert!(!settings.keyring.create_key_file);
    assert_eq!(settings.mail_server["head"].login, "12345");
}

#[test]
fn a_file_that_was_asked_for_and_is_not_there_is_named() {
    let options = LoadOptions {
        file: Some("/nowhere/holdfast.toml".into()),
        environment: Vec::new(),
    };
    let said = load(&options).expect_err("there is no such file").sentence();
    assert!(
        said.contains("There is no settings file /nowhere/holdfast.toml"),
        "{said}"
    );
}

const SHIPPED: &str = include_str!("../../conf/holdfast.toml");

/// The shipped file with every commented setting switched on.
fn switched_on() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => {
            setting.to_owned()
        }
        _ => line.to_owned(),
    };
    SHIPPED.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Every setting of a value with its path; a connection's name becomes `*`.
fn leaves(value: &Value, path: &str, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = if path == "mail_server" || path == "crm" {
                    "*"
                } else {
                    key
                };
                leaves(value, [path, key].join(".").trim_start_matches('.'), into);
            }
        }
        leaf => into.push((path.to_owned(), leaf.clone())),
    }
}

fn all(settings: &Settings) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    leaves(&serde_json::to_value(settings).unwrap(), "", &mut found);
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The code's defaults, with one connection of each kind that has nothing but what it must have.
fn defaults() -> Vec<(String, Value)> {
    all(&Folder::with(&[HEAD, SALES].concat()).load(&[]).unwrap())
}

fn names(all: &[(String, Value)]) -> Vec<&str> {
    all.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_shipped_file_as_it_is_changes_nothing() {
    assert_eq!(Folder::with(SHIPPED).load(&[]).unwrap(), Settings::default());
}

#[test]
fn the_shipped_file_shows_every_setting_with_its_default_and_no_other() {
    let shown = all(&Folder::with(&switched_on()).load(&[]).unwrap());
    let coded = defaults();
    assert_eq!(names(&shown), names(&coded));
    for ((name, shown), (_, coded)) in shown.iter().zip(&coded) {
        let comment = comment_above(name);
        if coded.is_null() {
            assert!(
                !shown.is_null() && comment.contains("Unset"),
                "{name} is unset by default, and must say so"
            );
        } else if comment.contains("Required.") {
            assert!(name.contains('*'), "{name} is required nowhere in the code");
        } else {
            assert_eq!(shown, coded, "the shipped file shows another default for {name}");
        }
        assert!(comment.len() > 10, "{name} stands without its reason");
    }
}

/// The lines of comment directly above a setting in the shipped file.
fn comment_above(name: &str) -> String {
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    let section = section.trim_end_matches(".*");
    let (mut here, mut comment) = (String::new(), String::new());
    for line in SHIPPED.lines() {
        let bare = line.trim_start_matches('#');
        if let Some(header) = bare.strip_prefix('[') {
            here = header.split([']', '.']).next().unwrap().to_owned();
            comment.clear();
        } else if here == section && bare.starts_with(&format!("{key} = ")) {
            return comment;
        } else if line.starts_with("# ") {
            comment += line;
        } else {
            comment.clear();
        }
    }
    panic!("the shipped file does not show {name}")
}

#[test]
fn every_setting_of_the_code_can_be_set_and_every_setting_that_can_be_set_is_in_the_code() {
    let coded = defaults();
    let mut known: Vec<&str> = config::names().collect();
    known.sort_unstable();
    assert_eq!(known, names(&coded));
}
