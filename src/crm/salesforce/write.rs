//! Writing: collections of 200, each record with its own fate.
//!
//! A new record carries our key in a unique column, so a repeated insert is answered with DUPLICATE_VALUE and
//! the id of the first copy. Where an org cannot make the column unique, the keys are looked up before.

use super::accounts::Accounts;
use super::batch::Batch;
use super::client::{Client, misfit};
use super::codes;
use super::convert;
use super::convert::row::KEY;
use super::draft::{Draft, Rest, drafts};
use super::guests::{Rows, relate_guests};
use super::relations::{Pending, Related, relate_senders};
use super::reminders;
use super::schema::Schemas;
use super::soql;
use super::throttle::{self, TRIES};
use super::users::Users;
use super::who::Whois;
use super::wire::collections::{self, Fields, Saved};
use super::wire::fault::Fault;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, CrmWrite, CrmWritten};
use crate::crm::settled::Settled;
use crate::record::kind::RecordKind;
use http::Method;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Deserialize)]
struct KeyRow {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
}

/// A draft that is a record now.
struct Landed {
    draft: Draft,
    id: String,
    existed: bool,
}

/// Writes.
pub(super) struct Writer {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
    whois: Arc<Whois>,
    accounts: Accounts,
}

impl Writer {
    pub(super) fn new(
        client: Arc<Client>,
        schemas: Arc<Schemas>,
        users: Arc<Users>,
        whois: Arc<Whois>,
    ) -> Self {
        let accounts = Accounts::new(Arc::clone(&client));
        Self {
            client,
            schemas,
            users,
            whois,
            accounts,
        }
    }

