//! What can go wrong between Holdfast and PostgreSQL, sorted by what a person can do about it.
//!
//! PostgreSQL's DETAIL line may quote a row's values; it is never taken over, here or in the server's log.

use crate::foundation::explain::{Explain, Kind};
use crate::foundation::failure::Class;
use diesel::r2d2::PoolError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// A failed database call. The transaction was rolled back, except for a connection that broke during
/// COMMIT: then nobody knows, which is why every write of a turn can be repeated.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection within the pool's time limit: PostgreSQL is down, restarting, or has no slot free.
    #[error("no connection to PostgreSQL")]
    NoConnection(#[source] PoolError),
    /// The connection broke under a running transaction.
    #[error("the connection to PostgreSQL was lost")]
    ConnectionLost(#[source] DieselError),
    /// The disk or the quota under the database is full (SQLSTATE 53100).
    #[error("the database's disk is full")]
    DiskFull(#[source] DieselError),
    /// The server takes no writes: a standby, or a server in recovery.
    #[error("the database is read-only")]
    ReadOnly(#[source] DieselError),
    /// Two transactions stood in each other's way; the other one went first.
    #[error("another transaction went first")]
    Clash(#[source] DieselError),
    /// A unique, foreign-key or check constraint, by its name in the migrations.
    #[error("the database refused a row by its rule {constraint}")]
    Constraint {
        /// The constraint's or index's name, empty where PostgreSQL named none.
        constraint: String,
        /// What diesel reported.
        #[source]
        source: DieselError,
    },
    /// The role may not do this, or row-level security forbids the row.
    #[error("the database role may not do this")]
    NotPermitted(#[source] DieselError),
    /// The statement ran longer than the server allows.
    #[error("a statement took too long")]
    TimedOut(#[source] DieselError),
    /// Everything else: a statement that does not fit the schema, a value that does not decode.
    #[error("a database statement failed")]
    Statement(#[source] DieselError),
    /// The closure panicked; its transaction was rolled back.
    #[error("a database task stopped in the middle")]
    TaskStopped(#[source] tokio::task::JoinError),
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::ConnectionLost(error)
                }
                DatabaseErrorKind::SerializationFailure => Self::Clash(error),
                DatabaseErrorKind::ReadOnlyTransaction => Self::ReadOnly(error),
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::ExclusionViolation => Self::Constraint {
                    constraint: info
                        .constraint_name()
                        .or(info.column_name())
                        .unwrap_or_default()
                        .to_owned(),
                    source: error,
                },
                _ => match Unsorted::read(info.as_ref()) {
                    Unsorted::DiskFull => Self::DiskFull(error),
                    Unsorted::NotPermitted => Self::NotPermitted(error),
                    Unsorted::Clash => Self::Clash(error),
                    Unsorted::TimedOut => Self::TimedOut(error),
                    Unsorted::ConnectionLost => Self::ConnectionLost(error),
                    Unsorted::Other => Self::Statement(error),
                },
            },
            DieselError::BrokenTransactionManager => Self::ConnectionLost(error),
            _ => Self::Statement(error),
        }
    }
}

/// What diesel reports as an unknown kind. It does not hand out the SQLSTATE, so the message decides; the
/// private cluster and every connection of ours use `lc_messages = C` where the server lets us.
enum Unsorted {
    DiskFull,
    NotPermitted,
    Clash,
    TimedOut,
    ConnectionLost,
    Other,
}

impl Unsorted {
    /// Texts from PostgreSQL's sources: `errcode_for_file_access` (53100 carries the system's ENOSPC or
    /// EDQUOT text), aclchk.c and rewriteHandler.c (42501), deadlock.c (40P01), postgres.c (57014, 57P01).
    fn read(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> Self {
        let message = info.message();
        let has = |text: &str| message.contains(text);
        if has("No space left on device") || has("Disk quota exceeded") {
            Self::DiskFull
        } else if has("permission denied") || has("must be owner of") || has("violates row-level security") {
            Self::NotPermitted
        } else if has("deadlock detected") || has("due to lock timeout") {
            Self::Clash
        } else if has("due to statement timeout") {
            Self::TimedOut
        } else if has("terminating connection")
            || has("server closed the connection")
            || has("the database system is")
            || has("no connection to the server")
        {
            Self::ConnectionLost
        } else {
            Self::Other
        }
    }
}

impl DbError {
    /// What a second try would mean.
    pub fn class(&self) -> Class {
        match self {
            Self::NoConnection(_)
            | Self::ConnectionLost(_)
            | Self::DiskFull(_)
            | Self::ReadOnly(_)
            | Self::Clash(_)
            | Self::TimedOut(_) => Class::Again,
            Self::Constraint { .. } | Self::NotPermitted(_) => Class::Refused,
            Self::Statement(_) | Self::TaskStopped(_) => Class::Broken,
        }
    }
}

impl Explain for DbError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoConnection(_)
            | Self::ConnectionLost(_)
            | Self::DiskFull(_)
            | Self::ReadOnly(_)
            | Self::Clash(_)
            | Self::TimedOut(_) => Kind::Unavailable,
            Self::Constraint { .. } => Kind::Conflict,
            Self::NotPermitted(_) | Self::Statement(_) | Self::TaskStopped(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoConnection(_) => "database.no_connection",
            Self::ConnectionLost(_) => "database.connection_lost",
            Self::DiskFull(_) => "database.disk_full",
            Self::ReadOnly(_) => "database.read_only",
            Self::Clash(_) => "database.clash",
            Self::Constraint { .. } => "database.constraint",
            Self::NotPermitted(_) => "database.not_permitted",
            Self::TimedOut(_) => "database.timed_out",
            Self::Statement(_) => "database.statement",
            Self::TaskStopped(_) => "database.task_stopped",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::NoConnection(source) => format!(
                "PostgreSQL did not answer ({}). Work goes on by itself once it does: see that it runs, that \
                 database.url is right, and that it has connections to spare.",
                one_line(&source.to_string())
            ),
            Self::ConnectionLost(_) => {
                "The connection to PostgreSQL broke off. Nothing was lost and the work \
                 is repeated when PostgreSQL is back; if it does not come back, read its log."
                    .into()
            }
            Self::DiskFull(_) => {
                "The disk under the database is full, so nothing more can be recorded. Free \
                 space on the file system that holds the database; work goes on by itself then, and nothing \
                 was lost."
                    .into()
            }
            Self::ReadOnly(_) => "The database takes no writes: it is a standby or in recovery. Point \
                 database.url to the primary, or wait until the failover is over."
                .into(),
            Self::Clash(_) => "Two pieces of work wanted the same rows and the other one went first. It is \
                 tried again by itself; nothing has to be done."
                .into(),
            Self::Constraint { constraint, .. } => format!(
                "The database refused a row that breaks its rule {constraint}. Something like it is already \
                 there, or what it belongs to is gone."
            ),
            Self::NotPermitted(_) => "The database role of the daemon lacks a right. Run `holdfast migrate` \
                 with this version; on a database of your own, see that database.url signs in as \
                 holdfast_daemon."
                .into(),
            Self::TimedOut(_) => "A database statement took longer than allowed and was stopped. If it \
                 happens again, look for load or locks on the PostgreSQL server."
                .into(),
            Self::Statement(source) => format!(
                "A database statement failed ({}). Run `holdfast migrate`; if it stays, report it with this \
                 text, which holds no content.",
                one_line(&source.to_string())
            ),
            Self::TaskStopped(_) => "A database task stopped in the middle and was rolled back. Report it \
                 with the log of that moment."
                .into(),
        }
    }
}

/// libpq's messages run over several lines with tabs; one line serves logs and sentences.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(message: &str) -> DbError {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    #[test]
    fn a_full_disk_says_to_free_space_and_is_tried_again() {
        let error = reported("could not extend file \"base/1/2\": No space left on device");
        assert!(matches!(error, DbError::DiskFull(_)));
        assert_eq!(error.class(), Class::Again);
        assert!(error.sentence().contains("Free space on the file system"));
    }

    #[test]
    fn a_server_that_shuts_down_counts_as_a_lost_connection() {
        let error = reported("terminating connection due to administrator command");
        assert!(matches!(error, DbError::ConnectionLost(_)));
    }

    #[test]
    fn an_unknown_message_is_a_failed_statement_and_not_retried() {
        let error = reported("relation \"nowhere\" does not exist");
        assert_eq!(
            (error.code(), error.class()),
            ("database.statement", Class::Broken)
        );
    }
}
