//! What is wrong with the settings, each slip with its place and the way out.

use crate::foundation::explain::{Explain, Kind};
use std::fmt;
use std::path::PathBuf;

/// Where a setting was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, and the line counted from 1.
    Line(PathBuf, usize),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(out, "{}, line {line}", file.display()),
            Self::Variable(name) => write!(out, "environment variable {name}"),
        }
    }
}

/// One slip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Slip {
    /// The file is not TOML.
    #[error("{place}: this is not TOML: {said}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        said: String,
    },
    /// No setting has this name.
    #[error("{place}: there is no setting {name}{}", nearest.as_ref().map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    Unknown {
        /// Where.
        place: Place,
        /// The name as it was written, sections included.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// The connection's name will not do.
    #[error(
        "{place}: {name} cannot be the name of a connection: expected lower-case letters, digits, - and _, a letter first"
    )]
    Name {
        /// Where.
        place: Place,
        /// The name as it was written.
        name: String,
    },
    /// The value will not do.
    #[error("{place}: {name} expects {expected}{}", found.as_ref().map(|found| format!(", but is {found}")).unwrap_or_default())]
    Value {
        /// Where.
        place: Place,
        /// The setting.
        name: String,
        /// What it takes.
        expected: String,
        /// What was there, unless somebody may have written a password into it.
        found: Option<String>,
    },
    /// Something else in the settings needs this one.
    #[error("{place}: the section {section} lacks {key}: expected {expected}")]
    Missing {
        /// Where the section begins.
        place: Place,
        /// The section.
        section: String,
        /// What is not there.
        key: String,
        /// What it takes.
        expected: String,
    },
}

/// Why the settings were not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for by name is not there.
    #[error("there is no settings file {}", path.display())]
    NoFile {
        /// Its path.
        path: PathBuf,
    },
    /// A file or folder is there and cannot be read.
    #[error("the settings file {} cannot be read", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// One slip or several; all are told at once.
    #[error("{}", .0.iter().map(Slip::to_string).collect::<Vec<_>>().join("\n"))]
    Slips(Vec<Slip>),
    /// The layers could not be put together although each is right by itself.
    #[error("the settings could not be put together")]
    Merge(#[from] config::ConfigError),
}

impl Explain for ConfigError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoFile { .. } => Kind::NotFound,
            Self::Merge(_) => Kind::Internal,
            Self::Unreadable { .. } | Self::Slips(_) => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoFile { .. } => "config.no_file",
            Self::Unreadable { .. } => "config.unreadable",
            Self::Slips(_) => "config.slips",
            Self::Merge(_) => "config.merge",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::NoFile { path } => format!(
                "There is no settings file {}. Check --config and HOLDFAST_CONFIG, or copy conf/holdfast.toml there.",
                path.display()
            ),
            Self::Unreadable { path, source } => format!(
                "The settings file {} cannot be read ({source}). See that the user that runs Holdfast may read it.",
                path.display()
            ),
            Self::Slips(_) => {
                format!(
                    "The settings are not taken:\n{self}\nCorrect this and start again; holdfast.toml explains each setting."
                )
            }
            Self::Merge(source) => {
                format!(
                    "The settings could not be put together ({source}). Report it with the settings, which hold no secret."
                )
            }
        }
    }
}
