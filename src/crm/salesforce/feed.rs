//! The change feed: the user's own rows of an object, deleted ones too, oldest change first.

use super::client::{Client, is_too_large};
use super::convert;
use super::convert::contact::ContactRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::cursor::{Cursor, From};
use super::people::people;
use super::schema::Schemas;
use super::soql::{self, literal};
use super::users::Users;
use super::wire::describe::Object;
use super::wire::query::{Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmChange, CrmCursor, CrmId, CrmPage, CrmUser};
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Rows a page. Salesforce returns 2,000 at most; where they are too wide for it or for us, fewer do.
const PAGE_SIZES: [usize; 3] = [2000, 400, 50];

/// Reads the feed.
pub(super) struct Feed {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
}

impl Feed {
    pub(super) fn new(client: Arc<Client>, schemas: Arc<Schemas>, users: Arc<Users>) -> Self {
        Self {
            client,
            schemas,
            users,
        }
    }

    /// See [`Crm::changes`](crate::crm::port::Crm::changes).
    pub(super) async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        match kind {
            RecordKind::Calendar => self.page::<EventRow>(user, kind, cursor).await,
            RecordKind::Contacts => self.page::<ContactRow>(user, kind, cursor).await,
            RecordKind::Tasks => self.page::<TaskRow>(user, kind, cursor).await,
            RecordKind::Mail => Ok(CrmPage {
                changes: Vec::new(),
                cursor: Cursor::default().write()?,
                more: false,
            }),
        }
    }

    async fn page<R: Row>(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        let mut cursor = Cursor::read(cursor)?;
        let schema = self.schemas.of(&user.username).await?;
        let object = schema.object(kind)?;
        let owner = self.users.id(user).await?;
        let query = question(kind, object, &owner.0, &cursor);
        let (rows, size, answered) = self.rows::<R>(user, &query).await?;
        let more = !rows.done || rows.records.len() >= size;
        let last = rows
            .records
            .last()
            .map(|row| row.head())
            .map(|head| (head.id, head.modified));
        let mut changes = Vec::new();
        let mut living = Vec::new();
        for row in rows.records {
            let head = row.head();
            if !cursor.is_news(&head.id, head.modified) {
                continue;
            }
            if head.deleted {
                changes.push((head.modified, CrmChange::Deleted(CrmId(head.id))));
            } else {
                living.push(row);
            }
        }
        let people = people(&self.client, &user.username, &living).await?;
        let living = living.into_iter().filter_map(|row| into_record(row, &people));
        changes.extend(living.map(|record| (record.modified, CrmChange::Upserted(Box::new(record)))));
        changes.sort_by_key(|(at, _)| *at);
        cursor.turn_page(answered, last.as_ref().map(|(id, at)| (id.as_str(), *at)), more);
        Ok(CrmPage {
            changes: changes.into_iter().map(|(_, change)| change).collect(),
            cursor: cursor.write()?,
            more,
        })
    }

    /// Asks, with smaller pages where the answer is too much.
    async fn rows<R: Row>(
        &self,
        user: &CrmUser,
        query: &str,
    ) -> Result<(Rows<R>, usize, Option<DateTime<Utc>>), CrmError> {
        let mut sizes = PAGE_SIZES.into_iter().peekable();
        while let Some(size) = sizes.next() {
            let query = soql::encoded(&format!("{query} LIMIT {size}"));
            match self.client.page(&user.username, Scope::All, &query).await {
                Ok((rows, answered)) => return Ok((rows, size, answered)),
                Err(error) if sizes.peek().is_some() && asks_for_less(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CrmError::Unintelligible {
            what: "no page is small enough",
        })
    }
}

fn asks_for_less(error: &CrmError) -> bool {
    is_too_large(error)
        || matches!(error, CrmError::RuleRefused { code, .. } | CrmError::Busy { code, .. }
            if code == "OPERATION_TOO_LARGE" || code == "QUERY_TIMEOUT")
}

fn question(kind: RecordKind, object: &Object, owner: &str, cursor: &Cursor) -> String {
    let mut query = convert::select(kind, object);
    query.push_str(&format!(" WHERE OwnerId = {}", literal(owner)));
    // The copies of an event in its guests' calendars, the rules of recurring tasks, and the tasks that stand
    // for mails and calls are no items of their own.
    let conditions: &[(&str, &str)] = match kind {
        RecordKind::Calendar => &[("IsChild", "IsChild = false")],
        RecordKind::Tasks => &[
            ("IsRecurrence", "IsRecurrence = false"),
            ("TaskSubtype", "(TaskSubtype = 'Task' OR TaskSubtype = null)"),
        ],
        RecordKind::Contacts | RecordKind::Mail => &[],
    };
    for (_, condition) in conditions.iter().filter(|(column, _)| object.has(column)) {
        query.push_str(" AND ");
        query.push_str(condition);
    }
    match cursor.from() {
        From::Beginning => {}
        From::Since(at) => query.push_str(&format!(" AND SystemModstamp >= {}", soql::instant(at))),
        From::Behind(at, id) => {
            let (at, id) = (soql::instant(at), literal(id));
            query.push_str(&format!(
                " AND (SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {id}))"
            ));
        }
    }
    query.push_str(" ORDER BY SystemModstamp, Id");
    query
}
