//! One group: one connection after the other, for as long as this node holds the group.

use crate::foundation::backoff::Backoff;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::listener::{Ended, Hint};
use crate::mailbox::model::MailboxRef;
use crate::sync::engine::Engine;
use crate::sync::store::listeners::{self, Group};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// The mailboxes of a group as they are now.
pub type Members = watch::Receiver<Arc<[MailboxRef]>>;

/// A connection that stood for so long did its work.
const STEADY: Duration = Duration::from_secs(10);
/// Between two connections that did not stand; and while a server does not let itself be listened to.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    last: Duration::from_secs(600),
};

/// Listens until dropped, or until nobody tells the members any more.
pub async fn run(engine: Engine, group: Group, mut members: Members, hints: mpsc::Sender<Hint>) {
    let server = engine.mail_server(&group.mail_server).ok();
    let Some(mut listener) = server.and_then(|server| server.listener()) else {
        return;
    };
    let mut short = 0;
    loop {
        let these = Arc::clone(&members.borrow_and_update());
        let began = engine.clock.instant();
        let ended = tokio::select! {
            ended = listener.listen(&these, &hints), if !these.is_empty() => ended,
            joined = somebody_joins(&engine, &these, members.clone()) => match joined {
                true => continue,
                false => return,
            },
        };
        let stood = engine.clock.instant().saturating_duration_since(began) >= STEADY;
        short = if stood && ended.is_ok() { 0 } else { short + 1 };
        let wait = match ended {
            Ok(Ended::Closed | Ended::LostSome) if stood => continue,
            Ok(Ended::Closed | Ended::LostSome) => BACKOFF.wait(short, 0.5),
            Ok(Ended::Nobody) => BACKOFF.last,
            Err(error) => {
                nobody_listens(&engine, &group, &error).await;
                patience(&error, short)
            }
        };
        tokio::select! {
            () = engine.clock.sleep(wait) => {}
            changed = members.changed() => if changed.is_err() { return },
        }
    }
}

/// Resolves when somebody wants to be listened to and has waited for the stream's end for long: a stream that
/// is broken off has all its mailboxes looked at. False where nobody tells the members any more.
async fn somebody_joins(engine: &Engine, these: &[MailboxRef], mut members: Members) -> bool {
    let is_new = |now: &Arc<[MailboxRef]>| now.iter().any(|mailbox| !these.contains(mailbox));
    loop {
        if members.wait_for(is_new).await.is_err() {
            return false;
        }
        if these.is_empty() {
            return true;
        }
        engine.clock.sleep(engine.settings.join_after).await;
        // He may have changed his mind.
        if is_new(&members.borrow_and_update()) {
            return true;
        }
    }
}

fn patience(error: &MailboxError, short: u32) -> Duration {
    let wait = BACKOFF.wait(short, 0.5);
    match error.class() {
        Class::Throttled { wait: asked } => asked.max(wait),
        _ => wait,
    }
}

/// From now on the group's mailboxes are asked.
async fn nobody_listens(engine: &Engine, group: &Group, error: &MailboxError) {
    let (id, code) = (group.id, error.code());
    tracing::warn!(
        group = id,
        code,
        "notifications are not to be had; the mailboxes are asked instead"
    );
    let ask_by = engine.clock.now() + engine.settings.pace.busy;
    let stored = engine
        .db
        .run(move |conn| listeners::nobody_listens(conn, id, Some(code), ask_by))
        .await;
    if let Err(error) = stored {
        tracing::warn!(
            group = id,
            code = error.code(),
            "could not note that nobody listens"
        );
    }
}
