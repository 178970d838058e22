//! Mailboxes and policies.

use crate::crm::model::{CrmId, CrmUser};
use crate::foundation::db::schema::{mailboxes, policies, streams};
use crate::foundation::ids::MailboxId;
use crate::mailbox::folders::FolderChoices;
use crate::mailbox::model::{AccountNames, MailboxRef};
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::policy::Policy;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::HashMap;

/// A mailbox as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// The mailbox.
    pub mailbox: MailboxRef,
    /// The section `mail_server.NAME` of the settings.
    pub mail_server: String,
    /// The section `crm.NAME` of the settings.
    pub crm: String,
    /// The CRM user.
    pub user: CrmUser,
    /// The policy's name.
    pub policy: String,
    /// `active`, `paused`, or `refused` by a counterpart.
    pub state: String,
    /// The failure's code where it is refused.
    pub state_code: Option<String>,
}

/// What is needed to add a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMailbox {
    /// The primary SMTP address.
    pub address: String,
    /// The section `mail_server.NAME` of the settings.
    pub mail_server: String,
    /// The section `crm.NAME` of the settings.
    pub crm: String,
    /// The CRM's user name.
    pub crm_username: String,
    /// The policy's name.
    pub policy: String,
    /// How the directory knows its owner's account.
    pub account: AccountNames,
}

