//! The circumstances of one API call: who, when, over which version, with which lock.

use chrono::{DateTime, Utc};

use crate::salesforce::World;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::soql::evaluate::Evaluator;
use crate::salesforce::store::State;
use crate::salesforce::transaction::{Caller, Transaction};

/// The store under a read or a write lock.
pub enum Access<'a, 't> {
    /// Shared.
    Read(&'a State),
    /// Alone, with an open transaction.
    Write(&'a mut Transaction<'t>),
}

/// One API call.
pub struct Call<'a, 't> {
    /// The org.
    pub world: &'a World,
    /// Its store.
    pub access: Access<'a, 't>,
    /// Who calls.
    pub caller: &'a Caller,
    /// When.
    pub now: DateTime<Utc>,
    /// `v60.0`.
    pub version: String,
    /// `https://localhost:1234`, as the client reached it.
    pub base: String,
    /// Rows a query page holds.
    pub batch_size: usize,
    /// A fault: only the first half of a batch is applied.
    pub half: bool,
}

impl<'t> Call<'_, 't> {
    /// The rows.
    pub fn state(&self) -> &State {
        match &self.access {
            Access::Read(state) => state,
            Access::Write(tx) => tx.state,
        }
    }

    /// The transaction of a changing call.
    ///
    /// # Errors
    /// The call was taken for a reading one.
    pub fn tx(&mut self) -> ApiResult<&mut Transaction<'t>> {
        match &mut self.access {
            Access::Write(tx) => Ok(tx),
            Access::Read(_) => {
                Err(ApiError::new("UNKNOWN_EXCEPTION", "a reading call changes nothing").status(500))
            }
        }
    }

    /// What runs queries for the caller.
    pub fn evaluator(&self) -> Evaluator<'_> {
        Evaluator {
            state: self.state(),
            caller: self.caller,
            now: self.now,
        }
    }

    /// How many elements of a batch are applied.
    pub fn share(&self, length: usize) -> usize {
        if self.half { length / 2 } else { length }
    }
}
