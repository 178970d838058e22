//! `holdfast check`: tries everything that is configured, and says what to do where something fails.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::Output;
use crate::access::permission::Probe;
use crate::crm::model::{CrmGreeting, CrmUser};
use crate::foundation::config::Settings;
use crate::foundation::explain::Explain;
use crate::sync::store::mailboxes::MailboxRow;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Finding {
    what: String,
    ok: bool,
    says: String,
    code: Option<&'static str>,
}

impl Finding {
    fn well(what: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ok: true,
            says: says.into(),
            code: None,
        }
    }

    fn failed(what: impl Into<String>, error: &dyn Explain) -> Self {
        Self {
            what: what.into(),
            ok: false,
            says: error.sentence(),
            code: Some(error.code()),
        }
    }
}

/// What is to be tried besides what is configured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A user of the CRM to sign in as, while no mailbox was added or instead of theirs.
    #[arg(long, value_name = "NAME")]
    crm_user: Option<String>,
}

/// Runs the probes. Settings, database and key file are proved by opening them.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| check(session, &args, output).await).await
}

async fn check(session: &Session, args: &Args, output: &Output) -> Result<Done, CliError> {
    session.may(Probe)?;
    let settings = &session.app.settings;
    let mut findings = vec![
        Finding::well("settings", "read"),
        Finding::well(
            "database",
            if settings.database.url.is_some() {
                "your own"
            } else {
                "private"
            },
        ),
        Finding::well("keyring", "open"),
        Finding::well("egress", format!("{} doors open", settings.egress.allow.len())),
    ];
    findings.extend(
        session
            .app
            .broken()
            .iter()
            .map(|(name, error)| Finding::failed(name, error)),
    );
    probe_connections(session, args.crm_user.as_deref(), &mut findings).await?;
    let well = findings.iter().all(|finding| finding.ok);
    output.print(&findings, || {
        let line = |finding: &Finding| {
            let mark = if finding.ok { "ok    " } else { "failed" };
            format!("{mark}  {:24} {}", finding.what, finding.says)
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(if well { Done::Well } else { Done::NotInStep })
}

/// One mailbox of each mail server and one user of each CRM stand for all. What has none yet is greeted: that shows
/// the way there, the certificate and the account, as far as an account signs in without a user.
async fn probe_connections(
    session: &Session,
    crm_user: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Result<(), CliError> {
    let rows = session.mailboxes().await?;
    let mut mail: BTreeMap<&str, &MailboxRow> = BTreeMap::new();
    let mut crm: BTreeMap<&str, CrmUser> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state != "paused") {
        mail.entry(&row.mail_server).or_insert(row);
        crm.entry(&row.crm).or_insert_with(|| row.user.clone());
    }
    let settings = &session.app.settings;
    for name in settings.mail_server.keys() {
        findings.extend(mail_server(session, name, mail.get(name.as_str()).copied()).await);
    }
    for name in settings.crm.keys() {
        let named = crm_user.map(|username| CrmUser {
            username: username.to_owned(),
            id: None,
            list: None,
        });
        let user = named.as_ref().or(crm.get(name.as_str()));
        findings.extend(self::crm(session, name, user).await);
    }
    if rows.is_empty() {
        findings.push(Finding::well(
            "mailboxes",
            "none yet; `holdfast mailbox add ADDRESS` adds one",
        ));
    }
    Ok(())
}

/// `None` for one that could not even be made; that is told already.
async fn mail_server(session: &Session, name: &str, row: Option<&MailboxRow>) -> Option<Finding> {
    let what = format!("mail_server.{name}");
    let server = session.app.engine().mail_server(name).ok()?;
    let said = match row {
        Some(row) => server
            .probe(&row.mailbox)
            .await
            .map(|probe| format!("{} answers for {}", probe.server, row.mailbox.address)),
        None => server.greet().await.map(|product| match product {
            Some(product) => format!("{product} accepts the service account; no mailbox was tried yet"),
            None => "not tried: no mailbox uses it yet".to_owned(),
        }),
    };
    Some(match said {
        Ok(says) => Finding::well(what, says),
        Err(error) => Finding::failed(what, &error),
    })
}

/// Likewise.
async fn crm(session: &Session, name: &str, user: Option<&CrmUser>) -> Option<Finding> {
    let what = format!("crm.{name}");
    let server = session.app.engine().crm(name).ok()?;
    let said = match user {
        Some(user) => server
            .probe(user)
            .await
            .map(|probe| format!("{} answers for {}", probe.server, user.username)),
        None => server.greet().await.map(|greeting| match greeting {
            Some(CrmGreeting {
                server,
                signed_in: true,
            }) => format!("{server} accepts the integration user; nobody was looked up yet"),
            Some(CrmGreeting {
                server,
                signed_in: false,
            }) => format!("{server} answers; nobody signed in yet, `--crm-user NAME` tries one"),
            None => "not tried: no mailbox uses it yet".to_owned(),
        }),
    };
    Some(match said {
        Ok(says) => Finding::well(what, says),
        Err(error) => Finding::failed(what, &error),
    })
}