type Row = (
    i32,
    String,
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

const COLUMNS: (
    mailboxes::id,
    mailboxes::address,
    mailboxes::mail_server,
    mailboxes::crm,
    mailboxes::crm_username,
    mailboxes::crm_user_id,
    mailboxes::policy,
    mailboxes::state,
    mailboxes::state_code,
    mailboxes::upn,
    mailboxes::sid,
) = (
    mailboxes::id,
    mailboxes::address,
    mailboxes::mail_server,
    mailboxes::crm,
    mailboxes::crm_username,
    mailboxes::crm_user_id,
    mailboxes::policy,
    mailboxes::state,
    mailboxes::state_code,
    mailboxes::upn,
    mailboxes::sid,
);

fn from_row(row: Row) -> MailboxRow {
    let (id, address, mail_server, crm, username, user_id, policy, state, state_code, upn, sid) = row;
    MailboxRow {
        mailbox: MailboxRef {
            id: MailboxId(id),
            address,
            account: AccountNames { upn, sid },
            drop_folders: Vec::new(),
            folders: FolderChoices::default(),
        },
        mail_server,
        crm,
        user: CrmUser {
            username,
            id: user_id.map(CrmId),
            list: None,
        },
        policy,
        state,
        state_code,
    }
}

/// The code of a mailbox whose owner has left: it is paused for good.
pub const RETIRED: &str = "retired";

/// Codes of refusals that say that the person is not there any more: the CRM does not let the user in, or the mail
/// server knows no such mailbox.
const LEFT: [&str; 2] = ["crm.user_refused", "mailbox.no_such_mailbox"];

/// True for a state in which nobody expects the mailbox back: its meetings are kept by colleagues.
pub fn is_gone(state: &str, code: Option<&str>) -> bool {
    match (state, code) {
        ("paused", Some(code)) => code == RETIRED,
        ("refused", Some(code)) => LEFT.contains(&code),
        _ => false,
    }
}

impl MailboxRow {
    /// See [`is_gone`].
    pub fn is_gone(&self) -> bool {
        is_gone(&self.state, self.state_code.as_deref())
    }
}

/// Adds a mailbox with its four streams, due at once. `None` where the address is known already; it is
/// then left as it is.
pub fn add(
    conn: &mut PgConnection,
    new: &NewMailbox,
    now: DateTime<Utc>,
) -> Result<Option<MailboxId>, SyncError> {
    let id: Option<i32> = diesel::insert_into(mailboxes::table)
        .values((
            mailboxes::address.eq(&new.address),
            mailboxes::mail_server.eq(&new.mail_server),
            mailboxes::crm.eq(&new.crm),
            mailboxes::crm_username.eq(&new.crm_username),
            mailboxes::policy.eq(&new.policy),
            mailboxes::upn.eq(&new.account.upn),
            mailboxes::sid.eq(&new.account.sid),
            mailboxes::state.eq("active"),
            mailboxes::created_at.eq(now),
        ))
        .on_conflict(mailboxes::address)
        .do_nothing()
        .returning(mailboxes::id)
        .get_result(conn)
        .optional()?;
    let Some(id) = id else { return Ok(None) };
    let rows: Vec<_> = RecordKind::ALL
        .iter()
        .map(|kind| {
            (
                streams::mailbox_id.eq(id),
                streams::kind.eq(kind.number()),
                streams::due_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(streams::table).values(rows).execute(conn)?;
    Ok(Some(MailboxId(id)))
}

/// All mailboxes, by address.
pub fn list(conn: &mut PgConnection) -> Result<Vec<MailboxRow>, SyncError> {
    let rows: Vec<Row> = mailboxes::table
        .select(COLUMNS)
        .order(mailboxes::address)
        .load(conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Those of these mailboxes that are active, by number.
pub fn active(conn: &mut PgConnection, ids: &[i32]) -> Result<Vec<MailboxRow>, SyncError> {
    let rows: Vec<Row> = mailboxes::table
        .filter(mailboxes::id.eq_any(ids))
        .filter(mailboxes::state.eq("active"))
        .select(COLUMNS)
        .order(mailboxes::id)
        .load(conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// One mailbox, by address in any case.
pub fn find(conn: &mut PgConnection, address: &str) -> Result<Option<MailboxRow>, SyncError> {
    let lower = address.to_lowercase();
    Ok(list(conn)?
        .into_iter()
        .find(|row| row.mailbox.address.to_lowercase() == lower))
}

/// One mailbox, by number.
pub fn get(conn: &mut PgConnection, id: MailboxId) -> Result<Option<MailboxRow>, SyncError> {
    let row: Option<Row> = mailboxes::table
        .find(id.0)
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(from_row))
}

/// Sets the state, with the failure's code where it is `refused`.
pub fn set_state(
    conn: &mut PgConnection,
    id: MailboxId,
    state: &str,
    code: Option<&str>,
) -> Result<(), SyncError> {
    diesel::update(mailboxes::table.find(id.0))
        .set((mailboxes::state.eq(state), mailboxes::state_code.eq(code)))
        .execute(conn)?;
    Ok(())
}

/// Sets the names of a mailbox's account.
pub fn set_account(conn: &mut PgConnection, id: MailboxId, account: &AccountNames) -> Result<(), SyncError> {
    diesel::update(mailboxes::table.find(id.0))
        .set((mailboxes::upn.eq(&account.upn), mailboxes::sid.eq(&account.sid)))
        .execute(conn)?;
    Ok(())
}

/// Lets every refused mailbox go on, at once; how many they are.
pub fn resume_refused(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<usize, SyncError> {
    let resumed: Vec<i32> = diesel::update(mailboxes::table.filter(mailboxes::state.eq("refused")))
        .set((
            mailboxes::state.eq("active"),
            mailboxes::state_code.eq(None::<String>),
        ))
        .returning(mailboxes::id)
        .get_results(conn)?;
    diesel::update(streams::table.filter(streams::mailbox_id.eq_any(&resumed)))
        .set(streams::due_at.eq(now))
        .execute(conn)?;
    Ok(resumed.len())
}

/// Remembers the CRM user's record.
pub fn set_crm_user(conn: &mut PgConnection, id: MailboxId, user: &CrmId) -> Result<(), SyncError> {
    diesel::update(mailboxes::table.find(id.0))
        .set(mailboxes::crm_user_id.eq(&user.0))
        .execute(conn)?;
    Ok(())
}

/// The newest version of a policy. The policy `default` exists without a row.
pub fn policy(conn: &mut PgConnection, name: &str) -> Result<(i32, Policy), SyncError> {
    let row: Option<(i32, serde_json::Value)> = policies::table
        .filter(policies::name.eq(name))
        .order(policies::version.desc())
        .select((policies::version, policies::body))
        .first(conn)
        .optional()?;
    match row {
        Some((version, body)) => Ok((
            version,
            serde_json::from_value(body).map_err(SyncError::PolicyUnreadable)?,
        )),
        None if name == "default" => Ok((0, Policy::default())),
        None => Err(SyncError::UnknownPolicy),
    }
}

/// Notes which folders the policies of these mailboxes choose. Under one that cannot be read nothing is synchronised.
pub fn choose_folders(conn: &mut PgConnection, rows: &mut [MailboxRow]) -> Result<(), SyncError> {
    let mut by_policy: HashMap<String, FolderChoices> = HashMap::new();
    for row in rows {
        let choices = match by_policy.get(&row.policy) {
            Some(choices) => choices.clone(),
            None => match policy(conn, &row.policy) {
                Ok((_, policy)) => policy.folder_choices(),
                Err(SyncError::UnknownPolicy | SyncError::PolicyUnreadable(_)) => FolderChoices::default(),
                Err(error) => return Err(error),
            },
        };
        row.mailbox.folders.clone_from(&choices);
        by_policy.insert(row.policy.clone(), choices);
    }
    Ok(())
}

/// A version of a policy; `None` where there is no such version any more, or none that can be read.
pub fn policy_of(conn: &mut PgConnection, name: &str, version: i32) -> Result<Option<Policy>, SyncError> {
    if (name, version) == ("default", 0) {
        return Ok(Some(Policy::default()));
    }
    let body: Option<serde_json::Value> = policies::table
        .find((name, version))
        .select(policies::body)
        .first(conn)
        .optional()?;
    Ok(body.and_then(|body| serde_json::from_value(body).ok()))
}

/// Every policy's name and newest version.
pub fn policy_names(conn: &mut PgConnection) -> Result<Vec<(String, i32)>, SyncError> {
    let mut rows: Vec<(String, Option<i32>)> = policies::table
        .group_by(policies::name)
        .select((policies::name, diesel::dsl::max(policies::version)))
        .order(policies::name)
        .load(conn)?;
    if !rows.iter().any(|(name, _)| name == "default") {
        rows.insert(0, ("default".to_owned(), Some(0)));
    }
    Ok(rows
        .into_iter()
        .map(|(name, version)| (name, version.unwrap_or(0)))
        .collect())
}

/// Stores a new version of a policy and returns its number.
pub fn put_policy(
    conn: &mut PgConnection,
    name: &str,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<i32, SyncError> {
    let last: Option<i32> = policies::table
        .filter(policies::name.eq(name))
        .select(diesel::dsl::max(policies::version))
        .first(conn)?;
    let version = last.unwrap_or(0) + 1;
    let body = serde_json::to_value(policy).map_err(SyncError::PolicyUnreadable)?;
    diesel::insert_into(policies::table)
        .values((
            policies::name.eq(name),
            policies::version.eq(version),
            policies::body.eq(body),
            policies::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(version)
}
