//! Who asks.

/// Somebody who may hold rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Whoever runs the command line on the appliance: he can read the key file and open the database, so
    /// the operating system has let him in already.
    LocalOperator {
        /// His name in the operating system.
        user: String,
    },
    /// A session of the console that began with a one-time code.
    ConsoleSession,
}

impl Principal {
    /// How a sentence names him.
    pub fn title(&self) -> String {
        match self {
            Self::LocalOperator { user } => format!("The user {user}"),
            Self::ConsoleSession => "A session of the console".to_owned(),
        }
    }
}
