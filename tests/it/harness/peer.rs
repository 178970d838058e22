//! A second daemon on a site's database.

use super::Site;
use super::site::end;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

impl Site {
    /// A second daemon on the site's database, with folders of its own; its log is in `NAME-log`. The first one
    /// has made the database.
    pub fn start_peer(&self, name: &str, sync: &str) -> Peer {
        let run = self.file("data/postgres/run");
        let database = format!(
            "[database]\nurl = \"postgresql:///holdfast?host={}&user=holdfast_daemon\"",
            run.display()
        );
        let file = self.file(&format!("{name}.toml"));
        let log = format!("{name}-log");
        fs::write(&file, self.settings((name, &log), &database, sync)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .arg("--config")
            .arg(file)
            .args(["--json", "serve"])
            .env_remove("HOLDFAST_CONFIG")
            .stdout(Stdio::piped())
            .stderr(Stdio::from(
                fs::File::create(self.file(&format!("{name}.err"))).unwrap(),
            ))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said = fs::read_to_string(self.file(&format!("{name}.err"))).unwrap_or_default();
        assert!(
            line.contains("https://"),
            "the second daemon did not start: {said}"
        );
        Peer(Some(child))
    }
}

/// A second daemon; killed when dropped.
pub struct Peer(Option<Child>);

impl Peer {
    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = self.0.as_ref().unwrap().id();
        let pid = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        end(self.0.take());
    }
}
