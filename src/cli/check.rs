//! `holdfast check`: tries everything that is configured, and says what to do where something fails.

use super::caller::{self, Session};
use super::outcome::{CliError, Done};
use super::output::Output;
use crate::access::permission::Probe;
use crate::foundation::config::Settings;
use crate::foundation::explain::Explain;
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

/// Runs the probes. Settings, database and key file are proved by opening them.
pub async fn run(settings: Settings, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| check(session, output).await).await
}

async fn check(session: &Session, output: &Output) -> Result<Done, CliError> {
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
    probe_connections(session, &mut findings).await?;
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

/// One mailbox of each mail server and one user of each CRM stand for all.
async fn probe_connections(session: &Session, findings: &mut Vec<Finding>) -> Result<(), CliError> {
    let engine = session.app.engine();
    let rows = session.mailboxes().await?;
    let mut mail: BTreeMap<&str, _> = BTreeMap::new();
    let mut crm: BTreeMap<&str, _> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state != "paused") {
        mail.entry(&row.mail_server).or_insert(row);
        crm.entry(&row.crm).or_insert(row);
    }
    for (name, row) in mail {
        let what = format!("mail_server.{name}");
        let Ok(server) = engine.mail_server(name) else {
            continue;
        };
        findings.push(match server.probe(&row.mailbox).await {
            Ok(probe) => Finding::well(
                what,
                format!("{} answers for {}", probe.server, row.mailbox.address),
            ),
            Err(error) => Finding::failed(what, &error),
        });
    }
    for (name, row) in crm {
        let what = format!("crm.{name}");
        let Ok(server) = engine.crm(name) else { continue };
        findings.push(match server.probe(&row.user).await {
            Ok(probe) => Finding::well(
                what,
                format!("{} answers for {}", probe.server, row.user.username),
            ),
            Err(error) => Finding::failed(what, &error),
        });
    }
    if rows.is_empty() {
        findings.push(Finding::well(
            "mailboxes",
            "none yet; `holdfast mailbox add ADDRESS` adds one",
        ));
    }
    Ok(())
}
