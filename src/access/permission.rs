//! The rights. Each is a word ([`Permission`]) for people and a type ([`Right`]) for the compiler.

/// A right, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// See how mailboxes stand: counts, codes, times.
    ViewStatus,
    /// Add, pause and resume mailboxes, read them anew, try failures again.
    ManageMailboxes,
    /// Read and set policies.
    ManagePolicies,
    /// Run a turn now.
    RunSync,
    /// Ask about single items: preview and explain show their ids.
    Explain,
    /// Read what items that failed are called, as long as that is kept.
    ReadNames,
    /// Store the passwords and keys of connections.
    ManageSecrets,
    /// Try the connections out.
    Probe,
    /// Let somebody into the console.
    OpenConsole,
}

impl Permission {
    /// Every right.
    pub const ALL: [Self; 9] = [
        Self::ViewStatus,
        Self::ManageMailboxes,
        Self::ManagePolicies,
        Self::RunSync,
        Self::Explain,
        Self::ReadNames,
        Self::ManageSecrets,
        Self::Probe,
        Self::OpenConsole,
    ];

    /// What it lets one do, to end the sentence "… may not".
    pub fn deed(self) -> &'static str {
        match self {
            Self::ViewStatus => "see how mailboxes stand",
            Self::ManageMailboxes => "manage mailboxes",
            Self::ManagePolicies => "manage policies",
            Self::RunSync => "run a synchronisation",
            Self::Explain => "ask about single items",
            Self::ReadNames => "read the names of items that failed",
            Self::ManageSecrets => "store secrets",
            Self::Probe => "try connections out",
            Self::OpenConsole => "let somebody into the console",
        }
    }
}

/// A right, as a type.
pub trait Right {
    /// The same right as a word.
    const PERMISSION: Permission;
}

macro_rules! rights {
    ($($name:ident)*) => {$(
        #[doc = concat!("[`Permission::", stringify!($name), "`] as a type.")]
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl Right for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

rights! { ViewStatus ManageMailboxes ManagePolicies RunSync Explain ReadNames ManageSecrets Probe OpenConsole }
