//! The write-ahead journal behind `--state`: a world that survives `kill -9`.
//!
//! One JSON line per mutation, `{"world": name, "entry": ...}`, written with one `write` call
//! before the change is acknowledged. A killed process loses nothing that reached the kernel; a
//! line cut short at the end was never acknowledged and is dropped at the next start. The first
//! line is the genesis: what must be the same after a restart (start time, certificates).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the journal asks of a world.
pub trait Durable: Send + Sync {
    /// The world's name in the journal.
    fn name(&self) -> &'static str;
    /// Applies one entry of an earlier run; called in order, before `attach`, never concurrently.
    fn replay(&self, entry: Value);
    /// From now on every mutation goes to the journal before it is acknowledged.
    fn attach(&self, journal: Journal);
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
pub struct Line {
    /// The name of the world that wrote it, or `genesis`, or `clock`.
    pub world: String,
    /// What happened, in that world's own form.
    pub entry: Value,
}

#[derive(Serialize)]
struct LineRef<'a, T: Serialize> {
    world: &'a str,
    entry: &'a T,
}

/// The open journal; clones share it. The default one keeps nothing.
#[derive(Clone, Default)]
pub struct Journal {
    file: Option<Arc<Mutex<File>>>,
}

impl Journal {
    /// A journal that keeps nothing.
    pub fn none() -> Journal {
        Journal::default()
    }

    /// Opens or creates the file and gives the lines of earlier runs.
    ///
    /// # Errors
    /// The file cannot be read or written, or a line other than the last is not the journal's.
    pub fn open(path: &Path) -> std::io::Result<(Journal, Vec<Line>)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let mut lines = Vec::new();
        for line in bytes
            .get(..whole)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
        {
            if !line.is_empty() {
                lines.push(serde_json::from_slice(line)?);
            }
        }
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok((
            Journal {
                file: Some(Arc::new(Mutex::new(file))),
            },
            lines,
        ))
    }

    /// Whether anything is kept; lets a world skip building its entry.
    pub fn keeps(&self) -> bool {
        self.file.is_some()
    }

    /// Writes one entry; returns once the kernel has it.
    ///
    /// # Panics
    /// When the state file cannot be written: a lab that would forget an acknowledged write must
    /// not go on.
    pub fn append<T: Serialize>(&self, world: &str, entry: &T) {
        let Some(file) = &self.file else { return };
        let mut line = serde_json::to_vec(&LineRef { world, entry })
            .expect("journal entries are plain data, always JSON");
        line.push(b'\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line)
            .expect("the lab's state file can be written");
    }
}
