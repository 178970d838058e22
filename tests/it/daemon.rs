//! The running process: how it begins and how it ends.

use crate::harness::{Site, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A daemon of this test, and what it said at its start. Killed where a test ends before it does.
struct Daemon {
    process: Child,
    told: Value,
}

impl Daemon {
    fn start(site: &Site) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .arg("--config")
            .arg(site.file("holdfast.toml"))
            .args(["--json", "serve"])
            .stdout(Stdio::piped())
            .stderr(Stdio::from(File::create(site.file("serve.err")).unwrap()))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said = fs::read_to_string(site.file("serve.err")).unwrap();
        let told = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it did not start: {said}"));
        Self { process, told }
    }

    fn tell(&self, signal: Signal) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn ends(&mut self) -> ExitStatus {
        eventually("the daemon ends", Duration::from_secs(30), || {
            self.process.try_wait().unwrap()
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_daemon_tells_its_page_and_a_code_and_ends_well_when_told_to_stop() {
    let site = Site::open(1, 12);
    for signal in [Signal::TERM, Signal::INT] {
        let mut daemon = Daemon::start(&site);
        assert!(
            daemon.told["page"]
                .as_str()
                .unwrap()
                .starts_with("https://127.0.0.1:")
        );
        assert_eq!(
            daemon.told["code"].as_str().unwrap().len(),
            "XXXX-XXXX-XXXX".len()
        );
        site.in_step();
        daemon.tell(signal);
        assert_eq!(daemon.ends().code(), Some(0), "{signal:?}");
        // What it left behind is whole: the same streams, in step, for whoever comes next.
        site.in_step();
    }
}

#[test]
fn a_page_whose_address_is_taken_is_said_before_anything_runs() {
    let site = Site::open(1, 0);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let file = site.file("holdfast.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("127.0.0.1:0", &address.to_string())).unwrap();
    let before = site.requests();
    let refused = site.run(&["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        said.contains(&address.to_string()) && said.contains("web.listen"),
        "{said}"
    );
    assert_eq!(site.requests(), before);
}

#[test]
fn the_log_names_no_secret_and_no_code() {
    let site = Site::open(1, 12);
    let mut daemon = Daemon::start(&site);
    site.in_step();
    daemon.tell(Signal::TERM);
    daemon.ends();
    let password = site.told["exchange"]["service_password"].as_str().unwrap();
    let code = daemon.told["code"].as_str().unwrap();
    let mut looked = 0;
    for entry in fs::read_dir(site.file("log")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(password) && !text.contains(code));
        looked += text.len();
    }
    assert!(looked > 0, "the log is empty");
}
