//! The running process: the engine's worker, its ears, the page, the private PostgreSQL, and their end.
//!
//! They run side by side. SIGTERM and SIGINT end them in order: no new turns, running turns are cut
//! at their last commit (they are repeated from there), the page closes, the ledger's last rows are written.
//! The private PostgreSQL goes on: a restarted daemon finds it running.

mod error;

pub use error::ServiceError;

use crate::app::App;
use crate::identity::session::Lifetime;
use crate::sync::engine::Engine;
use crate::sync::{budget, listen, presence, watch as crm_watch, worker};
use crate::web::parts::Parts;
use crate::web::server::{self, Listener};
use chrono::TimeDelta;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use uuid::Uuid;

/// Takes the page's address, so that a wrong one is told before anything runs.
///
/// # Errors
/// [`ServiceError::Web`].
pub fn listen(app: &App) -> Result<Listener, ServiceError> {
    Ok(server::listen(&app.settings)?)
}

/// The node's name, kept beside its data, so that a restarted daemon knows its own leases again. Where it
/// cannot be kept, the node has another name each time and waits for its old leases to expire.
fn node(data_dir: &Path) -> Uuid {
    let file = data_dir.join("node");
    let known = std::fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    known.unwrap_or_else(|| {
        let fresh = Uuid::new_v4();
        if let Err(error) = std::fs::write(&file, fresh.to_string()) {
            tracing::warn!(%error, "the node's name could not be kept");
        }
        fresh
    })
}

/// Runs until a signal or until the page's server ends by itself.
///
/// # Errors
/// [`ServiceError`].
pub async fn run(app: App, listener: Listener) -> Result<(), ServiceError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServiceError::Signals)?;
    let long = |span: Duration| TimeDelta::from_std(span).unwrap_or(TimeDelta::hours(8));
    let web = &app.settings.web;
    let parts = Parts {
        db: app.db.clone(),
        clock: app.clock.clone(),
        metrics: app.metrics.clone(),
        lifetime: Lifetime {
            idle: long(web.session_idle()),
            whole: long(web.session_length()),
        },
    };
    let (handle, page) = server::serve(listener, parts)?;
    let page = tokio::spawn(page);
    let (tell, told) = watch::channel(false);
    let engine = Engine {
        node: node(&app.settings.data_dir),
        ..app.engine()
    };
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let alive = tokio::spawn(presence::run(engine.clone(), host, told.clone()));
    let ears = tokio::spawn(listen::run(engine.clone(), told.clone()));
    let watch = tokio::spawn(crm_watch::run(engine.clone(), told.clone()));
    let purses = tokio::spawn(budget::run(engine.clone(), app.purses(), told.clone()));
    let work = tokio::spawn(worker::run(engine, told));
    let guard = app
        .postgres
        .clone()
        .map(|postgres| tokio::spawn(postgres.keep_running(app.clock.clone())));
    tracing::info!("running");
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = page => ended.map_err(ServiceError::Task)?.map_err(ServiceError::Web),
    };
    tracing::info!("stopping");
    tell.send_replace(true);
    handle.stop(true).await;
    for task in [work, ears, watch, alive, purses] {
        task.await.map_err(ServiceError::Task)?;
    }
    if let Some(guard) = guard {
        guard.abort();
    }
    app.close().await;
    ended
}
