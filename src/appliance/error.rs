//! Why the database that Holdfast works on could not be opened.

use crate::foundation::db::DbError;
use crate::foundation::db::migrate::MigrateError;
use crate::foundation::explain::{Explain, Kind};
use std::path::{Path, PathBuf};

/// A failure to provide or open the database.
#[derive(Debug, thiserror::Error)]
pub enum ApplianceError {
    /// A file or folder of the private cluster could not be made, read or written.
    #[error("cannot use {}", path.display())]
    Files {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// PostgreSQL's server programs are not installed, or not in the version that made the cluster.
    #[error("no PostgreSQL server programs")]
    NoPostgres {
        /// The major version that an existing cluster needs; none when any will do.
        version: Option<u32>,
    },
    /// We are root and there is nobody to run PostgreSQL as.
    #[error("PostgreSQL cannot run as root")]
    NobodyToRunAs,
    /// The system does not know a user.
    #[error("there is no user {user}")]
    NoSuchUser {
        /// Its name or number.
        user: String,
    },
    /// PostgreSQL's user cannot get to the data folder.
    #[error("{user} cannot enter {}", folder.display())]
    Unreachable {
        /// Who.
        user: String,
        /// Where.
        folder: PathBuf,
    },
    /// The socket's path is longer than the system allows.
    #[error("the socket path {} is too long", path.display())]
    PathTooLong {
        /// The path of the socket.
        path: PathBuf,
    },
    /// One of PostgreSQL's programs could not be started at all.
    #[error("cannot run {program}")]
    CannotRun {
        /// Which one.
        program: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// One of PostgreSQL's programs ended with an error.
    #[error("{program} failed: {said}")]
    ProgramFailed {
        /// Which one.
        program: &'static str,
        /// The last lines that it wrote, which hold no content: the cluster logs no statements.
        said: String,
    },
    /// The disk under the data folder is full.
    #[error("no space left under {}", folder.display())]
    DiskFull {
        /// The data folder.
        folder: PathBuf,
    },
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The daemon's role could not connect, or a first statement failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The thread that did the blocking work stopped.
    #[error("starting the database stopped in the middle")]
    TaskStopped(#[from] tokio::task::JoinError),
}

impl ApplianceError {
    /// For `map_err` on the file calls.
    pub(super) fn files(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { folder: path }
            }
            _ => Self::Files { path, source },
        }
    }
}

impl Explain for ApplianceError {
    fn kind(&self) -> Kind {
        match self {
            Self::Migrate(error) => error.kind(),
            Self::Database(error) => error.kind(),
            Self::DiskFull { .. } | Self::ProgramFailed { .. } => Kind::Unavailable,
            Self::TaskStopped(_) => Kind::Internal,
            _ => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Files { .. } => "appliance.files",
            Self::NoPostgres { .. } => "appliance.no_postgresql",
            Self::NobodyToRunAs => "appliance.nobody_to_run_as",
            Self::NoSuchUser { .. } => "appliance.no_such_user",
            Self::Unreachable { .. } => "appliance.unreachable",
            Self::PathTooLong { .. } => "appliance.path_too_long",
            Self::CannotRun { .. } => "appliance.cannot_run",
            Self::ProgramFailed { .. } => "appliance.program_failed",
            Self::DiskFull { .. } => "appliance.disk_full",
            Self::Migrate(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::TaskStopped(_) => "appliance.task_stopped",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Files { path, source } => format!(
                "{} cannot be used ({source}). See that it exists and belongs to the user that runs Holdfast.",
                path.display()
            ),
            Self::NoPostgres { version: Some(version) } => format!(
                "The private database was made by PostgreSQL {version}, whose server programs are not \
                 installed. Install postgresql-{version}, or name its folder in database.bin_dir."
            ),
            Self::NoPostgres { version: None } => "PostgreSQL's server programs were not found. Install \
                 postgresql (Debian: apt install postgresql-15), name their folder in database.bin_dir, or \
                 point database.url to a PostgreSQL of your own."
                .into(),
            Self::NobodyToRunAs => "PostgreSQL refuses to run as root, and there is neither a user holdfast \
                 nor a user postgres to run it as. Create one (useradd --system holdfast), or run Holdfast as \
                 an ordinary user."
                .into(),
            Self::NoSuchUser { user } => format!(
                "The system has no user {user}. Give the data folder to a user that exists and run Holdfast \
                 as that user."
            ),
            Self::Unreachable { user, folder } => format!(
                "PostgreSQL would run as {user}, who cannot enter {}. Choose a data_dir that {user} can reach, \
                 such as /var/lib/holdfast, or run Holdfast as the user who owns it.",
                folder.display()
            ),
            Self::PathTooLong { path } => format!(
                "The database's socket would be {}, longer than the 107 bytes that the system allows. Choose a \
                 shorter data_dir.",
                path.display()
            ),
            Self::CannotRun { program, source } => {
                format!("{program} could not be run ({source}). Check database.bin_dir.")
            }
            Self::ProgramFailed { program, said } => format!(
                "PostgreSQL's {program} failed: {said}. The folder postgres/log under data_dir has the whole \
                 story."
            ),
            Self::DiskFull { folder } => format!(
                "There is no space left on the file system of {}. Free some and start again; nothing was lost.",
                folder.display()
            ),
            Self::Migrate(error) => error.sentence(),
            Self::Database(error) => error.sentence(),
            Self::TaskStopped(_) => "Starting the database stopped in the middle. Start again, and report it \
                 if it stays."
                .into(),
        }
    }
}
