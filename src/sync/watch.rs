//! Watches CRMs, so that a stream is due when its user's records changed and not when its time has come.
//!
//! Where a CRM tells whose records changed, of all users at once ([`Crm::news`]), one node
//! asks it every few seconds, by a lease, and marks the streams of those users as due; the turn finds out what changed,
//! as that user. The cursor stands in the database and moves with the marks, so that a watch that ends in the middle
//! is taken up where it stood. While nobody watches, each stream is asked for itself.

use super::engine::Engine;
use super::error::SyncError;
use super::pace::{between_looks, stretched};
use super::store::watches;
use crate::crm::error::CrmError;
use crate::crm::port::Crm;
use crate::foundation::backoff::Backoff;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two looks at which CRMs there are.
const ROUND: Duration = Duration::from_secs(5);
/// After looks that failed.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(2),
    last: Duration::from_secs(600),
};
/// So many failures in a row are no hiccup any more.
const TOO_MANY: u32 = 2;

/// Watches until `shutdown` turns true, then gives its watches back.
pub async fn run(engine: Engine, mut shutdown: watch::Receiver<bool>) {
    let mut watching: BTreeSet<String> = BTreeSet::new();
    // Whoever cuts this off cuts its tasks off.
    let mut tasks: JoinSet<()> = JoinSet::new();
    while !*shutdown.borrow() {
        match engine.db.run(watches::crms).await {
            Ok(crms) => {
                for crm in crms.into_iter().filter(|name| tells_news(&engine, name)) {
                    if watching.insert(crm.clone()) {
                        tasks.spawn(one(engine.clone(), crm, shutdown.clone()));
                    }
                }
            }
            Err(error) => tracing::warn!(code = error.code(), "{}", error.sentence()),
        }
        tokio::select! {
            () = engine.clock.sleep(ROUND) => {}
            _ = shutdown.changed() => {}
        }
    }
    while tasks.join_next().await.is_some() {}
}

fn tells_news(engine: &Engine, name: &str) -> bool {
    engine.crm(name).is_ok_and(|crm| crm.tells_news())
}

/// What came of a look.
enum Look {
    /// It told all there was.
    Done,
    /// There is more to be told at once.
    More,
    /// Another node watches.
    Elsewhere,
}

/// Watches one CRM.
async fn one(engine: Engine, name: String, mut shutdown: watch::Receiver<bool>) {
    let Ok(crm) = engine.crm(&name) else { return };
    let mut failures = 0;
    while !*shutdown.borrow() {
        let wait = match look(&engine, &name, crm.as_ref()).await {
            Ok(looked) => {
                failures = 0;
                match looked {
                    Look::Done => rest(crm.as_ref()),
                    Look::More => Duration::ZERO,
                    Look::Elsewhere => lease(&engine) / 3,
                }
            }
            Err(error) => {
                failures += 1;
                failed(&engine, &name, &error, failures).await;
                patience(&error, failures)
            }
        };
        tokio::select! {
            () = engine.clock.sleep(wait) => {}
            _ = shutdown.changed() => {}
        }
    }
    let (owner, id) = (engine.node, name);
    let given = engine
        .db
        .run(move |conn| watches::give_back(conn, &id, owner))
        .await;
    if let Err(error) = given {
        tracing::warn!(code = error.code(), "the watch of a CRM expires by itself");
    }
}

async fn look(engine: &Engine, name: &str, crm: &dyn Crm) -> Result<Look, SyncError> {
    let (owner, now, id) = (engine.node, engine.clock.now(), name.to_owned());
    // Calls that run out make looks rare, and whoever looks rarely watches all the same.
    let rare = TimeDelta::from_std(rest(crm)).unwrap_or_default();
    let until = now + engine.settings.lease + rare;
    let held = engine
        .db
        .run(move |conn| watches::take(conn, &id, owner, now, until))
        .await?;
    let Some(held) = held else {
        return Ok(Look::Elsewhere);
    };
    let news = match crm.news(held.cursor.as_ref()).await {
        Err(CrmError::CursorLost) => {
            let id = name.to_owned();
            engine
                .db
                .run(move |conn| watches::forget_cursor(conn, &id, owner))
                .await?;
            return Err(CrmError::CursorLost.into());
        }
        news => news?,
    };
    let (id, now, more) = (name.to_owned(), engine.clock.now(), news.more);
    engine
        .db
        .run(move |conn| {
            watches::advance(conn, &id, owner, &news.cursor)?;
            let whose: Vec<_> = news.whose.into_iter().collect();
            if whose.is_empty() {
                return Ok(());
            }
            watches::hint(conn, &id, &whose, now)
        })
        .await?;
    Ok(if more { Look::More } else { Look::Done })
}

/// News is looked for the less often, the fewer calls there are and the fewer of them are left.
fn rest(crm: &dyn Crm) -> Duration {
    let allowed = crm.calls().map(|(_, allowed)| allowed);
    let rest = stretched(between_looks(allowed), crm.pressure());
    rest.to_std().unwrap_or(ROUND)
}

fn lease(engine: &Engine) -> Duration {
    engine.settings.lease.to_std().unwrap_or(ROUND)
}

/// From now on each stream is asked, unless it was a hiccup.
async fn failed(engine: &Engine, name: &str, error: &SyncError, failures: u32) {
    let code = error.code();
    tracing::warn!(crm = name, code, "whose records changed could not be asked");
    if failures < TOO_MANY && error.class() != Class::Refused {
        return;
    }
    let (owner, id) = (engine.node, name.to_owned());
    let when = (engine.clock.now(), engine.settings.pace.quiet);
    let noted = engine
        .db
        .run(move |conn| watches::nobody_watches(conn, &id, owner, Some(code), when))
        .await;
    if let Err(error) = noted {
        tracing::warn!(
            crm = name,
            code = error.code(),
            "could not note that nobody watches"
        );
    }
}

fn patience(error: &SyncError, failures: u32) -> Duration {
    let wait = BACKOFF.wait(failures, 0.5);
    match error.class() {
        Class::Throttled { wait: asked } => asked.max(wait),
        Class::Refused => BACKOFF.last.max(wait),
        _ => wait,
    }
}
