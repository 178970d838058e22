//! Keeps what goes over the wire of the Exchange side as files, so that a test can validate a
//! whole run against the vendor's schema. Off unless a folder is named.
//!
//! For request number 7: `000007-request.xml`, and `000007-response.xml`, or for a streamed
//! answer one `000007-response-001.xml` for each piece. `index.jsonl` has a line for each:
//! `{"number": 7, "user_agent": "…", "status": 200}`; the status is null where the connection
//! was closed without an answer. Bodies that are not XML are not kept. Bodies are kept as they
//! were before any packing.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, USER_AGENT};
use hyper::{Request, Response};
use serde_json::json;
use tokio::sync::mpsc;

use crate::http::Reply;

/// Where exchanges are kept, if anywhere; clones share it.
#[derive(Clone, Default)]
pub struct Recorder {
    folder: Option<Arc<Folder>>,
}

struct Folder {
    path: PathBuf,
    index: Mutex<File>,
    next: AtomicU64,
}

/// A request that was kept and waits for its answer.
pub struct Pending {
    folder: Arc<Folder>,
    number: u64,
    user_agent: String,
}

impl Recorder {
    /// Keeps exchanges in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// The folder or its index cannot be made.
    pub fn into_folder(path: &Path) -> std::io::Result<Recorder> {
        std::fs::create_dir_all(path)?;
        let index = Mutex::new(File::create(path.join("index.jsonl"))?);
        let folder = Folder {
            path: path.to_owned(),
            index,
            next: AtomicU64::new(1),
        };
        Ok(Recorder {
            folder: Some(Arc::new(folder)),
        })
    }

    /// Keeps a request. None if nothing is kept or its body is not XML.
    pub fn request(&self, request: &Request<Bytes>) -> Option<Pending> {
        let folder = self.folder.clone()?;
        if !is_xml(request.headers()) || request.body().is_empty() {
            return None;
        }
        let number = folder.next.fetch_add(1, Ordering::Relaxed);
        folder.write(&format!("{number:06}-request.xml"), request.body());
        let user_agent = request.headers().get(USER_AGENT);
        let user_agent = user_agent.and_then(|value| value.to_str().ok());
        Some(Pending {
            folder,
            number,
            user_agent: user_agent.unwrap_or_default().to_owned(),
        })
    }
}

impl Pending {
    /// Keeps the answer and passes it on.
    pub fn reply(self, reply: Reply) -> Reply {
        let status = match &reply {
            Reply::Full(response) | Reply::Cut { response, .. } => {
                self.whole(response);
                Some(response.status().as_u16())
            }
            Reply::Stream(response) => Some(response.status().as_u16()),
            Reply::Close => None,
        };
        let line = json!({"number": self.number, "user_agent": self.user_agent, "status": status});
        self.folder.index(&line.to_string());
        match reply {
            Reply::Stream(response) => Reply::Stream(response.map(|pieces| self.pieces(pieces))),
            other => other,
        }
    }

    fn whole(&self, response: &Response<Bytes>) {
        if is_xml(response.headers()) && !response.body().is_empty() {
            self.folder
                .write(&format!("{:06}-response.xml", self.number), response.body());
        }
    }

    /// Ends when the server has sent all, or the client is gone.
    fn pieces(self, mut from: mpsc::Receiver<Bytes>) -> mpsc::Receiver<Bytes> {
        let (to, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut piece_number = 0;
            loop {
                let piece = tokio::select! {
                    piece = from.recv() => piece,
                    () = to.closed() => None,
                };
                let Some(piece) = piece else { break };
                piece_number += 1;
                let name = format!("{:06}-response-{piece_number:03}.xml", self.number);
                self.folder.write(&name, &piece);
                if to.send(piece).await.is_err() {
                    break;
                }
            }
        });
        receiver
    }
}

impl Folder {
    /// A recording that cannot be written must not change what clients see; the test that
    /// validates it notices what is missing.
    fn write(&self, name: &str, body: &[u8]) {
        if let Err(error) = std::fs::write(self.path.join(name), body) {
            tracing::warn!(%error, name, "not recorded");
        }
    }

    fn index(&self, line: &str) {
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(index, "{line}") {
            tracing::warn!(%error, "not recorded");
        }
    }
}

fn is_xml(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("xml"))
}
