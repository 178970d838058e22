//! `holdfast serve`

use super::caller::Session;
use super::outcome::{CliError, Done};
use super::output::{Output, line};
use crate::access::permission::OpenConsole;
use crate::foundation::config::Settings;
use crate::foundation::telemetry::logging;
use crate::identity::control::issue_code;
use crate::service;

/// Runs the daemon until it is told to stop.
pub async fn run(settings: Settings, output: &Output) -> Result<Done, CliError> {
    let _log = logging::start(&settings.log)?;
    let session = Session::open(settings).await?;
    let code = issue_code(&session.app.db, &session.app.clock, &session.may(OpenConsole)?).await?;
    let listener = service::listen(&session.app)?;
    let address = format!("https://{}", listener.address());
    let shown = code.shown();
    if output.json {
        line(&serde_json::json!({"page": address, "code": shown.expose()}).to_string());
    } else {
        line(&format!(
            "The page: {address}/\nSign-in code (works once, for 15 minutes): {}",
            shown.expose()
        ));
    }
    service::run(session.app, listener).await?;
    Ok(Done::Well)
}
