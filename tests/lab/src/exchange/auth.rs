//! Signing in.
use super::ntlm::ExtendedProtection;
use crate::lab::{ExtendedProtection as Wanted, Options};

/// How channel bindings are judged.
pub fn protection(options: &Options) -> ExtendedProtection {
    match options.extended_protection {
        Wanted::Off => ExtendedProtection::Off,
        Wanted::Allow => ExtendedProtection::Allow,
        Wanted::Require => ExtendedProtection::Require,
    }
}
