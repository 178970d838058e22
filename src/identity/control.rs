//! What an operator may ask: a code that lets somebody into the console.

use super::error::IdentityError;
use super::store;
use super::token::SignInCode;
use crate::access::Granted;
use crate::access::permission::OpenConsole;
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use chrono::TimeDelta;

/// How long a code works.
pub const CODE_LASTS: TimeDelta = TimeDelta::minutes(15);

/// Makes a code. It works once, within [`CODE_LASTS`].
///
/// # Errors
/// [`IdentityError::NoRandom`], or the database's.
pub async fn issue_code(
    db: &Db,
    clock: &Clock,
    granted: &Granted<OpenConsole>,
) -> Result<SignInCode, IdentityError> {
    let code = SignInCode::fresh()?;
    let (hash, expires_at) = (code.hash(), clock.now() + CODE_LASTS);
    db.run(move |conn| Ok::<_, IdentityError>(store::put_code(conn, &hash, expires_at)?))
        .await?;
    tracing::info!(by = granted.holder(), "a sign-in code was issued");
    Ok(code)
}
