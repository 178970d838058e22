//! Whose records changed, of all users in one call: the four objects' rows by SystemModstamp, deleted ones too, and of
//! each its id and its owner alone.
//!
//! It is asked as one user who must see everybody's records, or it would be silent about those that he does not see. That
//! is the permission View All Data, of which PermissionSetAssignment tells those who may View Setup and Configuration
//! ("PermissionSetAssignment", Object Reference; a profile's permissions are in a permission set of its own).

use super::client::{Client, misfit, rows_of};
use super::convert;
use super::cursor::{self, Cursor};
use super::feed::{MOST_ROWS, ORDER, conditions, since};
use super::schema::{Schema, Schemas};
use super::soql::{self, literal};
use super::wire::query::{self, Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmCursor, CrmId};
use crate::crm::news::CrmNews;
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two questions whether the user still sees everything.
const SURE: Duration = Duration::from_secs(3600);

/// Asks for everybody's news.
pub(super) struct News {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    /// When the user was last found to see everything.
    sure: Mutex<Option<Instant>>,
}

/// Where it stands with each object.
#[derive(Serialize, Deserialize)]
struct Cursors {
    event: Cursor,
    guest: Cursor,
    contact: Cursor,
    task: Cursor,
}

/// A row, and whose it is: its own owner's, or the owner's of the event that it belongs to.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnedRow {
    id: String,
    #[serde(default)]
    owner_id: Option<String>,
    #[serde(default)]
    event: Option<EventOwner>,
    system_modstamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventOwner {
    owner_id: Option<String>,
}

impl OwnedRow {
    fn owner(self) -> Option<CrmId> {
        let of_event = self.event.and_then(|event| event.owner_id);
        self.owner_id.or(of_event).map(CrmId)
    }
}

impl News {
    pub(super) fn new(client: Arc<Client>, schemas: Arc<Schemas>) -> Self {
        Self {
            client,
            schemas,
            sure: Mutex::default(),
        }
    }

    /// See [`Crm::news`](crate::crm::port::Crm::news).
    pub(super) async fn since(&self, cursor: Option<&CrmCursor>) -> Result<CrmNews, CrmError> {
        let username = self.client.watcher().ok_or(CrmError::WatcherBlind)?;
        let mut cursors = match cursor {
            Some(CrmCursor(bytes)) => {
                let cursors = serde_json::from_slice(bytes).map_err(|_| CrmError::CursorLost)?;
                self.make_sure(username).await?;
                cursors
            }
            None => self.beginning(username).await?,
        };
        let schema = self.schemas.of(username).await?;
        let paths = cursors.each().map(|(kind, cursor)| {
            let query = question(kind, cursor, &schema)?;
            Ok(query::path(Scope::All, &soql::encoded(&query)))
        });
        let paths = paths.into_iter().collect::<Result<Vec<String>, CrmError>>()?;
        let (outcomes, answered) = self.client.composite_at(username, &paths).await?;
        let (mut whose, mut more) = (BTreeSet::new(), false);
        for ((kind, cursor), outcome) in cursors.each().into_iter().zip(outcomes) {
            more |= turn(cursor, rows_of(outcome)?, answered, |owner| {
                whose.insert((owner, kind.record()));
            })?;
        }
        let cursor = serde_json::to_vec(&cursors).map_err(|_| CrmError::CursorLost)?;
        Ok(CrmNews {
            whose,
            cursor: CrmCursor(cursor),
            more,
        })
    }

    /// Cursors at the org's own time.
    async fn beginning(&self, username: &str) -> Result<Cursors, CrmError> {
        let now = self.sees_all(username).await?;
        let now = now.unwrap_or_else(|| self.client.clock().now());
        let cursor = || Cursor::beginning_at(now);
        Ok(Cursors {
            event: cursor(),
            guest: cursor(),
            contact: cursor(),
            task: cursor(),
        })
    }

    /// That the user sees everything is asked now and then: an administrator may take the right away.
    async fn make_sure(&self, username: &str) -> Result<(), CrmError> {
        let now = self.client.clock().instant();
        let since = *self.sure.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| now.saturating_duration_since(since) < SURE) {
            return Ok(());
        }
        self.sees_all(username).await.map(drop)
    }

    /// Fails where the user does not see everything; otherwise the org's time.
    async fn sees_all(&self, username: &str) -> Result<Option<DateTime<Utc>>, CrmError> {
        let user = self.client.signed_in_id(username).await?.ok_or_else(misfit)?;
        let query = format!(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {} AND PermissionSet.PermissionsViewAllData = true LIMIT 1",
            literal(&user)
        );
        let asked: Result<(Rows<serde::de::IgnoredAny>, _), _> = self
            .client
            .page(username, Scope::Living, &soql::encoded(&query))
            .await;
        match asked {
            Ok((rows, answered)) if !rows.records.is_empty() => {
                let now = self.client.clock().instant();
                *self.sure.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
                Ok(answered)
            }
            // An object that he may not see is not there for him.
            Ok(_) | Err(CrmError::NotPermitted { .. } | CrmError::BadRequest { .. }) => {
                Err(CrmError::WatcherBlind)
            }
            Err(error) => Err(error),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Kind {
    Records(RecordKind),
    Guests,
}

impl Kind {
    fn record(self) -> RecordKind {
        match self {
            Self::Records(kind) => kind,
            Self::Guests => RecordKind::Calendar,
        }
    }
}

impl Cursors {
    fn each(&mut self) -> [(Kind, &mut Cursor); 4] {
        [
            (Kind::Records(RecordKind::Calendar), &mut self.event),
            (Kind::Guests, &mut self.guest),
            (Kind::Records(RecordKind::Contacts), &mut self.contact),
            (Kind::Records(RecordKind::Tasks), &mut self.task),
        ]
    }
}

fn question(kind: Kind, cursor: &Cursor, schema: &Schema) -> Result<String, CrmError> {
    let since = since(cursor).into_iter();
    let (select, all): (String, Vec<String>) = match kind {
        Kind::Records(kind) => {
            let select = format!("Id, OwnerId, SystemModstamp FROM {}", convert::object_name(kind));
            let conditions = conditions(kind, schema.object(kind)?).map(str::to_owned);
            (select, conditions.chain(since).collect())
        }
        Kind::Guests => (
            "Id, Event.OwnerId, SystemModstamp FROM EventRelation".to_owned(),
            since.collect(),
        ),
    };
    let which = all.join(" AND ");
    Ok(format!("SELECT {select} WHERE {which} {ORDER} LIMIT {MOST_ROWS}"))
}

/// Tells the owners of rows that are news, and moves the cursor behind them; true where there are more rows.
fn turn(
    cursor: &mut Cursor,
    rows: Rows<OwnedRow>,
    answered: Option<DateTime<Utc>>,
    mut tell: impl FnMut(CrmId),
) -> Result<bool, CrmError> {
    let more = !rows.done || rows.records.len() >= MOST_ROWS;
    let mut last = None;
    for row in rows.records {
        let at = convert::time::parse(&row.system_modstamp).ok_or_else(misfit)?;
        let id = row.id.clone();
        if cursor.is_news(&id, at, answered, cursor::NEWS)
            && let Some(owner) = row.owner()
        {
            tell(owner);
        }
        last = Some((id, at));
    }
    let last = last.as_ref().map(|(id, at)| (id.as_str(), *at));
    cursor.turn_page(answered, last, more, cursor::NEWS);
    Ok(more)
}
