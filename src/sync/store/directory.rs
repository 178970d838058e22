//! All mailboxes of the house, as each turn must know them: who is synchronised, and whose CRM user is here. Read once and
//! shared by all turns, until something about a mailbox changes.

use super::mailboxes::{self, MailboxRow};
use crate::crm::model::CrmId;
use crate::foundation::content::Content;
use crate::foundation::db::schema::directory as table;
use crate::record::person::address_key;
use crate::sync::error::SyncError;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Who is here.
#[derive(Default)]
pub struct People {
    /// Addresses of the mailboxes that are synchronised, in comparable form.
    pub synchronised: HashSet<Content<String>>,
    /// By CRM, its users whose mailboxes are here, or will be again.
    users: HashMap<String, HashSet<CrmId>>,
}

impl People {
    fn of(all: Vec<MailboxRow>) -> Self {
        let mut people = Self::default();
        for row in all {
            if row.state == "active" {
                people.synchronised.insert(address_key(&row.mailbox.address));
            }
            if !row.is_gone()
                && let Some(user) = row.user.id
            {
                people.users.entry(row.crm).or_default().insert(user);
            }
        }
        people
    }

    /// True for a user of this CRM whose mailbox is here, or will be again.
    pub fn is_here(&self, crm: &str, user: &CrmId) -> bool {
        self.users.get(crm).is_some_and(|users| users.contains(user))
    }
}

/// An edition, and who is in it.
type Edition = (Uuid, Arc<People>);

/// Who is here, as this process has read it last.
#[derive(Clone, Default)]
pub struct Directory(Arc<Mutex<Option<Edition>>>);

impl Directory {
    /// Who is here now. In a transaction without a mailbox.
    ///
    /// # Errors
    /// The database's.
    pub fn read(&self, conn: &mut PgConnection) -> Result<Arc<People>, SyncError> {
        // The edition first: what changes after it was read makes the next look read again.
        let edition: Option<Uuid> = table::table.select(table::edition).first(conn).optional()?;
        if let Some((known, people)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && Some(*known) == edition
        {
            return Ok(Arc::clone(people));
        }
        let people = Arc::new(People::of(mailboxes::list(conn)?));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = edition.map(|edition| (edition, Arc::clone(&people)));
        Ok(people)
    }
}
