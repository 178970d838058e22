//! The counts of links, skips and failures. To count millions of links takes the database a moment, so the
//! counts are kept: for two seconds, or for twenty times as long as counting took, whichever is longer.

use super::store;
use crate::access::Granted;
use crate::access::permission::ViewStatus;
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Counts of one stream, or of several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Count {
    /// Items that are linked.
    pub linked: i64,
    /// Items that were left alone with a reason.
    pub skipped: i64,
    /// Items that failed.
    pub failed: i64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.linked += other.linked;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

/// The counts at a moment.
#[derive(Debug, Default)]
pub struct Totals {
    streams: HashMap<(MailboxId, RecordKind), Count>,
}

impl Totals {
    /// One stream's.
    pub fn stream(&self, mailbox: MailboxId, kind: RecordKind) -> Count {
        self.streams.get(&(mailbox, kind)).copied().unwrap_or_default()
    }

    /// One mailbox's.
    pub fn mailbox(&self, mailbox: MailboxId) -> Count {
        self.sum(|of, _| of == mailbox)
    }

    /// One record type's.
    pub fn kind(&self, kind: RecordKind) -> Count {
        self.sum(|_, of| of == kind)
    }

    /// Everything's.
    pub fn all(&self) -> Count {
        self.sum(|_, _| true)
    }

    fn sum(&self, wanted: impl Fn(MailboxId, RecordKind) -> bool) -> Count {
        let mut sum = Count::default();
        for ((mailbox, kind), count) in &self.streams {
            if wanted(*mailbox, *kind) {
                sum.add(*count);
            }
        }
        sum
    }
}

const AT_LEAST: Duration = Duration::from_secs(2);
const TIMES_ITS_COST: u32 = 20;

/// Keeps the counts. One caller counts, the others wait for it and share.
#[derive(Default)]
pub struct TotalsCache {
    kept: Mutex<Option<(Instant, Arc<Totals>)>>,
}

impl TotalsCache {
    /// The counts, fresh enough.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(
        &self,
        db: &Db,
        clock: &Clock,
        _: &Granted<ViewStatus>,
    ) -> Result<Arc<Totals>, SyncError> {
        let mut kept = self.kept.lock().await;
        let begun = clock.instant();
        if let Some((until, totals)) = kept.as_ref()
            && begun < *until
        {
            return Ok(Arc::clone(totals));
        }
        let rows: Result<_, SyncError> = db.run(|conn| Ok(store::totals(conn)?)).await;
        let mut totals = Totals::default();
        for row in rows? {
            let Some(kind) = RecordKind::from_number(row.kind) else {
                continue;
            };
            let count = Count {
                linked: row.linked,
                skipped: row.skipped,
                failed: row.failed,
            };
            totals.streams.insert((MailboxId(row.mailbox_id), kind), count);
        }
        let totals = Arc::new(totals);
        let ended = clock.instant();
        let lasts = AT_LEAST.max(ended.saturating_duration_since(begun) * TIMES_ITS_COST);
        *kept = Some((ended + lasts, Arc::clone(&totals)));
        Ok(totals)
    }
}
