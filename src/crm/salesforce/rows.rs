//! Many records in one call ("sObject Collections", REST API guide).

use super::client::{Call, Client, misfit};
use super::wire::collections::{self, Fields, Saved};
use crate::crm::error::CrmError;
use http::Method;

impl Client {
    /// Deletes up to [`collections::MOST_ROWS`] records.
    pub(super) async fn delete<'a>(
        &self,
        username: &str,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Saved>, CrmError> {
        let call = Call::new(Method::DELETE, collections::delete_path(ids), "");
        self.send(username, call).await?.json()
    }

    /// Sends up to 200 records to be inserted (POST) or updated (PATCH).
    pub(super) async fn save(
        &self,
        username: &str,
        method: Method,
        object: &str,
        rows: &[&Fields],
        repeatable: bool,
    ) -> Result<Vec<Saved>, CrmError> {
        let mut answers = Vec::with_capacity(rows.len());
        let mut waiting: Vec<&[&Fields]> = rows.chunks(collections::MOST_ROWS).rev().collect();
        while let Some(some) = waiting.pop() {
            let body = collections::body(object, some.iter().copied()).map_err(|_| misfit())?;
            if body.len() > collections::MOST_BYTES && some.len() > 1 {
                let (first, second) = some.split_at(some.len() / 2);
                waiting.extend([second, first]);
                continue;
            }
            let mut call = Call::new(method.clone(), "composite/sobjects", body);
            if !repeatable {
                call = call.once();
            }
            let saved: Vec<Saved> = self.send(username, call).await?.json()?;
            if saved.len() != some.len() {
                return Err(misfit());
            }
            answers.extend(saved);
        }
        Ok(answers)
    }
}
