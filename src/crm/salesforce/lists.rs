//! List views of contacts: which of the user's own records are in one.
//!
//! "List View Describe", REST API guide, gives "the fully composed SOQL query for the list view"; a list of "my" records
//! has `USING SCOPE mine` in it. What stands between FROM and ORDER BY is put in front of our own question.

use super::client::{Call, Client};
use super::soql::{self, literal};
use super::users::Users;
use super::wire::query::{Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmRecord, CrmUser, ListId};
use http::Method;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a list's definition is believed.
const FRESH: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Described {
    query: String,
    #[serde(rename = "sobjectType")]
    object: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdRow {
    id: String,
}

/// What a list's query says of its rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Condition {
    /// The word behind `USING SCOPE`.
    scope: Option<String>,
    /// What stands behind `WHERE`.
    filter: Option<String>,
}

/// Definitions by user name and list, and when each was asked for.
type Known = HashMap<(String, ListId), (Instant, Arc<Condition>)>;

/// Asks which records are in lists.
pub(super) struct Lists {
    client: Arc<Client>,
    users: Arc<Users>,
    known: Mutex<Known>,
}

impl Lists {
    pub(super) fn new(client: Arc<Client>, users: Arc<Users>) -> Self {
        Self {
            client,
            users,
            known: Mutex::default(),
        }
    }

    /// Marks the records that are not in the user's list, where there is one.
    ///
    /// # Errors
    /// [`CrmError::ListMissing`], and those of a query.
    pub(super) async fn mark<'a>(
        &self,
        user: &CrmUser,
        records: impl Iterator<Item = &'a mut CrmRecord>,
    ) -> Result<(), CrmError> {
        let Some(list) = &user.list else { return Ok(()) };
        let mut records: Vec<&mut CrmRecord> = records.collect();
        if records.is_empty() {
            return Ok(());
        }
        let condition = self.condition(user, list).await?;
        let before = format!("{} AND ", condition.select());
        let ids = records.iter().map(|record| record.id.0.as_str());
        let queries = soql::in_lists(&before, "Id", ids, "");
        let rows: Vec<IdRow> = self.client.queries(&user.username, &queries).await?;
        let members: HashSet<String> = rows.into_iter().map(|row| row.id).collect();
        for record in &mut records {
            record.listed = members.contains(&record.id.0);
        }
        Ok(())
    }

    /// The user's own records that are in his list.
    ///
    /// # Errors
    /// [`CrmError::ListMissing`], and those of a query.
    pub(super) async fn members(&self, user: &CrmUser) -> Result<Vec<CrmId>, CrmError> {
        let list = user.list.as_ref().ok_or(CrmError::ListMissing)?;
        let condition = self.condition(user, list).await?;
        let owner = self.users.id(user).await?.0;
        let query = format!("{} AND OwnerId = {}", condition.select(), literal(&owner));
        let (rows, _): (Rows<IdRow>, _) = self
            .client
            .page(&user.username, Scope::Living, &soql::encoded(&query))
            .await?;
        let rows = self.client.rest(&user.username, rows).await?;
        Ok(rows.into_iter().map(|row| CrmId(row.id)).collect())
    }

    async fn condition(&self, user: &CrmUser, list: &ListId) -> Result<Arc<Condition>, CrmError> {
        let key = (user.username.clone(), list.clone());
        let now = self.client.clock().instant();
        if let Some((at, condition)) = self.known().get(&key)
            && now.saturating_duration_since(*at) < FRESH
        {
            return Ok(Arc::clone(condition));
        }
        let is_id = list.0.chars().all(|c| c.is_ascii_alphanumeric()) && matches!(list.0.len(), 15 | 18);
        if !is_id {
            return Err(CrmError::ListMissing);
        }
        let path = format!("sobjects/Contact/listviews/{}/describe", list.0);
        let call = Call::new(Method::GET, path, "");
        let described: Described = match self.client.send(&user.username, call).await {
            Err(CrmError::Gone | CrmError::NotPermitted { .. } | CrmError::BadRequest { .. }) => {
                return Err(CrmError::ListMissing);
            }
            answer => answer?.json()?,
        };
        if described.object.is_some_and(|object| object != "Contact") {
            return Err(CrmError::ListMissing);
        }
        let condition = Arc::new(read(&described.query).ok_or(CrmError::ListMissing)?);
        self.known().insert(key, (now, Arc::clone(&condition)));
        Ok(condition)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// The begin of a query of what is in the list; a condition may follow with AND.
    fn select(&self) -> String {
        let scope = self.scope.as_ref().map(|scope| format!(" USING SCOPE {scope}"));
        let filter = self.filter.as_deref().unwrap_or("Id != null");
        format!(
            "SELECT Id FROM Contact{} WHERE ({filter})",
            scope.unwrap_or_default()
        )
    }
}