    /// See [`Crm::write`](crate::crm::port::Crm::write).
    pub(super) async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        let schema = self.schemas.of(&user.username).await?;
        let object = schema.object(kind)?;
        let batch = Batch {
            user,
            kind,
            object,
            owner: self.users.id(user).await?,
            acts_as_user: self.client.acts_as_user(),
            shared: object.may_set("EventWhoIds"),
            columns_have_rows: schema.columns_have_rows(),
        };
        let mut fates = Settled::of(writes.len());
        self.whois.forget(writes);
        let reminders = reminders::of_moved(&self.client, user, writes).await?;
        let (new, changed) = drafts(&batch, &self.accounts, &reminders, writes, &mut fates).await?;
        self.create(&batch, new, &mut fates).await?;
        self.update(&batch, changed, &mut fates).await?;
        self.delete(&batch, writes, &mut fates).await?;
        Ok(fates.finish(misfit))
    }

    async fn create(
        &self,
        batch: &Batch<'_>,
        mut drafts: Vec<Draft>,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let mut landed = Vec::new();
        if !has_unique_key(batch) {
            drafts = self.look_first(batch, drafts, &mut landed).await?;
        }
        let mut taken = Vec::new();
        for (draft, outcome) in self.save(batch, Method::POST, drafts).await? {
            match outcome {
                Ok(id) => landed.push(Landed {
                    draft,
                    id,
                    existed: false,
                }),
                Err(fault) if fault.code() == "DUPLICATE_VALUE" => taken.push((draft, fault)),
                Err(fault) => fates.settle(draft.at, Err(codes::of_record(&fault))),
            }
        }
        self.find_taken(batch, taken, &mut landed, fates).await?;
        self.finish(batch, landed, false, fates).await
    }

    /// Sets those apart that are there already.
    async fn look_first(
        &self,
        batch: &Batch<'_>,
        drafts: Vec<Draft>,
        landed: &mut Vec<Landed>,
    ) -> Result<Vec<Draft>, CrmError> {
        let mut by_key = self.ids_by_key(batch, &drafts).await?;
        let mut new = Vec::with_capacity(drafts.len());
        for draft in drafts {
            match draft.key.as_ref().and_then(|key| by_key.remove(&key.0)) {
                Some(id) => landed.push(Landed {
                    draft,
                    id,
                    existed: true,
                }),
                None => new.push(draft),
            }
        }
        Ok(new)
    }

    /// Names the records whose keys are taken. The org's own answer by key counts; the id in its message
    /// stands in where the user may not see the record.
    async fn find_taken(
        &self,
        batch: &Batch<'_>,
        taken: Vec<(Draft, Fault)>,
        landed: &mut Vec<Landed>,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let (drafts, faults): (Vec<Draft>, Vec<Fault>) = taken.into_iter().unzip();
        let by_key = self.ids_by_key(batch, &drafts).await?;
        for (draft, fault) in drafts.into_iter().zip(faults) {
            let by_key = draft.key.as_ref().and_then(|key| by_key.get(&key.0)).cloned();
            match by_key.or_else(|| fault.taken_by(KEY).map(str::to_owned)) {
                Some(id) => landed.push(Landed {
                    draft,
                    id,
                    existed: true,
                }),
                None => fates.settle(draft.at, Err(codes::of_record(&fault))),
            }
        }
        Ok(())
    }

    async fn ids_by_key(
        &self,
        batch: &Batch<'_>,
        drafts: &[Draft],
    ) -> Result<HashMap<String, String>, CrmError> {
        let keys = drafts
            .iter()
            .filter_map(|draft| draft.key.as_ref())
            .map(|key| key.0.as_str());
        let before = format!(
            "SELECT Id, {KEY} FROM {} WHERE ",
            convert::object_name(batch.kind)
        );
        let queries = soql::in_lists(&before, KEY, keys, " ORDER BY CreatedDate DESC, Id DESC");
        let rows: Vec<KeyRow> = self.client.queries(&batch.user.username, &queries).await?;
        // The oldest comes last and stays.
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.key?, row.id)))
            .collect())
    }

    async fn update(
        &self,
        batch: &Batch<'_>,
        drafts: Vec<Draft>,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let mut landed = Vec::new();
        let mut busy = Vec::new();
        for draft in drafts {
            match draft.idle_id() {
                Some(id) => landed.push(Landed {
                    draft,
                    id,
                    existed: false,
                }),
                None => busy.push(draft),
            }
        }
        for (draft, outcome) in self.save(batch, Method::PATCH, busy).await? {
            match outcome {
                Ok(id) => landed.push(Landed {
                    draft,
                    id,
                    existed: false,
                }),
                Err(fault) => fates.settle(draft.at, Err(codes::of_record(&fault))),
            }
        }
        self.finish(batch, landed, true, fates).await
    }

    /// Writes what belongs to the records but is rows of its own, and settles their fates.
    async fn finish(
        &self,
        batch: &Batch<'_>,
        landed: Vec<Landed>,
        changed: bool,
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let mut related = self.relate(batch, &landed, changed).await?;
        for Landed { draft, id, existed } in landed {
            let fate = match related.unfinished.remove(&id) {
                Some(error) => Err(error),
                None => Ok(CrmWritten {
                    refused: related.refused.remove(&id).unwrap_or_default(),
                    id: CrmId(id),
                    existed,
                }),
            };
            fates.settle(draft.at, fate);
        }
        Ok(())
    }

    async fn relate(&self, batch: &Batch<'_>, landed: &[Landed], changed: bool) -> Result<Related, CrmError> {
        let (mut events, mut mails) = (Vec::new(), Vec::new());
        for Landed { draft, id, existed } in landed {
            let fresh = !changed && !*existed;
            match &draft.rest {
                Rest::Nothing => {}
                // Somebody invited before may have to be taken away, so an empty list matters in a change.
                Rest::Guests(guests) if changed || guests.has_rows() => events.push(Pending {
                    id,
                    fresh,
                    people: guests,
                }),
                Rest::Guests(_) => {}
                Rest::Sender(sender) => mails.push(Pending {
                    id,
                    fresh,
                    people: sender,
                }),
            }
        }
        let mut related = Related::default();
        if !events.is_empty() {
            let rows = Rows {
                client: &self.client,
                user: batch.user,
                columns_have_rows: batch.columns_have_rows,
                remove: changed,
            };
            related.add(relate_guests(rows, &events).await?);
        }
        if !mails.is_empty() {
            related.add(relate_senders(&self.client, batch.user, &mails).await?);
        }
        Ok(related)
    }

    async fn delete(
        &self,
        batch: &Batch<'_>,
        writes: &[CrmWrite],
        fates: &mut Settled,
    ) -> Result<(), CrmError> {
        let ids: Vec<(usize, &CrmId)> = writes
            .iter()
            .enumerate()
            .filter_map(|(at, write)| match write {
                CrmWrite::Delete { id } => Some((at, id)),
                _ => None,
            })
            .collect();
        for some in ids.chunks(collections::MOST_ROWS) {
            let gone = some.iter().map(|(_, id)| id.0.as_str());
            let saved = self.client.delete(&batch.user.username, gone).await?;
            for ((at, id), saved) in some.iter().zip(saved) {
                let written = CrmWritten {
                    id: (*id).clone(),
                    existed: false,
                    refused: Vec::new(),
                };
                let fate = match outcome(saved, Some(&id.0)) {
                    Ok(_) => Ok(written),
                    // It is deleted, which is all that was wanted; so ends a deletion that is repeated.
                    Err(fault) if fault.code() == "ENTITY_IS_DELETED" => Ok(written),
                    Err(fault) => Err(codes::of_record(&fault)),
                };
                fates.settle(*at, fate);
            }
        }
        Ok(())
    }

    /// Saves the drafts. Those that met a locked row are tried again, twice, and those whose guests the org
    /// does not hold in columns are tried without.
    async fn save(
        &self,
        batch: &Batch<'_>,
        method: Method,
        drafts: Vec<Draft>,
    ) -> Result<Vec<(Draft, Result<String, Fault>)>, CrmError> {
        let object = convert::object_name(batch.kind);
        // Without a unique key a repeated insert makes a second record.
        let repeatable = method != Method::POST || has_unique_key(batch);
        let mut done = Vec::with_capacity(drafts.len());
        let mut waiting = drafts;
        // A record locks its parent. Calls that take the parents in one order wait for each other; in two orders
        // they lock each other out.
        waiting.sort_by(|one, other| one.parent().cmp(other.parent()));
        let mut tried = 1;
        while !waiting.is_empty() {
            let rows: Vec<&Fields> = waiting.iter().map(|draft| &draft.fields).collect();
            let saved = self
                .client
                .save(&batch.user.username, method.clone(), object, &rows, repeatable)
                .await?;
            let mut again = Vec::new();
            let mut locked = false;
            for (mut draft, saved) in std::mem::take(&mut waiting).into_iter().zip(saved) {
                match outcome(saved, None) {
                    Err(fault) if fault.code() == "INVALID_EVENTWHOIDS" && draft.without_shared() => {
                        again.push(draft)
                    }
                    Err(fault) if tried < TRIES && codes::is_hiccup(&codes::of_record(&fault)) => {
                        locked = true;
                        again.push(draft);
                    }
                    outcome => done.push((draft, outcome)),
                }
            }
            waiting = again;
            if locked {
                throttle::pause(self.client.clock(), tried).await;
                tried += 1;
            }
        }
        Ok(done)
    }
}

fn has_unique_key(batch: &Batch<'_>) -> bool {
    batch.object.field(KEY).is_some_and(|key| key.unique)
}

/// The record's id, or why it was not saved.
fn outcome(saved: Saved, id: Option<&str>) -> Result<String, Fault> {
    match (saved.success, saved.id.or_else(|| id.map(str::to_owned))) {
        (true, Some(id)) => Ok(id),
        _ => Err(saved.errors.into_iter().next().unwrap_or_else(Fault::unknown)),
    }
}
