//! `holdfast mailbox add|list|account|probe|pause|resume`

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{ManageMailboxes, Probe};
use crate::foundation::config::Settings;
use crate::foundation::explain::Explain;
use crate::mailbox::model::AccountNames;
use crate::sync::control;
use crate::sync::forms;
use crate::sync::store::mailboxes::{self, MailboxRow, NewMailbox};
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What can be done with mailboxes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add one mailbox, or many from a CSV file.
    Add(AddArgs),
    /// Show all.
    List,
    /// Say how the directory knows a mailbox's account; what is not given is forgotten.
    Account {
        /// The mailbox.
        address: String,
        #[command(flatten)]
        names: Names,
    },
    /// Try one: can Holdfast act in the mailbox and as the CRM user? Changes nothing.
    Probe {
        /// The mailbox.
        address: String,
    },
    /// Stop synchronising one.
    Pause {
        /// The mailbox.
        address: String,
    },
    /// Stop one for good, because its owner has left: colleagues' copies keep its meetings up to date.
    Retire {
        /// The mailbox.
        address: String,
    },
    /// Let one go on.
    Resume {
        /// The mailbox.
        address: String,
    },
}

/// A mailbox to add.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// The primary SMTP address.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    address: Option<String>,
    /// A CSV file with the columns address, mail_server, crm, crm_user, policy, upn, sid; only address is required.
    #[arg(long, value_name = "CSV", conflicts_with_all = ["upn", "sid"])]
    file: Option<PathBuf>,
    /// The section mail_server.NAME of the settings; needed where there are several.
    #[arg(long, value_name = "NAME")]
    mail_server: Option<String>,
    /// The section crm.NAME of the settings; needed where there are several.
    #[arg(long, value_name = "NAME")]
    crm: Option<String>,
    /// The CRM's user name; the mailbox's address where it is not given.
    #[arg(long, value_name = "USERNAME")]
    crm_user: Option<String>,
    /// The policy.
    #[arg(long, default_value = "default", value_name = "NAME")]
    policy: String,
    #[command(flatten)]
    names: Names,
}

/// The account's names in the directory, for `impersonate_by`.
#[derive(Debug, Default, clap::Args)]
pub struct Names {
    /// The account's user principal name.
    #[arg(long, value_name = "NAME")]
    upn: Option<String>,
    /// The account's security identifier.
    #[arg(long, value_name = "S-1-…")]
    sid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    mail_server: Option<String>,
    crm: Option<String>,
    crm_user: Option<String>,
    policy: Option<String>,
    upn: Option<String>,
    sid: Option<String>,
}

/// Runs the command.
pub async fn run(settings: Settings, command: Command, output: &Output) -> Result<Done, CliError> {
    let session = Session::open(settings).await?;
    let done = match command {
        Command::Add(args) => add(&session, args, output).await,
        Command::List => list(&session, output).await,
        Command::Account { address, names } => account(&session, &address, names, output).await,
        Command::Probe { address } => probe(&session, &address, output).await,
        Command::Pause { address } => pause(&session, &address, output).await,
        Command::Retire { address } => retire(&session, &address, output).await,
        Command::Resume { address } => resume(&session, &address, output).await,
    };
    session.app.close().await;
    done
}

async fn add(session: &Session, args: AddArgs, output: &Output) -> Result<Done, CliError> {
    let settings = &session.app.settings;
    let lines = match (&args.file, args.address) {
        (Some(file), _) => read_list(file)?,
        (None, Some(address)) => vec![Line {
            address,
            mail_server: args.mail_server.clone(),
            crm: args.crm.clone(),
            crm_user: args.crm_user,
            policy: None,
            upn: args.names.upn,
            sid: args.names.sid,
        }],
        (None, None) => Vec::new(),
    };
    let mut new = Vec::with_capacity(lines.len());
    for line in lines {
        let mail = line.mail_server.or_else(|| args.mail_server.clone());
        let crm = line.crm.or_else(|| args.crm.clone());
        new.push(NewMailbox {
            mail_server: only(mail, settings.mail_server.keys(), "--mail-server")?,
            crm: only(crm, settings.crm.keys(), "--crm")?,
            crm_username: line.crm_user.unwrap_or_else(|| line.address.clone()),
            policy: line.policy.unwrap_or_else(|| args.policy.clone()),
            account: AccountNames::parse(line.upn, line.sid)?,
            address: line.address.trim().to_owned(),
        });
    }
    let granted = session.may(ManageMailboxes)?;
    let added = control::add_mailboxes(&session.app.db, &session.app.clock, &granted, new).await?;
    output.print(&json!({"added": added.added, "known": added.known}), || {
        format!(
            "{} added, {} known already.",
            added.added.len(),
            added.known.len()
        )
    });
    Ok(Done::Well)
}

fn read_list(file: &Path) -> Result<Vec<Line>, CliError> {
    let malformed = |source| CliError::List {
        name: file.to_owned(),
        source,
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(file)
        .map_err(malformed)?;
    reader.deserialize().map(|line| line.map_err(malformed)).collect()
}

fn only<'a>(
    named: Option<String>,
    mut configured: impl Iterator<Item = &'a String>,
    option: &'static str,
) -> Result<String, CliError> {
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        return Ok(name);
    }
    match (configured.next(), configured.next()) {
        (Some(one), None) => Ok(one.clone()),
        _ => Err(CliError::WhichOne { option }),
    }
}