/// Takes a list's query apart; `None` for what is no query of contacts.
fn read(query: &str) -> Option<Condition> {
    let words = words(query);
    let at = |wanted: &[&str]| {
        words.windows(wanted.len()).position(|some| {
            some.iter()
                .zip(wanted)
                .all(|((_, word), wanted)| word.eq_ignore_ascii_case(wanted))
        })
    };
    let from = at(&["FROM", "Contact"])?;
    let word = |index: usize| words.get(index).map(|(_, word)| (*word).to_owned());
    let scope = at(&["USING", "SCOPE"]).and_then(|using| word(using + 2));
    // A name goes into our own query; what is none is left out of it.
    let scope = scope.filter(|scope| scope.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    let end = at(&["ORDER", "BY"])
        .or_else(|| at(&["LIMIT"]))
        .and_then(|end| words.get(end));
    let end = end.map_or(query.len(), |(start, _)| *start);
    let filter = at(&["WHERE"]).filter(|found| *found > from).and_then(|found| {
        let (start, word) = words.get(found)?;
        query.get(start + word.len()..end)
    });
    Some(Condition {
        scope,
        filter: filter
            .map(|filter| filter.trim().to_owned())
            .filter(|filter| !filter.is_empty()),
    })
}

/// The words of a query outside its quotes and parentheses, with where they begin.
fn words(query: &str) -> Vec<(usize, &str)> {
    let (mut words, mut begin) = (Vec::new(), None);
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_u32);
    for (at, c) in query.char_indices().chain([(query.len(), ' ')]) {
        let outside = !quoted && depth == 0;
        if outside && (c.is_alphanumeric() || matches!(c, '_' | '.')) {
            begin.get_or_insert(at);
        } else if let Some(start) = begin.take() {
            words.extend(query.get(start..at).map(|word| (start, word)));
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lists_query_gives_its_scope_and_its_filter_whatever_stands_in_quotes() {
        let filter = |text: &str| read(text).and_then(|condition| condition.filter);
        let mine = "SELECT Name, Id FROM Contact USING SCOPE mine WHERE Title = 'Head of ORDER BY' \
            AND (Department = 'a\\'b' OR Email != null) ORDER BY Name ASC NULLS FIRST, Id ASC";
        assert_eq!(
            read(mine),
            Some(Condition {
                scope: Some("mine".to_owned()),
                filter: Some(
                    "Title = 'Head of ORDER BY' AND (Department = 'a\\'b' OR Email != null)".to_owned()
                ),
            })
        );
        assert_eq!(read("SELECT Id FROM Contact"), Some(Condition::default()));
        assert_eq!(filter("SELECT Id FROM Contact ORDER BY Name"), None);
        assert_eq!(
            filter("select Id from contact where Title = 'x' limit 5"),
            Some("Title = 'x'".to_owned())
        );
        assert_eq!(read("SELECT Id FROM Account"), None);
        let within = "SELECT Id FROM Contact WHERE Id IN (SELECT ContactId FROM Case WHERE IsClosed = false)";
        assert_eq!(
            filter(within),
            Some("Id IN (SELECT ContactId FROM Case WHERE IsClosed = false)".to_owned())
        );
    }
}
