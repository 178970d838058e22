//! Nodes: the daemons that share one database, and which of them live.

use crate::foundation::db::schema::{listen_groups, nodes, streams};
use crate::sync::error::SyncError;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

/// One daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable, Selectable, Insertable)]
#[diesel(table_name = nodes)]
pub struct Node {
    /// Its name among leases.
    pub id: Uuid,
    /// The machine's name.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// Its last sign of life.
    pub seen_at: DateTime<Utc>,
}

/// A node, as people see it.
#[derive(Debug, Clone, Serialize)]
pub struct NodeStatus {
    /// What it says of itself.
    #[serde(flatten)]
    pub node: Node,
    /// True where it gave a sign of life a moment ago.
    pub alive: bool,
    /// Streams that it works on now.
    pub streams: i64,
    /// Groups of mailboxes that it listens to.
    pub groups: i64,
}

/// A node gives a sign of life every two seconds; one that was silent for so long is taken as dead.
const DEAD_AFTER: TimeDelta = TimeDelta::seconds(15);

/// Every node, the one that was seen last first, with what it does.
pub fn statuses(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<NodeStatus>, SyncError> {
    let (streams, groups) = held(conn, now)?;
    let count = |held: &Held, id| {
        held.iter()
            .find(|(owner, _)| *owner == id)
            .map_or(0, |(_, count)| *count)
    };
    Ok(list(conn)?
        .into_iter()
        .map(|node| NodeStatus {
            alive: now - node.seen_at < DEAD_AFTER,
            streams: count(&streams, node.id),
            groups: count(&groups, node.id),
            node,
        })
        .collect())
}

/// A sign of life.
pub fn seen(conn: &mut PgConnection, node: &Node) -> Result<(), SyncError> {
    diesel::insert_into(nodes::table)
        .values(node)
        .on_conflict(nodes::id)
        .do_update()
        .set((
            nodes::name.eq(&node.name),
            nodes::version.eq(&node.version),
            nodes::started_at.eq(node.started_at),
            nodes::seen_at.eq(node.seen_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A node that ends in good order is not missed.
pub fn gone(conn: &mut PgConnection, id: Uuid) -> Result<(), SyncError> {
    diesel::delete(nodes::table.find(id)).execute(conn)?;
    Ok(())
}

/// How many nodes gave a sign of life since.
pub fn living(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<i64, SyncError> {
    Ok(nodes::table
        .filter(nodes::seen_at.ge(since))
        .count()
        .get_result(conn)?)
}

/// Every node, the one that was seen last first.
pub fn list(conn: &mut PgConnection) -> Result<Vec<Node>, SyncError> {
    Ok(nodes::table
        .order((nodes::seen_at.desc(), nodes::id))
        .select(Node::as_select())
        .load(conn)?)
}

/// How many of something each node has.
type Held = Vec<(Uuid, i64)>;

/// How many streams and how many groups each node holds now.
fn held(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<(Held, Held), SyncError> {
    let of_streams: Vec<(Option<Uuid>, i64)> = streams::table
        .filter(streams::lease_expires.gt(now))
        .group_by(streams::lease_owner)
        .select((streams::lease_owner, diesel::dsl::count_star()))
        .load(conn)?;
    let of_groups: Vec<(Option<Uuid>, i64)> = listen_groups::table
        .filter(listen_groups::lease_expires.gt(now))
        .group_by(listen_groups::lease_owner)
        .select((listen_groups::lease_owner, diesel::dsl::count_star()))
        .load(conn)?;
    let owned = |rows: Vec<(Option<Uuid>, i64)>| {
        rows.into_iter()
            .filter_map(|(owner, count)| Some((owner?, count)))
            .collect()
    };
    Ok((owned(of_streams), owned(of_groups)))
}

/// Forgets nodes that were not seen since.
pub fn forget(conn: &mut PgConnection, since: DateTime<Utc>) -> Result<(), SyncError> {
    diesel::delete(nodes::table.filter(nodes::seen_at.lt(since))).execute(conn)?;
    Ok(())
}
