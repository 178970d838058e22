//! The log: where tracing's events go.
//!
//! `log.level` governs Holdfast's own events. Those of libraries are let through from `warn` upwards and never
//! below, because on their finer levels some of them write the bytes that they handle.

use crate::foundation::config::{Log, LogFormat};
use crate::foundation::explain::{Explain, Kind};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The folder for the files cannot be made or written.
    #[error("the log folder {} cannot be used", directory.display())]
    Directory {
        /// `log.directory`.
        directory: PathBuf,
        /// What the appender said.
        #[source]
        source: InitError,
    },
    /// The process has a log already.
    #[error("the log was already started")]
    Twice(#[from] TryInitError),
}

impl Explain for TelemetryError {
    fn kind(&self) -> Kind {
        match self {
            Self::Directory { .. } => Kind::Invalid,
            Self::Twice(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "log.directory",
            Self::Twice(_) => "log.twice",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Directory { directory, source } => format!(
                "The log cannot be written to {} ({source}). See that the folder can be written by the user that \
                 runs Holdfast, or leave log.directory unset to log to standard error.",
                directory.display()
            ),
            Self::Twice(_) => "The log was started twice, which is a fault of ours; report it.".into(),
        }
    }
}

/// Keeps the log going; dropping it writes out what is still on its way.
#[must_use = "dropping it ends the log"]
pub struct LogGuard {
    _files: Option<WorkerGuard>,
}

/// Starts the log of this process.
///
/// # Errors
/// [`TelemetryError`].
pub fn start(settings: &Log) -> Result<LogGuard, TelemetryError> {
    let filter = filter(&settings.level);
    match &settings.directory {
        Some(directory) => {
            let (files, guard) = daily_files(directory, settings.keep_files)?;
            let layer = layer(settings.format, files, false).with_filter(filter);
            tracing_subscriber::registry().with(layer).try_init()?;
            Ok(LogGuard { _files: Some(guard) })
        }
        None => {
            let colours = std::io::stderr().is_terminal();
            let layer = layer(settings.format, std::io::stderr, colours).with_filter(filter);
            tracing_subscriber::registry().with(layer).try_init()?;
            Ok(LogGuard { _files: None })
        }
    }
}

/// The setting was checked when it was read; a part that is no level after all changes nothing.
fn filter(level: &str) -> Targets {
    let mut filter = Targets::new().with_default(LevelFilter::WARN);
    for part in level.split(',') {
        let (room, level) = part.trim().rsplit_once('=').unwrap_or(("holdfast", part.trim()));
        if let Ok(level) = level.parse::<Level>() {
            filter = filter.with_target(room, level);
        }
    }
    filter
}

fn layer<S, W>(format: LogFormat, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer).with_ansi(colours);
    match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    }
}

/// One file a day, written by a thread of its own, so that a slow disk does not hold up the work.
fn daily_files(directory: &Path, keep: usize) -> Result<(NonBlocking, WorkerGuard), TelemetryError> {
    // The appender makes the folder as well, but looks for old files in it first and complains on standard error
    // that there is none. Where it cannot be made, the appender says so next.
    let _ = std::fs::create_dir_all(directory);
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("holdfast")
        .filename_suffix("log")
        .max_log_files(keep)
        .build(directory)
        .map_err(|source| TelemetryError::Directory {
            directory: directory.to_owned(),
            source,
        })?;
    Ok(NonBlockingBuilder::default().lossy(false).finish(appender))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_quiet_whatever_level_is_set() {
        let filter = filter("trace,holdfast::sync=error");
        assert!(filter.would_enable("holdfast::web", &Level::TRACE));
        assert!(!filter.would_enable("holdfast::sync", &Level::WARN));
        assert!(filter.would_enable("hyper::proto", &Level::WARN));
        assert!(!filter.would_enable("hyper::proto", &Level::INFO));
    }

    #[test]
    fn a_json_line_holds_the_fields_of_its_event() {
        let folder = tempfile::tempdir().unwrap();
        let (files, guard) = daily_files(folder.path(), 2).unwrap();
        let log = tracing_subscriber::registry().with(layer(LogFormat::Json, files, false));
        tracing::subscriber::with_default(log, || tracing::warn!(mailbox = 7, "the stream rests"));
        drop(guard);
        let file = std::fs::read_dir(folder.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let line: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(
            (&line["message"], &line["mailbox"]),
            (&"the stream rests".into(), &7.into())
        );
    }
}
