//! A site as a customer runs it: the real binary with its private PostgreSQL, against a lab that is a process
//! of its own. Each can be killed and started again.

use super::disk::SmallDisk;
use super::outside::Outside;
use super::wait::eventually;
use holdfast_lab::salesforce::app;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a site may take until both sides hold the same.
const IN_STEP_PATIENCE: Duration = Duration::from_secs(120);

/// The site. Dropping it ends every process of it.
pub struct Site {
    folder: TempDir,
    people: usize,
    items: usize,
    ports: Ports,
    lab: Option<Child>,
    daemon: Option<Child>,
    disk: Option<SmallDisk>,
    /// What the lab told at its start.
    pub told: Value,
}

struct Ports {
    exchange: u16,
    salesforce: u16,
    control: u16,
}

impl Site {
    /// A lab of so many people with about so many items each, and Holdfast set up for all of them. Nothing is
    /// synchronised yet and no daemon runs.
    pub fn open(people: usize, items: usize) -> Self {
        let site = Self::signed_in(people, items);
        site.add_everybody();
        site
    }

    /// The same with its secrets stored, but no mailbox yet.
    pub fn signed_in(people: usize, items: usize) -> Self {
        let site = Self::bare(people, items);
        site.sign_in();
        site
    }

    /// Puts the data folder, not made yet, on a disk of this size. False where none can be had.
    pub fn on_small_disk(&mut self, size: &str) -> bool {
        let data = self.file("data");
        fs::create_dir(&data).unwrap();
        self.disk = SmallDisk::at(&data, size);
        self.disk.is_some()
    }

    /// Makes the database and stores the secrets.
    pub fn sign_in(&self) {
        self.succeed(&["migrate"]);
        self.store_password(self.told["exchange"]["service_password"].as_str().unwrap());
        let key = self.told["salesforce"]["jwt_private_key_pem"].as_str().unwrap();
        self.store_secret("crm.lab.private_key", key);
    }

    /// Adds everybody's mailbox.
    pub fn add_everybody(&self) {
        for person in self.people() {
            let (smtp, user) = (
                person["smtp"].as_str().unwrap(),
                person["sf_username"].as_str().unwrap(),
            );
            self.succeed(&["mailbox", "add", smtp, "--crm-user", user]);
        }
    }

    /// The same, before anything was set up: only the lab runs and the settings are written.
    pub fn bare(people: usize, items: usize) -> Self {
        // A short name under the temp folder: a socket's path has 107 bytes. Passable, since PostgreSQL runs
        // as another user when we are root.
        let folder = tempfile::Builder::new().prefix("hf").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        let ports = Ports {
            exchange: free_port(),
            salesforce: free_port(),
            control: free_port(),
        };
        let mut site = Self {
            folder,
            people,
            items,
            ports,
            lab: None,
            daemon: None,
            disk: None,
            told: Value::Null,
        };
        site.start_lab();
        site.write_settings("");
        site
    }

    /// The folder that holds everything of the site.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the site's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the settings, with further lines of section `[sync]`.
    pub fn write_settings(&self, sync: &str) {
        self.write_settings_of("", sync);
    }

    /// Writes the settings, with further lines of sections `[log]` and `[sync]`.
    pub fn write_settings_of(&self, log: &str, sync: &str) {
        fs::write(
            self.file("holdfast.toml"),
            self.settings(("data", "log"), log, sync),
        )
        .unwrap();
    }

    /// `more` stands behind section `[log]`: further lines of it, or a section of its own.
    pub(super) fn settings(&self, (data, log): (&str, &str), more: &str, sync: &str) -> String {
        let folder = self.folder.path().display();
        let Ports {
            exchange, salesforce, ..
        } = self.ports;
        let (client, watcher) = (app::CLIENT_ID, app::INTEGRATION_USERNAME);
        format!(
            r#"data_dir = "{folder}/{data}"
[log]
directory = "{folder}/{log}"
{more}
[web]
listen = "127.0.0.1:0"
[egress]
allow = ["localhost:{exchange}", "localhost:{salesforce}"]
extra_ca_files = ["{folder}/ca.pem"]
[keyring]
key_file = "{folder}/kek"
[mail_server.lab]
kind = "exchange"
url = "https://localhost:{exchange}/EWS/Exchange.asmx"
login = 'LAB\svc-holdfast'
sign_in = "ntlm"
[crm.lab]
kind = "salesforce"
login_url = "https://localhost:{salesforce}"
client_id = "{client}"
flow = "jwt"
watch_user = "{watcher}"
[sync]
poll_interval_s = 1
retry_first_s = 1
retry_last_s = 2
lease_s = 5
{sync}
"#
        )
    }

    /// Stores the service account's password.
    pub fn store_password(&self, password: &str) {
        self.store_secret("mail_server.lab.password", password);
    }

    /// The people of the lab, as it tells of them.
    pub fn people(&self) -> Vec<Value> {
        self.told["people"].as_array().unwrap().clone()
    }

