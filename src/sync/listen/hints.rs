//! Writes hints to the database, where whoever works looks for due streams. What comes together is written
//! together: somebody who clears up a calendar makes a hundred events and one row.

use crate::foundation::explain::Explain as _;
use crate::foundation::ids::MailboxId;
use crate::mailbox::listener::Hint;
use crate::record::kind::RecordKind;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::store::listeners;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// From a hint to its row; what else arrives meanwhile goes with it.
const GATHER: Duration = Duration::from_millis(200);
/// After a database that did not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// Taken from the channel at once.
const AT_ONCE: usize = 4096;

/// What is still to be written: never more than four streams and one word for each mailbox.
#[derive(Clone, Default)]
struct Waiting {
    news: BTreeSet<(i32, RecordKind)>,
    heard: BTreeSet<i32>,
    deaf: BTreeMap<i32, &'static str>,
}

impl Waiting {
    fn add(&mut self, hint: Hint) {
        match hint {
            Hint::News(MailboxId(mailbox), kind) => {
                self.news.insert((mailbox, kind));
            }
            Hint::Heard(MailboxId(mailbox)) => {
                self.deaf.remove(&mailbox);
                self.heard.insert(mailbox);
            }
            Hint::Deaf(MailboxId(mailbox), code) => {
                self.heard.remove(&mailbox);
                self.deaf.insert(mailbox, code);
            }
        }
    }
}

/// Writes until nobody sends any more.
pub async fn write(engine: Engine, mut hints: mpsc::Receiver<Hint>) {
    let mut buffer = Vec::new();
    while let Some(first) = hints.recv().await {
        let mut waiting = Waiting::default();
        waiting.add(first);
        engine.clock.sleep(GATHER).await;
        loop {
            while let Ok(hint) = hints.try_recv() {
                buffer.push(hint);
                if buffer.len() >= AT_ONCE {
                    break;
                }
            }
            buffer.drain(..).for_each(|hint| waiting.add(hint));
            match store(&engine, waiting.clone()).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::warn!(code = error.code(), "hints could not be written; they are kept");
                    engine.clock.sleep(PAUSE).await;
                }
            }
        }
    }
}

async fn store(engine: &Engine, waiting: Waiting) -> Result<(), SyncError> {
    let now = engine.clock.now();
    let ask_by = now + engine.settings.pace.busy;
    engine
        .db
        .run(move |conn| {
            for (mailbox, code) in waiting.deaf {
                listeners::deaf(conn, mailbox, code, ask_by)?;
            }
            if !waiting.heard.is_empty() {
                let heard: Vec<i32> = waiting.heard.into_iter().collect();
                listeners::heard(conn, &heard, now)?;
            }
            let news: Vec<(i32, RecordKind)> = waiting.news.into_iter().collect();
            listeners::hint(conn, &news, now)
        })
        .await
}
