//! `holdfast estimate [MAILBOX…]`: what the CRM will be asked, before anything is. Writes nothing anywhere.

use super::caller;
use super::outcome::{CliError, Done};
use super::output::{Output, table};
use crate::access::permission::{Explain, ViewStatus};
use crate::foundation::config::Settings;
use crate::foundation::explain::Explain as _;
use crate::sync::budget::share;
use crate::sync::estimate::{self, CrmEstimate, MailboxEstimate};
use crate::sync::{control, engine::Engine};
use serde_json::json;
use std::collections::BTreeMap;

/// Mailboxes shown one by one; all of them are in the JSON.
const SHOWN: usize = 20;

/// Which mailboxes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailboxes; without any, all of them.
    mailboxes: Vec<String>,
}

/// Asks the mail servers how much there is.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    let reserves: BTreeMap<String, u64> = settings
        .crm
        .iter()
        .map(|(name, crm)| (name.clone(), crm.daily_call_reserve_percent.into()))
        .collect();
    caller::with(settings, async |session| {
        session.may(Explain)?;
        let rows = match args.mailboxes.as_slice() {
            [] => control::list_mailboxes(&session.app.db, &session.may(ViewStatus)?).await?,
            named => {
                let mut rows = Vec::with_capacity(named.len());
                for address in named {
                    rows.push(session.mailbox(address).await?);
                }
                rows
            }
        };
        let engine = session.app.engine();
        let (mut mailboxes, mut unknown) = (Vec::new(), Vec::new());
        for row in &rows {
            match estimate::mailbox(&engine, row).await {
                Ok(one) => mailboxes.push(one),
                Err(error) => unknown.push((row.mailbox.address.clone(), error.code())),
            }
        }
        let mut crms = Vec::new();
        for (name, reserve) in &reserves {
            // One call to the CRM tells how many there are.
            let allowed = match rows.iter().find(|row| row.crm == *name) {
                Some(row) => allowed(&engine, row).await,
                None => continue,
            };
            let ours = allowed.map(|all| share::ours(all, *reserve));
            let told = engine.crm(name).is_ok_and(|crm| crm.tells_news());
            let looks = if told { estimate::looks(allowed) } else { 0 };
            crms.push(estimate::sum(name, &mailboxes, ours, looks));
        }
        output.print(
            &json!({"crms": crms, "mailboxes": mailboxes, "unknown": unknown}),
            || words(&crms, &mailboxes, &unknown),
        );
        Ok(match unknown.is_empty() {
            true => Done::Well,
            false => Done::NotInStep,
        })
    })
    .await
}

async fn allowed(engine: &Engine, row: &crate::sync::store::mailboxes::MailboxRow) -> Option<u64> {
    let crm = engine.crm(&row.crm).ok()?;
    crm.probe(&row.user).await.ok()?;
    crm.calls().map(|(_, allowed)| allowed)
}

fn words(crms: &[CrmEstimate], mailboxes: &[MailboxEstimate], unknown: &[(String, &str)]) -> String {
    let mut said: Vec<String> = crms.iter().map(of_crm).collect();
    let rows = mailboxes.iter().take(SHOWN).map(|one| {
        [
            one.mailbox.clone(),
            one.items.to_string(),
            one.first.to_string(),
            one.day.to_string(),
        ]
    });
    said.push(format!(
        "\n{}",
        table(["mailbox", "items", "calls at first", "calls a day"], rows)
    ));
    if mailboxes.len() > SHOWN {
        said.push(format!(
            "… and {} more; --json shows all.",
            mailboxes.len() - SHOWN
        ));
    }
    said.extend(
        unknown
            .iter()
            .map(|(address, code)| format!("{address} could not be looked at [{code}].")),
    );
    said.join("\n")
}

fn of_crm(one: &CrmEstimate) -> String {
    let asked = format!(
        "crm.{}: {} mailboxes, {} calls for the first synchronisation, then {} a day",
        one.crm, one.mailboxes, one.first, one.day
    );
    match (one.ours, one.first_days, one.stretch) {
        (Some(ours), Some(days), Some(stretch)) => {
            let begin = format!("{asked}, of {ours} a day that are Holdfast's.");
            let first = match days > 1.0 {
                true => format!(" The first synchronisation takes {:.0} days.", days.ceil()),
                false => String::new(),
            };
            let pace = match stretch > 1.0 {
                true => format!(" Streams will rest {stretch:.1} times as long, so that the day fits."),
                false => String::new(),
            };
            begin + &first + &pace
        }
        _ => format!("{asked}. The CRM did not say how many calls it allows."),
    }
}
