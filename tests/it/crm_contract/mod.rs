//! What every CRM connector promises, written once and run over each of them.
//!
//! A connector's test file brings a [`Stage`]: the connector, a user, and people whom the CRM knows. The macro
//! `crm_contract!` makes one test of each promise here.

mod batches;
mod feed;
mod people;
mod records;
pub mod samples;

pub use self::batches::*;
pub use self::feed::*;
pub use self::people::*;
pub use self::records::*;

use holdfast::crm::error::CrmError;
use holdfast::crm::model::{
    CrmCapabilities, CrmChange, CrmCursor, CrmId, CrmRecord, CrmUser, CrmWrite, CrmWritten, ExternalKey,
    Match,
};
use holdfast::crm::port::Crm;
use holdfast::foundation::content::Content;
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::normalise;
use holdfast::record::person::Person;
use std::any::Any;
use std::sync::Arc;

/// Somebody whom the CRM knows.
pub struct Known {
    pub address: String,
    pub id: CrmId,
}

/// A connector and the world that it looks at.
pub struct Stage {
    pub crm: Arc<dyn Crm>,
    pub user: CrmUser,
    /// Another user of the same CRM.
    pub colleague: Known,
    pub contact: Known,
    pub another_contact: Known,
    pub lead: Known,
    /// An address that the CRM does not know.
    pub stranger: String,
    /// What tells this test's keys from another's, where tests share a CRM.
    pub realm: String,
    /// True where a text comes back letter by letter; false where white space may differ.
    pub exact: bool,
    /// Whatever must live as long as the test.
    pub _keep: Box<dyn Any + Send>,
}

/// One test for each promise.
macro_rules! crm_contract {
    ($stage:path, [$($promise:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $promise() {
                crate::crm_contract::$promise($stage().await).await;
            }
        )+
    };
}
pub(crate) use crm_contract;

/// The kinds that have a feed.
const FED: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

impl Stage {
    pub async fn create(&self, key: &str, record: Record) -> Result<CrmWritten, CrmError> {
        let matches = self.matches(&record).await;
        let record = self.fitted(record).await;
        let kind = record.kind();
        let write = CrmWrite::Create {
            key: self.key(key),
            record,
            matches,
        };
        self.one(kind, write).await
    }

    pub async fn update(&self, id: &CrmId, fields: FieldSet, record: Record) -> Result<CrmWritten, CrmError> {
        let matches = self.matches(&record).await;
        let record = self.fitted(record).await;
        let kind = record.kind();
        let write = CrmWrite::Update {
            id: id.clone(),
            fields,
            record,
            matches,
        };
        self.one(kind, write).await
    }

    pub async fn one(&self, kind: RecordKind, write: CrmWrite) -> Result<CrmWritten, CrmError> {
        let mut fates = self.crm.write(&self.user, kind, &[write]).await?;
        assert_eq!(fates.len(), 1, "one write, one answer");
        fates.remove(0)
    }

    pub async fn read(&self, kind: RecordKind, id: &CrmId) -> Option<CrmRecord> {
        let mut found = self
            .crm
            .read(&self.user, kind, std::slice::from_ref(id))
            .await
            .expect("read");
        assert_eq!(found.len(), 1, "one id, one answer");
        found.remove(0)
    }

    /// What a record says that must be there.
    pub async fn record(&self, kind: RecordKind, id: &CrmId) -> Record {
        self.read(kind, id).await.expect("the record").record
    }

    /// Everybody in the record, as the engine asks before it writes.
    pub async fn matches(&self, record: &Record) -> Vec<Match> {
        let people: Vec<&Person> = match record {
            Record::Event(event) => event.attendees.iter().map(|attendee| &attendee.person).collect(),
            Record::Email(mail) => mail
                .from
                .iter()
                .chain(&mail.to)
                .chain(&mail.cc)
                .chain(&mail.bcc)
                .collect(),
            _ => Vec::new(),
        };
        let addresses: Vec<Content<String>> = people.iter().map(|person| person.address.clone()).collect();
        let matches = self
            .crm
            .who_is(&self.user, &addresses)
            .await
            .expect("who they are");
        matches
            .into_iter()
            .filter(|known| !known.who.is_empty())
            .collect()
    }

    /// A key of this test's.
    pub fn key(&self, name: &str) -> ExternalKey {
        let name = format!("{} {name}", self.realm);
        samples::key(name.trim().replace(' ', "_").as_str())
    }

    pub async fn capabilities(&self) -> CrmCapabilities {
        self.crm.capabilities(&self.user).await.expect("capabilities")
    }

    /// The record as the engine brings it to what the CRM can hold.
    pub async fn fitted(&self, mut record: Record) -> Record {
        let bounds = self.capabilities().await.bounds(record.kind());
        normalise::fit(&mut record, &bounds);
        record
    }

    /// Says which field differs, and never how.
    pub async fn assert_same(&self, kind: RecordKind, expected: &Record, found: &Record, after: &str) {
        if kind == RecordKind::Mail {
            return;
        }
        let capabilities = self.capabilities().await;
        let mut expected = samples::comparable(expected);
        // What it cannot hold is no promise.
        let cut = normalise::fit(&mut expected, &capabilities.bounds(kind));
        let held = capabilities.readable(kind).minus(cut);
        let found = samples::comparable(found);
        let differs = |field: &Field| match self.exact {
            true => samples::with_field(&expected, *field, &found) != expected,
            false => {
                let value = |record| normalise::value(record, *field, &samples::guests(record));
                value(&expected) != value(&found)
            }
        };
        let differing: Vec<&str> = held.iter().filter(differs).map(Field::word).collect();
        assert!(
            differing.is_empty(),
            "after {after} the {} differs in {differing:?}",
            kind.word()
        );
    }

    /// Reads the feed to its end.
    pub async fn feed(&self, kind: RecordKind, from: Option<CrmCursor>) -> (Vec<CrmChange>, CrmCursor) {
        let mut cursor = from;
        let mut changes = Vec::new();
        loop {
            let page = self
                .crm
                .changes(&self.user, kind, cursor.as_ref())
                .await
                .expect("a page");
            changes.extend(page.changes);
            if !page.more {
                return (changes, page.cursor);
            }
            cursor = Some(page.cursor);
        }
    }
}
