//! The change feed: the user's own rows of an object, deleted ones too, oldest change first.

use super::client::{Client, is_too_large, misfit, rows_of};
use super::convert;
use super::convert::contact::ContactRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::cursor::{self, Cursor, From};
use super::people::people;
use super::schema::Schemas;
use super::soql::{self, literal};
use super::touched;
use super::users::Users;
use super::wire::composite::Outcome;
use super::wire::describe::Object;
use super::wire::query::{self, Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmChange, CrmCursor, CrmId, CrmPage, CrmUser};
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Rows a page. Salesforce returns 2,000 at most; where they are too wide for it or for us, fewer do.
const PAGE_SIZES: [usize; 3] = [MOST_ROWS, 400, 50];

/// The longest page that Salesforce gives.
pub(super) const MOST_ROWS: usize = 2000;

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
        let mut cursor = Cursor::read(cursor)?;
        if kind == RecordKind::Mail {
            return Ok(CrmPage {
                changes: Vec::new(),
                cursor: Cursor::default().write()?,
                more: false,
            });
        }
        let schema = self.schemas.of(&user.username).await?;
        let owner = self.users.id(user).await?.0;
        let select = convert::select(kind, schema.object(kind)?);
        let condition = condition(kind, schema.object(kind)?, &owner, &cursor);
        let question = Question {
            username: &user.username,
            owner: &owner,
            select: &select,
            query: format!("{select}{condition}"),
        };
        match kind {
            RecordKind::Contacts => self.page::<ContactRow>(&question, &mut cursor).await,
            RecordKind::Tasks => self.page::<TaskRow>(&question, &mut cursor).await,
            RecordKind::Calendar | RecordKind::Mail => self.events(&question, &mut cursor).await,
        }
    }

    /// See [`Crm::count`](crate::crm::port::Crm::count).
    pub(super) async fn count(&self, user: &CrmUser, kind: RecordKind) -> Result<Option<u64>, CrmError> {
        if kind == RecordKind::Mail {
            return Ok(None);
        }
        let schema = self.schemas.of(&user.username).await?;
        let owner = self.users.id(user).await?.0;
        let which = which(kind, schema.object(kind)?, &owner);
        let query = format!("SELECT COUNT() FROM {}{which}", convert::object_name(kind));
        let scope = Scope::Living;
        let (rows, _): (Rows<serde::de::IgnoredAny>, _) = self
            .client
            .page(&user.username, scope, &soql::encoded(&query))
            .await?;
        Ok(rows.total)
    }

    async fn page<R: Row>(&self, question: &Question<'_>, cursor: &mut Cursor) -> Result<CrmPage, CrmError> {
        let page = self.rows::<R>(question, None).await?;
        self.turn(question, page, Vec::new(), cursor).await
    }

    /// A page of events, and with it the events whose guests changed since the last scan.
    async fn events(&self, question: &Question<'_>, cursor: &mut Cursor) -> Result<CrmPage, CrmError> {
        let From::Since(since) = cursor.from() else {
            return self.page::<EventRow>(question, cursor).await;
        };
        let relations = query::path(Scope::All, &touched::question(question.owner, since));
        let mut page = self.rows::<EventRow>(question, Some(relations)).await?;
        let touched = match page.beside.take() {
            Some(relations) => {
                let known = (question.select, page.rows.records.as_slice(), page.answered);
                touched::events(&self.client, question.username, known, relations, cursor).await?
            }
            None => Vec::new(),
        };
        self.turn(question, page, touched, cursor).await
    }

    /// Sorts rows into changes and turns the page. Rows of `also` are news whatever the cursor says.
    async fn turn<R: Row>(
        &self,
        question: &Question<'_>,
        page: Page<R>,
        also: Vec<R>,
        cursor: &mut Cursor,
    ) -> Result<CrmPage, CrmError> {
        let more = !page.rows.done || page.rows.records.len() >= page.size;
        let last = page.rows.records.last().map(Row::head);
        let mut changes = Vec::new();
        let mut living = also;
        for row in page.rows.records {
            let head = row.head();
            if !cursor.is_news(&head.id, head.modified, page.answered, cursor::FEED) {
                continue;
            }
            if head.deleted {
                changes.push((head.modified, CrmChange::Deleted(CrmId(head.id))));
            } else {
                living.push(row);
            }
        }
        let people = people(&self.client, question.username, &mut living).await?;
        let living = living.into_iter().filter_map(|row| into_record(row, &people));
        changes.extend(living.map(|record| (record.modified, CrmChange::Upserted(Box::new(record)))));
        changes.sort_by_key(|(at, _)| *at);
        let last = last.as_ref().map(|head| (head.id.as_str(), head.modified));
        cursor.turn_page(page.answered, last, more, cursor::FEED);
        Ok(CrmPage {
            changes: changes.into_iter().map(|(_, change)| change).collect(),
            cursor: cursor.write()?,
            more,
        })
    }

    /// Asks, with smaller pages where the answer is too much; `beside` is a path that is asked in the same
    /// call.
    async fn rows<R: Row>(
        &self,
        question: &Question<'_>,
        beside: Option<String>,
    ) -> Result<Page<R>, CrmError> {
        let mut sizes = PAGE_SIZES.into_iter().peekable();
        while let Some(size) = sizes.next() {
            let query = soql::encoded(&format!("{} LIMIT {size}", question.query));
            match self.ask(question.username, &query, beside.as_ref(), size).await {
                Err(error) if sizes.peek().is_some() && asks_for_less(&error) => {}
                answer => return answer,
            }
        }
        Err(CrmError::Unintelligible {
            what: "no page is small enough",
        })
    }

    async fn ask<R: Row>(
        &self,
        username: &str,
        query: &str,
        beside: Option<&String>,
        size: usize,
    ) -> Result<Page<R>, CrmError> {
        let Some(beside) = beside else {
            let (rows, answered) = self.client.page(username, Scope::All, query).await?;
            return Ok(Page {
                rows,
                size,
                answered,
                beside: None,
            });
        };
        let paths = [query::path(Scope::All, query), beside.clone()];
        let (mut outcomes, answered) = self.client.composite_at(username, &paths).await?;
        let beside = outcomes.pop();
        let rows = rows_of(outcomes.pop().ok_or_else(misfit)?)?;
        Ok(Page {
            rows,
            size,
            answered,
            beside,
        })
    }
}

