//! A socket in front of PostgreSQL that fails where a test says: the n-th statement, or every one from there on.
//!
//! libpq asks and waits, one statement at a time: all that it sends up to a Query or a Sync message is one, and the
//! answer ends with ReadyForQuery (PostgreSQL, "Message Flow"). So the socket counts statements without knowing SQL, but
//! for two words: what happens to a transaction whose COMMIT fails is PostgreSQL's to say, not ours.

use super::TestDb;
use super::cluster::cluster;
use holdfast::foundation::db::{Db, PoolOptions};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// How a statement fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// The connection breaks before a transaction begins. Transactions are counted.
    Before,
    /// The server carries a COMMIT out, and the connection breaks before anybody hears of it. Transactions are counted.
    After,
    /// The server says that another transaction went first (40001), and takes the transaction back. Statements are
    /// counted; where everything fails from there on, transactions.
    Clash,
}

#[derive(Default)]
struct Plan {
    /// Which one fails, counted from 0, and how; with all behind it or alone.
    failing: Option<(u64, Failing, bool)>,
    passed: u64,
    struck: Option<String>,
}

/// The socket.
pub struct UnsureDb {
    plan: Arc<Mutex<Plan>>,
    over: Arc<AtomicBool>,
    folder: TempDir,
}

impl UnsureDb {
    /// In front of the tests' server.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(socket(folder.path())).unwrap();
        let (plan, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (server, accepts) = (
            socket(cluster().socket_dir()),
            (Arc::clone(&plan), Arc::clone(&over)),
        );
        std::thread::spawn(move || {
            let (plan, over) = accepts;
            for client in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (plan, server) = (Arc::clone(&plan), server.clone());
                std::thread::spawn(move || {
                    // However a connection ends, both of its ends are closed then.
                    let _ = client.and_then(|client| serve(client, &server, &plan));
                });
            }
        });
        Self { plan, over, folder }
    }

    /// The bridge through it, as the daemon opens it.
    pub async fn db(&self, test: &TestDb) -> Db {
        let url = test.daemon_url_at(self.folder.path());
        let options = PoolOptions {
            size: 2,
            ..PoolOptions::default()
        };
        Db::connect(&url, &options).await.unwrap()
    }

    /// Counts anew; the one of this number fails, with all behind it or alone.
    pub fn fail(&self, at: u64, how: Failing, lasting: bool) {
        *self.plan.lock().unwrap() = Plan {
            failing: Some((at, how, lasting)),
            ..Plan::default()
        };
    }

    /// Nothing fails any more. What failed first, if anything did.
    pub fn calm(&self) -> Option<String> {
        std::mem::take(&mut *self.plan.lock().unwrap()).struck
    }
}

impl Drop for UnsureDb {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes whoever accepts.
        let _ = UnixStream::connect(socket(self.folder.path()));
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join(".s.PGSQL.5432")
}

impl Plan {
    /// How this statement fails, if it does. A server that says no lets transactions be taken back, and connections be
    /// made and looked at all the same.
    fn next(&mut self, statement: &[u8]) -> Option<Failing> {
        let (at, how, lasting) = self.failing?;
        if ["ROLLBACK", "SET ", "SELECT 1\0"]
            .iter()
            .any(|word| says(statement, word))
        {
            return None;
        }
        let number = self.passed;
        let over = lasting && number > at;
        if !over && !how.counts(statement, lasting) {
            return None;
        }
        self.passed += 1;
        if number != at && !over {
            return None;
        }
        let said = format!("number {number}: {}", words(statement));
        self.struck.get_or_insert(said);
        Some(how)
    }
}

impl Failing {
    /// A transaction whose connection breaks is taken back wherever in it that was, but for its COMMIT. A statement that
    /// the server refuses might be passed over by whoever asked: each of them is tried.
    fn counts(self, statement: &[u8], lasting: bool) -> bool {
        match self {
            Self::Before => says(statement, "BEGIN"),
            Self::After => says(statement, "COMMIT"),
            Self::Clash => !lasting || says(statement, "BEGIN"),
        }
    }
}

fn serve(mut client: UnixStream, server: &Path, plan: &Mutex<Plan>) -> io::Result<()> {
    let mut server = UnixStream::connect(server)?;
    // The first message has no type.
    let mut start = vec![0; 4];
    client.read_exact(&mut start)?;
    let length = length_of(&start);
    start.resize(length, 0);
    client.read_exact(&mut start[4..])?;
    server.write_all(&start)?;
    client.write_all(&answer(&mut server)?)?;
    loop {
        let Some(statement) = statement(&mut client)? else {
            return Ok(());
        };
        let failing = plan.lock().unwrap().next(&statement);
        match failing {
            None => {
                server.write_all(&statement)?;
                client.write_all(&answer(&mut server)?)?;
            }
            Some(Failing::Before) => return Ok(()),
            Some(Failing::After) => {
                server.write_all(&statement)?;
                answer(&mut server)?;
                return Ok(());
            }
            Some(Failing::Clash) => {
                // The server fails as well, so that it knows what may follow: a transaction that failed is over.
                let instead: &[u8] = match says(&statement, "COMMIT") {
                    true => b"ROLLBACK\0",
                    false => b"SELECT 1/0\0",
                };
                server.write_all(&message(b'Q', instead))?;
                let state = answer(&mut server)?.last().copied().unwrap_or_default();
                client.write_all(&clash(state))?;
            }
        }
    }
}

/// All that a client sends up to the end of a statement; `None` where it takes its leave.
fn statement(client: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    loop {
        let (kind, bytes) = receive(client)?;
        all.extend(bytes);
        match kind {
            b'X' => return Ok(None),
            b'Q' | b'S' => return Ok(Some(all)),
            _ => {}
        }
    }
}

/// All that the server says up to ReadyForQuery.
fn answer(server: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let (kind, bytes) = receive(server)?;
        all.extend(bytes);
        if kind == b'Z' {
            return Ok(all);
        }
    }
}

fn receive(from: &mut UnixStream) -> io::Result<(u8, Vec<u8>)> {
    let mut bytes = vec![0; 5];
    from.read_exact(&mut bytes)?;
    let length = length_of(&bytes[1..]);
    bytes.resize(1 + length, 0);
    from.read_exact(&mut bytes[5..])?;
    Ok((bytes[0], bytes))
}

fn length_of(bytes: &[u8]) -> usize {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}

/// ErrorResponse as PostgreSQL words it, and ReadyForQuery in this state of the transaction.
fn clash(state: u8) -> Vec<u8> {
    let body = b"SERROR\0VERROR\0C40001\0Mcould not serialize access due to concurrent update\0\0";
    [message(b'E', body), message(b'Z', &[state])].concat()
}

fn says(statement: &[u8], word: &str) -> bool {
    statement
        .get(5..)
        .is_some_and(|text| text.starts_with(word.as_bytes()))
}

/// The beginning of a statement's text, for whoever has to find out why.
fn words(statement: &[u8]) -> String {
    let printable = |byte: &&u8| byte.is_ascii_graphic() || **byte == b' ';
    let text: Vec<u8> = statement
        .iter()
        .skip(5)
        .filter(printable)
        .take(90)
        .copied()
        .collect();
    String::from_utf8_lossy(&text).into_owned()
}
