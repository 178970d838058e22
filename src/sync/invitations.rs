//! Whether people are mailed of what happens to a meeting in the CRM (promise P7: nobody, unless a policy says so).

use serde::{Deserialize, Serialize};

/// What people who are asked to a meeting learn from the mail server of what the CRM's users do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitations {
    /// Nothing.
    #[default]
    Never,
    /// The organiser's mail server invites them to what is made in the CRM, and tells them when it is moved, renamed or
    /// called off there, as if the organiser had done it in his calendar.
    FromCrm,
}
