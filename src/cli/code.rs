//! `holdfast code`: a one-time code to sign in to the page.

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::Output;
use crate::access::permission::OpenConsole;
use crate::foundation::config::Settings;
use crate::identity::control::{CODE_LASTS, issue_code};
use serde_json::json;

/// Prints a fresh code.
pub async fn run(settings: Settings, output: &Output) -> Result<Done, CliError> {
    let session = Session::open(settings).await?;
    let code = issue_code(&session.app.db, &session.app.clock, &session.may(OpenConsole)?).await?;
    let shown = code.shown();
    let document = json!({"code": shown.expose(), "lasts_minutes": CODE_LASTS.num_minutes()});
    output.print(&document, || shown.expose().clone());
    session.app.close().await;
    Ok(Done::Well)
}
