//! Who may do what.
//!
//! A [`Principal`] asks for a right ([`permission`]) on a [`Resource`]; [`authorize()`] answers with a
//! [`Granted`], typed by the right. What an operator can set in motion (`sync::control`, `identity::control`)
//! takes `&Granted<TheRight>` and nobody but [`authorize()`] makes one, so a call without the question, or with
//! the answer to another question, does not compile.
//!
//! Today there are two principals: whoever may run the command line on the appliance, and a console session.
//! Directory people, roles and authorizations by resource find their place in [`authorize()`] alone; nobody
//! who holds a grant has to change.
//!
//! * [`permission`] the rights, as types and as words
//! * [`principal`] who asks
//! * [`resource`] for what
//! * [`authorize()`] the decision, and the system's own bypass
//! * [`error`] the refusal

pub mod authorize;
pub mod error;
pub mod permission;
pub mod principal;
pub mod resource;

pub use authorize::{Granted, authorize, granted_to_system};
pub use error::AccessError;
pub use permission::{Permission, Right};
pub use principal::Principal;
pub use resource::Resource;