/// What is asked, for whom.
struct Question<'a> {
    username: &'a str,
    owner: &'a str,
    select: &'a str,
    query: String,
}

/// What came back.
struct Page<R> {
    rows: Rows<R>,
    /// How many rows were asked for.
    size: usize,
    /// The org's clock.
    answered: Option<DateTime<Utc>>,
    /// The answer to what was asked beside.
    beside: Option<Outcome>,
}

fn asks_for_less(error: &CrmError) -> bool {
    is_too_large(error)
        || matches!(error, CrmError::RuleRefused { code, .. } | CrmError::Busy { code, .. }
            if code == "OPERATION_TOO_LARGE" || code == "QUERY_TIMEOUT")
}

/// The user's own records of a kind.
fn which(kind: RecordKind, object: &Object, owner: &str) -> String {
    let conditions = conditions(kind, object);
    let owned = std::iter::once(format!("OwnerId = {}", literal(owner)));
    let all: Vec<String> = owned.chain(conditions.map(str::to_owned)).collect();
    format!(" WHERE {}", all.join(" AND "))
}

/// What is an item of this kind: not the copies of an event in its guests' calendars, the rules of recurring tasks, and
/// the tasks that stand for mails and calls.
pub(super) fn conditions(kind: RecordKind, object: &Object) -> impl Iterator<Item = &'static str> + use<'_> {
    let conditions: &'static [(&str, &str)] = match kind {
        RecordKind::Calendar => &[("IsChild", "IsChild = false")],
        RecordKind::Tasks => &[
            ("IsRecurrence", "IsRecurrence = false"),
            ("TaskSubtype", "(TaskSubtype = 'Task' OR TaskSubtype = null)"),
        ],
        RecordKind::Contacts | RecordKind::Mail => &[],
    };
    conditions
        .iter()
        .filter(|(column, _)| object.has(column))
        .map(|(_, condition)| *condition)
}

fn condition(kind: RecordKind, object: &Object, owner: &str, cursor: &Cursor) -> String {
    let which = which(kind, object, owner);
    match since(cursor) {
        Some(since) => format!("{which} AND {since} {ORDER}"),
        None => format!("{which} {ORDER}"),
    }
}

/// The order in which a cursor goes on.
pub(super) const ORDER: &str = "ORDER BY SystemModstamp, Id";

/// The rows that a cursor has not covered; `None` for all.
pub(super) fn since(cursor: &Cursor) -> Option<String> {
    match cursor.from() {
        From::Beginning => None,
        From::Since(at) => Some(format!("SystemModstamp >= {}", soql::instant(at))),
        From::Behind(at, id) => {
            let (at, id) = (soql::instant(at), literal(id));
            Some(format!(
                "(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {id}))"
            ))
        }
    }
}
