//! Opening a stream.

use super::Stream;
use crate::crm::model::{CrmId, ListId};
use crate::crm::port::Crm;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use crate::record::person::address_key;
use crate::sync::choice::model::Choices;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::fence::Fence;
use crate::sync::forms;
use crate::sync::keeping::Keeping;
use crate::sync::keys::Keys;
use crate::sync::matching::Places;
use crate::sync::model::StreamId;
use crate::sync::policy::Policy;
use crate::sync::rules::Known;
use crate::sync::store::judged::PolicyVersion;
use crate::sync::store::mailboxes::{self, MailboxRow};
use crate::sync::store::streams::Lease;
use std::sync::Arc;

impl Stream {
    /// Opens a stream: loads the policy and the keys, and asks the CRM what the user may do. Nothing can be written to it.
    ///
    /// # Errors
    /// Whatever stops a turn before it begins.
    pub async fn open(engine: &Engine, row: MailboxRow, kind: RecordKind) -> Result<Self, SyncError> {
        Self::open_with(engine, row, kind, None).await
    }

    /// The same for a turn, which writes under this lease.
    ///
    /// # Errors
    /// As above.
    pub async fn open_for(engine: &Engine, row: MailboxRow, lease: Lease) -> Result<Self, SyncError> {
        Self::open_with(engine, row, lease.stream.kind, Some(lease)).await
    }

    async fn open_with(
        engine: &Engine,
        row: MailboxRow,
        kind: RecordKind,
        lease: Option<Lease>,
    ) -> Result<Self, SyncError> {
        let (server, crm) = (engine.mail_server(&row.mail_server)?, engine.crm(&row.crm)?);
        let name = row.policy.clone();
        let directory = engine.directory.clone();
        let ((version, policy), people) = engine
            .db
            .run(move |conn| Ok::<_, SyncError>((mailboxes::policy(conn, &name)?, directory.read(conn)?)))
            .await?;
        let mut row = chosen_by(&policy, kind, row);
        if row.user.id.is_none() {
            row.user.id = Some(look_up(engine, crm.as_ref(), &row).await?);
        }
        let id = StreamId {
            mailbox: row.mailbox.id,
            kind,
        };
        let (crm, forms) = forms::seen_by(engine, id, &policy, crm).await?;
        let capabilities = crm.capabilities(&row.user).await?;
        let keys = Keys::new(
            engine.keyring.mailbox_key(row.mailbox.id).await?,
            engine.keyring.organisation_key().clone(),
        );
        let keeping = Keeping::open(&engine.db, id, lease, &row.crm, Arc::clone(&people)).await?;
        Ok(Self {
            id,
            forms,
            keeping,
            common: policy.common(kind),
            bounds: capabilities.bounds(kind),
            fields: FieldSet::of_kind(kind).and(capabilities.readable(kind)),
            owner: address_key(&row.mailbox.address),
            mailbox_capabilities: server.capabilities(),
            known: Known::default(),
            places: Places::default(),
            now: engine.clock.now(),
            fence: lease.map(|lease| Fence::new(engine, lease)),
            version: PolicyVersion {
                name: row.policy.clone(),
                version,
            },
            before: None,
            anchors: None,
            choices: Choices::default(),
            refreshed: false,
            live: false,
            row,
            policy,
            server,
            crm,
            capabilities,
            keys,
            people,
        })
    }
}

/// The mailbox and the user with what the policy chooses of them.
fn chosen_by(policy: &Policy, kind: RecordKind, mut row: MailboxRow) -> MailboxRow {
    let folders = &policy.mail.on_demand.folders;
    row.mailbox.drop_folders.clone_from(folders);
    let list = policy.contacts.list.clone();
    row.user.list = list.filter(|_| kind == RecordKind::Contacts).map(ListId);
    row.mailbox.folders = policy.folder_choices();
    row
}

/// Asks the CRM for the user's record and remembers it.
async fn look_up(engine: &Engine, crm: &dyn Crm, row: &MailboxRow) -> Result<CrmId, SyncError> {
    let user = crm.probe(&row.user).await?.user;
    let (id, found) = (row.mailbox.id, user.clone());
    let set = move |conn: &mut _| mailboxes::set_crm_user(conn, id, &found);
    engine.db.run(set).await?;
    Ok(user)
}