    /// Stores a secret.
    pub fn store_secret(&self, name: &str, secret: &str) {
        let output = self.run_with(&["secret", "set", name], secret);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .holdfast(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn holdfast(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command
            .arg("--config")
            .arg(self.file("holdfast.toml"))
            .args(arguments);
        // What it leaves in the temp folder lies in the site's, where it is looked for.
        command
            .env_remove("HOLDFAST_CONFIG")
            .env("TMPDIR", self.file("tmp"));
        command
    }

    /// Starts the daemon and waits for its word that it serves.
    pub fn start_daemon(&mut self) {
        let before = self.printed();
        self.begin_daemon();
        eventually("the daemon serves", PATIENCE, || {
            let ended = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().unwrap());
            let said = fs::read_to_string(self.file("daemon.err")).unwrap_or_default();
            assert!(ended.is_none(), "the daemon did not start: {said}");
            (self.printed() > before).then_some(())
        });
    }

    /// Starts the daemon and waits for nothing. What it prints is kept in `daemon.out` and `daemon.err`, that of
    /// earlier ones too.
    pub fn begin_daemon(&mut self) {
        let append = |name: &str| {
            let mut options = fs::OpenOptions::new();
            Stdio::from(options.create(true).append(true).open(self.file(name)).unwrap())
        };
        let daemon = self
            .holdfast(&["--json", "serve"])
            .stdout(append("daemon.out"))
            .stderr(append("daemon.err"))
            .spawn()
            .unwrap();
        self.daemon = Some(daemon);
    }

    /// How often a daemon has said that it serves.
    fn printed(&self) -> usize {
        let printed = fs::read_to_string(self.file("daemon.out")).unwrap_or_default();
        printed.matches("https://").count()
    }

    /// The daemon's process.
    pub fn daemon_id(&self) -> u32 {
        self.daemon.as_ref().unwrap().id()
    }

    /// Everything in a log folder of the site.
    pub fn log(&self, folder: &str) -> String {
        let Ok(entries) = fs::read_dir(self.file(folder)) else {
            return String::new();
        };
        let texts = entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        texts.collect()
    }

    /// `kill -9` of the daemon.
    pub fn kill_daemon(&mut self) {
        end(self.daemon.take());
    }

    /// `kill -9` of the private PostgreSQL, the whole of it: one must be running, or about to.
    pub fn kill_postgresql(&self) {
        eventually("PostgreSQL runs, and is killed", PATIENCE, || {
            self.end_postgresql().then_some(())
        });
    }

    /// True where there was one. Its children notice and end by themselves.
    fn end_postgresql(&self) -> bool {
        let Some(pid) = self.postmaster().and_then(rustix::process::Pid::from_raw) else {
            return false;
        };
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok()
    }

    fn postmaster(&self) -> Option<i32> {
        let file = self.file("data/postgres/data/postmaster.pid");
        fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()
    }

    /// `kill -9` of the lab.
    pub fn kill_lab(&mut self) {
        end(self.lab.take());
    }

    /// Starts the lab again, where it was, with what it held.
    pub fn start_lab(&mut self) {
        let lab = Path::new(env!("CARGO_BIN_EXE_holdfast")).with_file_name("holdfast-lab");
        let mut command = Command::new(lab);
        command.args(["up", "--seed", "11", "--people", &self.people.to_string()]);
        command.args(["--items-per-person", &self.items.to_string()]);
        command
            .arg("--state")
            .arg(self.file("lab.state"))
            .arg("--ca-file")
            .arg(self.file("ca.pem"));
        for (option, port) in [
            ("--port-exchange", self.ports.exchange),
            ("--port-salesforce", self.ports.salesforce),
            ("--port-control", self.ports.control),
        ] {
            command.args([option, &port.to_string()]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("build the lab first: cargo build --workspace --bins");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        self.told = serde_json::from_str(&line).expect("the lab tells one line of JSON");
        self.lab = Some(child);
    }

    /// Asks the lab's control surface.
    pub fn control(&self, method: &str, path: &str, body: &[u8]) -> Value {
        let mut socket = TcpStream::connect(("127.0.0.1", self.ports.control)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let start = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = answer.split_at(start);
        assert!(
            head.starts_with(b"HTTP/1.1 2"),
            "{method} {path}: {}",
            String::from_utf8_lossy(&answer)
        );
        serde_json::from_slice(body).unwrap_or(Value::Null)
    }

    /// Requests that both sides have answered so far.
    pub fn requests(&self) -> u64 {
        let stats = self.control("GET", "/stats", b"");
        let of = |side: &str| stats[side]["requests"].as_u64().unwrap_or(0);
        of("exchange") + of("salesforce")
    }

    /// Waits until every stream is in step and says so itself; says what stands in the way when that does not
    /// come.
    #[track_caller]
    pub fn in_step(&self) {
        let deadline = Instant::now() + IN_STEP_PATIENCE;
        loop {
            let status = self.run(&["--json", "status"]);
            let document: Value = serde_json::from_slice(&status.stdout).unwrap_or(Value::Null);
            if document["in_step"] == true {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "not within {IN_STEP_PATIENCE:?}: every stream is in step\n{}",
                self.says()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What the site says of itself: for a test that gives up.
    pub fn says(&self) -> String {
        let text = |output: &Output| {
            let said = [output.stdout.as_slice(), b"\n", &output.stderr].concat();
            String::from_utf8_lossy(&said).into_owned()
        };
        let log = self.log("log");
        let last: Vec<&str> = log.lines().rev().take(60).collect();
        format!(
            "status: {}\nfailures: {}\nlog, newest first:\n{}",
            text(&self.run(&["--json", "status"])),
            text(&self.run(&["--json", "failures"])),
            last.join("\n")
        )
    }

    /// Where both worlds are, for what people do in the test.
    pub fn outside(&self) -> Outside {
        Outside::told(&self.told).for_people()
    }

    /// Waits until the lab listens where it should.
    pub fn lab_answers(&self) {
        eventually("the lab answers", PATIENCE, || {
            TcpStream::connect(("127.0.0.1", self.ports.control))
                .ok()
                .map(drop)
        });
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        end(self.daemon.take());
        end(self.lab.take());
        self.end_postgresql();
        self.disk.take();
    }
}

/// Ends a process and waits for it.
pub(super) fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
