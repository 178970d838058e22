//! Nodes: the daemons that share one database, and which of them live.

use crate::foundation::db::schema::nodes;
use crate::sync::error::SyncError;
use chrono::{DateTime, Utc};
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
