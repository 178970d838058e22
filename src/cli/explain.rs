//! `holdfast explain MAILBOX ITEM`: every rule that decided about one item.

use super::caller;
use super::outcome::{CliError, Done};
use super::output::Output;
use crate::access::permission::Explain;
use crate::foundation::config::Settings;
use crate::sync::explain::explain;
use crate::sync::report::Explanation;

/// Which item.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox.
    mailbox: String,
    /// The item's id in the mailbox, or the record's id in the CRM.
    item: String,
}

/// Explains.
pub async fn run(settings: Settings, args: Args, output: &Output) -> Result<Done, CliError> {
    caller::with(settings, async |session| {
        session.may(Explain)?;
        let row = session.mailbox(&args.mailbox).await?;
        let explanation = explain(&session.app.engine(), &row, &args.item)
            .await?
            .ok_or(CliError::UnknownItem)?;
        output.print(&explanation, || words(&explanation));
        Ok(Done::Well)
    })
    .await
}

fn words(explanation: &Explanation) -> String {
    let none = || "none".to_owned();
    let mut text = format!(
        "kind      {}\nmailbox   {}\ncrm       {}\nnow       {}\n",
        explanation.kind,
        explanation.item.clone().unwrap_or_else(none),
        explanation.crm.clone().unwrap_or_else(none),
        explanation.verdict,
    );
    if let Some(rule) = &explanation.decided {
        text.push_str(&format!("decided   {rule}\n"));
    }
    for note in &explanation.notes {
        text.push_str(&format!("          {note}\n"));
    }
    for (rule, said) in &explanation.rules {
        text.push_str(&format!("rule      {rule}: {said}\n"));
    }
    text
}
