//! Listens to mail servers, so that a stream is due when it has news and not when its time has come.
//!
//! Mailboxes are in groups, one connection each. Nodes share the groups by leases, as they share streams by
//! leases: two never listen to the same mailbox, and the groups of a dead node move to another. Hints only mark
//! streams as due in the database; the turn finds out what changed. Whoever begins to listen to a mailbox has
//! it looked at once, so what happened while nobody listened is not lost either.

mod group;
mod hints;

use super::engine::Engine;
use super::error::SyncError;
use super::store::listeners::{self, Group};
use super::store::nodes;
use crate::foundation::explain::Explain as _;
use crate::mailbox::model::MailboxRef;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Hints that wait to be gathered; who has more to say waits.
const HINTS: usize = 1024;
/// Between two looks at the groups.
const LOOK: Duration = Duration::from_secs(2);

/// A group that this node listens to.
struct Listening {
    members: watch::Sender<Arc<[MailboxRef]>>,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens until `shutdown` turns true, then gives its groups back.
pub async fn run(engine: Engine, mut shutdown: watch::Receiver<bool>) {
    let (to, from) = mpsc::channel(HINTS);
    let writer = tokio::spawn(hints::write(engine.clone(), from));
    let mut groups: HashMap<i32, Listening> = HashMap::new();
    let lease = engine.settings.lease.to_std().unwrap_or(LOOK);
    let mut answered = engine.clock.instant();
    while !*shutdown.borrow() {
        let asked = engine.clock.instant();
        match round(&engine).await {
            Ok(held) => {
                answered = asked;
                adjust(&engine, &mut groups, held, &to);
            }
            Err(error) => {
                tracing::warn!(code = error.code(), "{}", error.sentence());
                // Others may have taken what we could not renew.
                if engine.clock.instant().saturating_duration_since(answered) > lease {
                    groups.clear();
                }
            }
        }
        tokio::select! {
            () = engine.clock.sleep(LOOK.min(lease / 3)) => {}
            _ = shutdown.changed() => {}
        }
    }
    let ids: Vec<i32> = groups.keys().copied().collect();
    drop(groups);
    drop(to);
    // What waits to be written is still written; then nobody listens here any more.
    let _ = writer.await;
    let (owner, ask_by) = (engine.node, engine.clock.now() + engine.settings.pace.busy);
    let given_back = engine
        .db
        .run(move |conn| listeners::give_back(conn, owner, &ids, ask_by))
        .await;
    if let Err(error) = given_back {
        tracing::warn!(code = error.code(), "groups expire by themselves");
    }
}

/// What this node holds from now on, with the members of each group.
async fn round(engine: &Engine) -> Result<Vec<(Group, Vec<MailboxRef>)>, SyncError> {
    let (owner, now) = (engine.node, engine.clock.now());
    let (until, alive_since) = (now + engine.settings.lease, now - engine.settings.lease);
    let named = engine.db.run(listeners::mail_servers).await?;
    let servers: Vec<String> = named
        .into_iter()
        .filter(|name| {
            let server = engine.mail_server(name);
            server.is_ok_and(|server| server.listener().is_some())
        })
        .collect();
    let ask_by = now + engine.settings.pace.busy;
    engine
        .db
        .run(move |conn| {
            listeners::assign(conn, &servers)?;
            let mut held = listeners::renew(conn, owner, until)?;
            let nodes = nodes::living(conn, alive_since)?.max(1);
            let groups = usize::try_from(listeners::count(conn, &servers)?).unwrap_or(0);
            let fair = groups.div_ceil(usize::try_from(nodes).unwrap_or(1));
            let keep = |group: &Group| servers.contains(&group.mail_server);
            let (mut mine, mut others): (Vec<Group>, Vec<Group>) = held.drain(..).partition(keep);
            others.extend(mine.drain(fair.min(mine.len())..));
            let ids: Vec<i32> = others.iter().map(|group| group.id).collect();
            listeners::give_back(conn, owner, &ids, ask_by)?;
            let room = i64::try_from(fair.saturating_sub(mine.len())).unwrap_or(0);
            mine.extend(listeners::take(conn, &servers, owner, now, until, room)?);
            mine.into_iter()
                .map(|group| Ok((group.clone(), listeners::members(conn, group.id)?)))
                .collect()
        })
        .await
}

/// Starts, tells and ends the groups' tasks.
fn adjust(
    engine: &Engine,
    groups: &mut HashMap<i32, Listening>,
    held: Vec<(Group, Vec<MailboxRef>)>,
    hints: &mpsc::Sender<crate::mailbox::listener::Hint>,
) {
    groups.retain(|id, listening| {
        held.iter().any(|(group, _)| group.id == *id) && !listening.task.is_finished()
    });
    for (group, members) in held {
        match groups.get(&group.id) {
            Some(listening) => {
                listening.members.send_if_modified(|now| {
                    let changed = **now != *members;
                    if changed {
                        *now = members.into();
                    }
                    changed
                });
            }
            None => {
                let id = group.id;
                let (to, members) = watch::channel(members.into());
                let task = tokio::spawn(group::run(engine.clone(), group, members, hints.clone()));
                let listening = Listening { members: to, task };
                groups.insert(id, listening);
            }
        }
    }
}
