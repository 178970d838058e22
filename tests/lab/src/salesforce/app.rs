//! The external client app of the lab's org and the user it runs as; and a second app, for people.
//!
//! The key pair is a fixed TEST pair made for this lab; it opens nothing anywhere else.

use super::id::id18;

/// Consumer key.
pub const CLIENT_ID: &str = "3MVG9lab.Holdfast.ConsumerKey.000000000000000000000000001";
/// Consumer key of an app with the same key pair that counts as the people in whose name it comes: for tests that do
/// what a person would have done. JWT bearer alone.
pub const PEOPLES_CLIENT_ID: &str = "3MVG9lab.People.ConsumerKey.00000000000000000000000000001";
/// Consumer secret.
pub const CLIENT_SECRET: &str = "6C1B2LABSECRET0000000000000000000000000000000000000000000000001";
/// The private half of the app's key pair, PKCS#8.
pub const JWT_PRIVATE_KEY_PEM: &str = include_str!("../../keys/jwt-private.pem");
/// The public half, what the org knows.
pub const JWT_PUBLIC_KEY_PEM: &str = include_str!("../../keys/jwt-public.pem");
/// The Run-As user of the client-credentials flow.
pub const INTEGRATION_USERNAME: &str = "integration@lab.example.crm";

/// The Run-As user's id.
pub fn integration_user_id() -> String {
    id18("005", 1)
}

/// The org's id; another one after each refresh.
pub fn organization_id(refreshes: u64) -> String {
    id18("00D", 1 + refreshes)
}
