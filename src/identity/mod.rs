//! Who is at the console.
//!
//! There is one way in so far: an operator asks for a code on the command line ([`control`]), types it into
//! the sign-in page once, and has a [`session`] for some hours. Directory accounts, MFA and single sign-on
//! come beside it and end in the same session.
//!
//! The database holds hashes of codes and of session tokens, never the values (`store`): who reads its
//! tables, or a backup of them, cannot sign in with what is there. Both are random and long, so a plain
//! SHA-256 is enough; there is no password here whose guesses would have to be slowed down.

pub mod control;
pub mod error;
pub mod session;
mod store;
pub mod token;

pub use error::IdentityError;
pub use session::{Lifetime, Presence, Session};
pub use token::{SessionToken, SignInCode};
