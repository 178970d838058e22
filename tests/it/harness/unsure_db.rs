//! A socket in front of PostgreSQL that fails where a test says: the n-th statement, or every one from there on.
//!
//! libpq asks and waits, one statement at a time: all that it sends up to a Query or a Sync message is one, and the
//! answer ends with ReadyForQuery (PostgreSQL, "Message Flow"), which says whether a transaction is open. So the socket
//! counts statements without knowing SQL, but for the words around a transaction: what happens to one whose COMMIT fails
//! is PostgreSQL's to say, not ours. What is asked outside of transactions is the pool looking after its connections.

use super::TestDb;
use super::cluster::cluster;
use holdfast::foundation::db::{Db, PoolOptions};
use std::collections::HashMap;
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
    /// How this statement fails, if it does. Transactions may be taken back all the same.
    fn next(&mut self, statement: &Statement, open: bool) -> Option<Failing> {
        let (at, how, lasting) = self.failing?;
        if statement.says("ROLLBACK") || !open && !statement.says("BEGIN") {
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
        self.struck
            .get_or_insert_with(|| format!("number {number}: {}", statement.text));
        Some(how)
    }
}

impl Failing {
    /// A transaction whose connection breaks is taken back wherever in it that was, but for its COMMIT. A statement that
    /// the server refuses might be passed over by whoever asked: each of them is tried.
    fn counts(self, statement: &Statement, lasting: bool) -> bool {
        match self {
            Self::Before => statement.says("BEGIN"),
            Self::After => statement.says("COMMIT"),
            Self::Clash => !lasting || statement.says("BEGIN"),
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
    let (mut prepared, mut open) = (HashMap::new(), false);
    loop {
        let Some(statement) = Statement::from(&mut client, &mut prepared)? else {
            return Ok(());
        };
        let failing = plan.lock().unwrap().next(&statement, open);
        let answered = match failing {
            Some(Failing::Before) => return Ok(()),
            // The server fails as well, so that it knows what may follow: a transaction that failed is over.
            Some(Failing::Clash) => {
                let instead: &[u8] = match statement.says("COMMIT") {
                    true => b"ROLLBACK\0",
                    false => b"SELECT 1/0\0",
                };
                server.write_all(&message(b'Q', instead))?;
                clash(state(&answer(&mut server)?))
            }
            Some(Failing::After) | None => {
                server.write_all(&statement.bytes)?;
                answer(&mut server)?
            }
        };
        if failing == Some(Failing::After) {
            return Ok(());
        }
        open = state(&answered) != b'I';
        client.write_all(&answered)?;
    }
}

/// What a client asks at once.
struct Statement {
    bytes: Vec<u8>,
    text: String,
}

impl Statement {
    /// All that a client sends up to the end of a statement; `None` where it takes its leave. Prepared ones are known
    /// by their names from then on.
    fn from(client: &mut UnixStream, prepared: &mut HashMap<String, String>) -> io::Result<Option<Self>> {
        let (mut bytes, mut text) = (Vec::new(), String::new());
        loop {
            let (kind, message) = receive(client)?;
            let words: Vec<String> = message[5..]
                .split(|byte| *byte == 0)
                .take(2)
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            match (kind, words.as_slice()) {
                (b'X', _) => return Ok(None),
                (b'Q', [query, ..]) => text.clone_from(query),
                (b'P', [name, query]) => {
                    text.clone_from(query);
                    prepared.insert(name.clone(), query.clone());
                }
                // The portal's name, and the statement's.
                (b'B', [_, name]) => text = prepared.get(name).cloned().unwrap_or_default(),
                _ => {}
            }
            bytes.extend(message);
            if matches!(kind, b'Q' | b'S') {
                return Ok(Some(Self { bytes, text }));
            }
        }
    }

    fn says(&self, word: &str) -> bool {
        self.text.starts_with(word)
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

/// How ReadyForQuery ends: in which state the transaction is.
fn state(answered: &[u8]) -> u8 {
    answered.last().copied().unwrap_or_default()
}

/// ErrorResponse as PostgreSQL words it, and ReadyForQuery in this state of the transaction.
fn clash(state: u8) -> Vec<u8> {
    let body = b"SERROR\0VERROR\0C40001\0Mcould not serialize access due to concurrent update\0\0";
    [message(b'E', body), message(b'Z', &[state])].concat()
}