async fn list(session: &Session, output: &Output) -> Result<Done, CliError> {
    let rows = session.mailboxes().await?;
    let document: Vec<_> = rows.iter().map(document).collect();
    output.print(&document, || {
        if rows.is_empty() {
            return "No mailbox yet. `holdfast mailbox add ADDRESS` adds one.".to_owned();
        }
        let lines = rows.iter().map(|row| {
            [
                row.mailbox.address.clone(),
                row.mail_server.clone(),
                row.crm.clone(),
                row.user.username.clone(),
                row.policy.clone(),
                match &row.state_code {
                    Some(code) => format!("{} ({code})", row.state),
                    None => row.state.clone(),
                },
            ]
        });
        table(
            ["mailbox", "mail server", "crm", "crm user", "policy", "state"],
            lines,
        )
    });
    Ok(Done::Well)
}

fn document(row: &MailboxRow) -> serde_json::Value {
    json!({
        "id": row.mailbox.id, "address": row.mailbox.address, "mail_server": row.mail_server, "crm": row.crm,
        "crm_user": row.user.username, "policy": row.policy, "state": row.state, "state_code": row.state_code,
        "upn": row.mailbox.account.upn, "sid": row.mailbox.account.sid,
    })
}

async fn account(session: &Session, address: &str, names: Names, output: &Output) -> Result<Done, CliError> {
    let row = session.mailbox(address).await?;
    let account = AccountNames::parse(names.upn, names.sid)?;
    let granted = session.may(ManageMailboxes)?;
    control::set_account(&session.app.db, &granted, row.mailbox.id, account.clone()).await?;
    output.print(&json!({"upn": account.upn, "sid": account.sid}), || {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "not given".to_owned());
        format!(
            "{}: user principal name {}, security identifier {}.",
            row.mailbox.address,
            name(&account.upn),
            name(&account.sid)
        )
    });
    Ok(Done::Well)
}

async fn probe(session: &Session, address: &str, output: &Output) -> Result<Done, CliError> {
    session.may(Probe)?;
    let row = session.mailbox(address).await?;
    let engine = session.app.engine();
    let mail = engine.mail_server(&row.mail_server)?.probe(&row.mailbox).await;
    let name = row.policy.clone();
    let policy = session
        .app
        .db
        .run(move |conn| mailboxes::policy(conn, &name))
        .await?
        .1;
    let crm = forms::of_policy(&policy, engine.crm(&row.crm)?);
    let crm = crm.probe(&row.user).await;
    let said = |result: Result<String, &dyn Explain>| match result {
        Ok(words) => (true, words, None),
        Err(error) => (false, error.sentence(), Some(error.code())),
    };
    let mail = said(
        mail.as_ref()
            .map(|probe| probe.server.clone())
            .map_err(|error| error as &dyn Explain),
    );
    let crm = said(
        crm.as_ref()
            .map(|probe| format!("{}, user {}", probe.server, probe.user.0))
            .map_err(|error| error as &dyn Explain),
    );
    let entry =
        |(ok, words, code): &(bool, String, Option<&str>)| json!({"ok": ok, "says": words, "code": code});
    output.print(&json!({"mail_server": entry(&mail), "crm": entry(&crm)}), || {
        let line = |what: &str, (ok, words, _): &(bool, String, Option<&str>)| {
            format!("{what:12} {}  {words}", if *ok { "ok    " } else { "failed" })
        };
        format!("{}\n{}", line("mail server", &mail), line("crm", &crm))
    });
    Ok(if mail.0 && crm.0 {
        Done::Well
    } else {
        Done::NotInStep
    })
}

async fn pause(session: &Session, address: &str, output: &Output) -> Result<Done, CliError> {
    let row = session.mailbox(address).await?;
    control::pause(&session.app.db, &session.may(ManageMailboxes)?, row.mailbox.id).await?;
    output.print(&json!({"paused": row.mailbox.address}), || {
        format!(
            "{} is paused. `holdfast mailbox resume {0}` lets it go on.",
            row.mailbox.address
        )
    });
    Ok(Done::Well)
}

async fn retire(session: &Session, address: &str, output: &Output) -> Result<Done, CliError> {
    let row = session.mailbox(address).await?;
    let granted = session.may(ManageMailboxes)?;
    control::retire(&session.app.db, &session.app.clock, &granted, row.mailbox.id).await?;
    output.print(&json!({"retired": row.mailbox.address}), || {
        format!(
            "{} is retired; colleagues' copies keep its meetings up to date. `holdfast mailbox resume {0}` brings it back.",
            row.mailbox.address
        )
    });
    Ok(Done::Well)
}

async fn resume(session: &Session, address: &str, output: &Output) -> Result<Done, CliError> {
    let row = session.mailbox(address).await?;
    let granted = session.may(ManageMailboxes)?;
    control::resume(&session.app.db, &session.app.clock, &granted, row.mailbox.id).await?;
    output.print(&json!({"resumed": row.mailbox.address}), || {
        format!("{} goes on.", row.mailbox.address)
    });
    Ok(Done::Well)
}
