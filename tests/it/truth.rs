//! Clients that others wrote, against the lab: what they understand, a real Exchange or Salesforce would say
//! too. Each runs as a process against a lab process of its own; the scripts are in `tests/truth`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A lab process with its description in a file; ended when dropped.
pub struct Running {
    /// Holds `lab.json`, the certificate, and what goes over the wire in `record`.
    pub folder: TempDir,
    process: Child,
}

impl Running {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(further: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_holdfast")).with_file_name("holdfast-lab");
        let mut process = Command::new(program)
            .args(["up", "--people", "3", "--seed", "1", "--http", "--ca-file"])
            .arg(folder.path().join("ca.pem"))
            .arg("--record")
            .arg(folder.path().join("record"))
            .args(further)
            .stdout(Stdio::piped())
            .spawn()
            .expect("build the lab first: cargo build --workspace --bins");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        fs::write(folder.path().join("lab.json"), line).unwrap();
        Self { folder, process }
    }

    pub fn script(&self, name: &str) -> Output {
        Command::new(scripts().join("run.sh"))
            .arg(name)
            .arg(self.folder.path().join("lab.json"))
            .env("TMPDIR", self.folder.path())
            .output()
            .unwrap()
    }

    /// Runs a script that must end well and count at least one check.
    pub fn agrees(&self, name: &str) {
        let output = self.script(name);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = said.lines().last().unwrap_or_default();
        assert!(
            output.status.success() && last.starts_with("ok: ") && last != "ok: 0 checks",
            "{name}: {last}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        eprintln!("{name}: {last}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth")
}

/// Whether the clients could be prepared; says what is missing if not. A later call only compares a stamp.
pub fn clients_are_here() -> bool {
    let output = Command::new(scripts().join("setup.sh")).output().unwrap();
    if !output.status.success() {
        eprintln!(
            "skipped, the independent clients cannot be had here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    output.status.success()
}

fn agrees(script: &str) {
    if clients_are_here() {
        Running::start().agrees(script);
    }
}

#[test]
fn exchangelib_and_the_lab_agree() {
    agrees("exchangelib_truth.py");
}

#[test]
fn ews_javascript_api_and_the_lab_agree() {
    agrees("ews_javascript_truth.js");
}

#[test]
fn simple_salesforce_and_the_lab_agree() {
    agrees("simple_salesforce_truth.py");
}

#[test]
fn jsforce_and_the_lab_agree() {
    agrees("jsforce_truth.js");
}

#[test]
fn davmail_and_the_lab_agree() {
    agrees("davmail_truth.py");
}

/// Extended Protection as on an IIS that allows it, and as on one that demands it: a right binding passes, a wrong
/// one does not, and where it is demanded, none does not either.
#[test]
fn ntlm_clients_of_others_and_the_lab_agree_on_channel_bindings() {
    if clients_are_here() {
        for protection in ["allow", "require"] {
            Running::start_with(&["--extended-protection", protection]).agrees("channel_binding_truth.py");
        }
    }
}
