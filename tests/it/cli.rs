//! The command line as docs/cli.md promises it: every command, what it prints, how it ends.

use crate::harness::Site;
use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

const DOCUMENT: &str = include_str!("../../docs/cli.md");

fn holdfast(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON document on standard output")
}

fn address(site: &Site, person: usize) -> String {
    site.people()[person]["smtp"].as_str().unwrap().to_owned()
}

/// The subcommands that a help text lists.
fn subcommands(path: &[&str]) -> Vec<String> {
    let help = holdfast(&[path, &["--help"]].concat());
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_is_documented() {
    let commands = subcommands(&[]);
    assert!(commands.len() > 10, "{commands:?}");
    for command in &commands {
        let below = subcommands(&[command]);
        let whole = match below.is_empty() {
            true => vec![command.clone()],
            false => below.iter().map(|name| format!("{command} {name}")).collect(),
        };
        for command in whole {
            assert!(
                DOCUMENT.contains(&format!("| `holdfast {command}")),
                "docs/cli.md does not show `holdfast {command}`"
            );
        }
    }
}

#[test]
fn wrong_usage_ends_with_two() {
    for arguments in [["frobnicate", "now"], ["status", "--colour"], ["mailbox", "add"]] {
        assert_eq!(holdfast(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn an_error_is_one_json_document_where_json_is_wanted() {
    let site = Site::signed_in(1, 0);
    let output = site.run(&["--json", "mailbox", "pause", "nobody@lab.example"]);
    assert_eq!(output.status.code(), Some(5));
    assert!(output.stdout.is_empty());
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "sync.unknown_mailbox");
    assert!(
        error["error"]["sentence"]
            .as_str()
            .unwrap()
            .contains("mailbox list")
    );
}

#[test]
fn migrating_twice_changes_nothing_the_second_time() {
    let site = Site::bare(1, 0);
    let first = json(&site.run(&["--json", "migrate"]));
    assert_eq!(first["key_file_made"], true);
    assert_ne!(first["migrations"].as_array().unwrap().len(), 0);
    let key = fs::read(site.file("kek")).unwrap();
    let second = json(&site.run(&["--json", "migrate"]));
    assert_eq!(second["key_file_made"], false);
    assert_eq!(second["migrations"].as_array().unwrap().len(), 0);
    assert_eq!(fs::read(site.file("kek")).unwrap(), key);
}

#[test]
fn a_list_of_mailboxes_is_added_once() {
    let site = Site::signed_in(2, 0);
    let list = site.file("people.csv");
    let rows: String = site
        .people()
        .iter()
        .map(|person| {
            let text = |name: &str| person[name].as_str().unwrap();
            format!("{},{}\n", text("smtp"), text("sf_username"))
        })
        .collect();
    fs::write(&list, format!("address,crm_user\n{rows}")).unwrap();
    let add = ["--json", "mailbox", "add", "--file", list.to_str().unwrap()];
    assert_eq!(json(&site.run(&add))["added"].as_array().unwrap().len(), 2);
    let again = json(&site.run(&add));
    assert_eq!(again["added"].as_array().unwrap().len(), 0);
    assert_eq!(again["known"].as_array().unwrap().len(), 2);
    let all = json(&site.run(&["--json", "mailbox", "list"]));
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["state"], "active");
}

#[test]
fn a_secret_that_nobody_asks_for_is_refused_with_the_names_that_are() {
    let site = Site::signed_in(1, 0);
    let output = site.run(&["secret", "set", "mail_server.lab.pasword"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("mail_server.lab.password"), "{said}");
    let output = site.run(&["secret", "set", "mail_server.lab.password"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("Nothing was stored"), "{said}");
}

#[test]
fn a_policy_comes_back_as_it_was_set_and_a_wrong_one_is_refused() {
    let site = Site::signed_in(1, 0);
    let shown = json(&site.run(&["--json", "policy", "show", "default"]));
    assert_eq!(shown["version"], 0);
    let mut policy = shown["policy"].clone();
    policy["mail"]["enabled"] = Value::Bool(false);
    let file = site.file("policy.json");
    fs::write(&file, policy.to_string()).unwrap();
    let set = ["--json", "policy", "set", "default", file.to_str().unwrap()];
    assert_eq!(json(&site.run(&set))["version"], 1);
    let shown = json(&site.run(&["--json", "policy", "show", "default"]));
    assert_eq!(shown["policy"], policy);

    policy["mail"]["enbled"] = Value::Bool(true);
    fs::write(&file, policy.to_string()).unwrap();
    let refused = site.run(&set);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{said}");
    assert!(
        said.contains("enbled") && said.contains("cli.policy_file"),
        "{said}"
    );
    let shown = json(&site.run(&["--json", "policy", "show", "default"]));
    assert_eq!(shown["version"], 1);
}

#[test]
fn check_says_what_is_well_and_what_is_missing() {
    let site = Site::open(1, 0);
    let well = site.run(&["--json", "check"]);
    let findings = json(&well);
    assert_eq!(well.status.code(), Some(0), "{findings}");
    let names: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["what"].as_str().unwrap())
        .collect();
    for name in ["database", "keyring", "egress", "mail_server.lab", "crm.lab"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }

    let bare = Site::bare(1, 0);
    bare.succeed(&["migrate"]);
    let missing = bare.run(&["check"]);
    assert_eq!(missing.status.code(), Some(1));
    let said = String::from_utf8_lossy(&missing.stdout).into_owned();
    assert!(
        said.contains("holdfast secret set mail_server.lab.password"),
        "{said}"
    );
}

/// What was found out of one thing.
fn finding(findings: &Value, what: &str) -> (bool, String) {
    let all = findings.as_array().unwrap();
    let found = all.iter().find(|finding| finding["what"] == what).unwrap();
    (
        found["ok"].as_bool().unwrap(),
        found["says"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn check_reaches_both_sides_and_signs_in_before_there_is_any_mailbox() {
    let site = Site::signed_in(1, 0);
    let before = site.requests();
    let findings = json(&site.run(&["--json", "check"]));
    assert!(site.requests() > before, "nobody was asked");
    let (well, says) = finding(&findings, "mail_server.lab");
    assert!(well && says.contains("accepts the service account"), "{says}");
    let (well, says) = finding(&findings, "crm.lab");
    assert!(well && says.contains("Salesforce REST API"), "{says}");

    let user = site.people()[0]["sf_username"].as_str().unwrap().to_owned();
    let findings = json(&site.run(&["--json", "check", "--crm-user", &user]));
    let (well, says) = finding(&findings, "crm.lab");
    assert!(well && says.contains(&user), "{says}");
    let stranger = site.run(&["--json", "check", "--crm-user", "nobody@lab.example"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(!finding(&json(&stranger), "crm.lab").0);

    site.store_password("not the password");
    let refused = site.run(&["--json", "check"]);
    assert_eq!(refused.status.code(), Some(1));
    let (well, says) = finding(&json(&refused), "mail_server.lab");
    assert!(
        !well && says.contains("did not accept the service account"),
        "{says}"
    );
}

#[test]
fn a_mailbox_can_be_probed() {
    let site = Site::open(1, 0);
    let probe = site.run(&["--json", "mailbox", "probe", &address(&site, 0)]);
    assert_eq!(probe.status.code(), Some(0));
    let said = json(&probe);
    assert_eq!(
        (&said["mail_server"]["ok"], &said["crm"]["ok"]),
        (&true.into(), &true.into())
    );
}

/// The lab's Exchange knows the account by its identifier and nothing else here would reach the mailbox.
#[test]
fn a_mailbox_is_reached_by_the_account_name_that_it_was_given() {
    let site = Site::signed_in(1, 0);
    let settings = fs::read_to_string(site.file("holdfast.toml")).unwrap();
    let by_sid = settings.replace(
        "sign_in = \"ntlm\"",
        "sign_in = \"ntlm\"\nimpersonate_by = \"sid\"",
    );
    fs::write(site.file("holdfast.toml"), by_sid).unwrap();
    let person = &site.people()[0];
    let text = |name: &str| person[name].as_str().unwrap();
    let list = site.file("people.csv");
    let row = format!(
        "address,crm_user,sid\n{},{},S-1-5-21-1-2-3\n",
        text("smtp"),
        text("sf_username")
    );
    fs::write(&list, row).unwrap();
    site.succeed(&["mailbox", "add", "--file", list.to_str().unwrap()]);
    let probe = || json(&site.run(&["--json", "mailbox", "probe", text("smtp")]));
    assert_eq!(probe()["mail_server"]["ok"], false);
    site.succeed(&["mailbox", "account", text("smtp"), "--sid", text("sid")]);
    assert_eq!(probe()["mail_server"]["ok"], true);
}

#[test]
fn an_account_name_that_cannot_be_one_is_refused_before_it_is_stored() {
    let site = Site::open(1, 0);
    let mailbox = address(&site, 0);
    for (option, name, code) in [
        ("--sid", "S-1-5", "cli.not_a_sid"),
        ("--upn", "ada", "cli.not_a_upn"),
    ] {
        let refused = site.run(&["mailbox", "account", &mailbox, option, name]);
        assert_eq!(refused.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&refused.stderr).contains(code));
    }
    let all = json(&site.run(&["--json", "mailbox", "list"]));
    assert!(all[0]["sid"].is_null() && all[0]["upn"].is_null());
}

#[test]
fn a_paused_mailbox_is_left_alone_until_it_is_resumed() {
    let site = Site::open(1, 12);
    let mailbox = address(&site, 0);
    site.succeed(&["mailbox", "pause", &mailbox]);
    let paused = site.run(&["sync", &mailbox]);
    let said = String::from_utf8_lossy(&paused.stderr).into_owned();
    assert_eq!(paused.status.code(), Some(5), "{said}");
    assert!(said.contains("holdfast mailbox resume"), "{said}");
    site.succeed(&["mailbox", "resume", &mailbox]);
    site.succeed(&["sync", &mailbox]);
}

#[test]
fn a_preview_writes_nothing_and_foretells_what_a_run_then_does() {
    let site = Site::open(1, 24);
    let mailbox = address(&site, 0);
    let before = site.control("GET", "/world", b"");
    let foretold = json(&site.run(&["--json", "preview", &mailbox]));
    assert_eq!(site.control("GET", "/world", b""), before);
    let creates = foretold["totals"]["create in CRM"].as_u64().unwrap();
    assert!(creates > 0, "{foretold}");
    let csv = site.succeed(&["preview", &mailbox, "--csv"]);
    assert!(csv.starts_with("kind,side,id,action,detail,told\n"));
    assert_eq!(
        csv.lines().count() - 1,
        foretold["rows"].as_array().unwrap().len()
    );

    let done = json(&site.run(&["--json", "sync", &mailbox]));
    assert_eq!(done["total"]["created_in_crm"].as_u64(), Some(creates), "{done}");
    assert_eq!(done["total"]["failed"], 0, "{done}");
}

#[test]
fn an_item_is_explained_by_its_id_on_either_side_and_an_unknown_one_is_said_to_be() {
    let site = Site::open(1, 24);
    let mailbox = address(&site, 0);
    let rows = json(&site.run(&["--json", "preview", &mailbox]))["rows"].clone();
    let row = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["action"] == "create in CRM" && row["kind"] == "contacts")
        .expect("a contact that the CRM lacks");
    site.succeed(&["sync", &mailbox]);
    let item = row["id"].as_str().unwrap();
    let by_item = json(&site.run(&["--json", "explain", &mailbox, item]));
    assert_ne!(by_item["rules"].as_array().unwrap().len(), 0, "{by_item}");
    let record = by_item["crm"].as_str().expect("its record").to_owned();
    let by_record = json(&site.run(&["--json", "explain", &mailbox, &record]));
    assert_eq!(by_record["item"], by_item["item"]);

    let unknown = site.run(&["explain", &mailbox, "no-such-item"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(5), "{said}");
    assert!(said.contains("cli.unknown_item"), "{said}");
}

#[test]
fn status_ends_with_one_until_everything_is_in_step() {
    let site = Site::open(1, 12);
    let before = site.run(&["--json", "status"]);
    assert_eq!(before.status.code(), Some(1));
    assert_eq!(json(&before)["in_step"], false);
    site.succeed(&["sync", "--all"]);
    let after = site.run(&["--json", "status"]);
    assert_eq!(json(&after)["in_step"], true);
    assert_eq!(after.status.code(), Some(0));
    assert!(
        site.succeed(&["status"])
            .starts_with("All 4 streams are in step.")
    );
    assert!(site.succeed(&["failures"]).starts_with("Nothing failed."));
}

#[test]
fn in_a_terminal_a_synchronisation_shows_how_far_it_is_and_how_long_it_will_take() {
    let site = Site::open(1, 120);
    let config = site.file("holdfast.toml");
    let command = format!(
        "stty cols 160; {} --config {} sync --all",
        env!("CARGO_BIN_EXE_holdfast"),
        config.display()
    );
    // util-linux's script gives the command a terminal of its own.
    let output = Command::new("script")
        .args(["-qefc", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let bars: Vec<&str> = shown
        .split(['\r', '\n'])
        .filter(|line| line.contains(" left"))
        .collect();
    for kind in ["calendar", "contacts", "tasks", "mail"] {
        let bar = bars.iter().find(|line| line.contains(&format!(" {kind} ")));
        let bar = bar.unwrap_or_else(|| panic!("no bar for {kind}: {shown}"));
        assert!(bar.contains('/') && bar.contains("/s"), "{bar}");
    }
}
