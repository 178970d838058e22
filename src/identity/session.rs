//! Sessions: begun with a code, used with each request, ended by their owner or by time.

use super::error::IdentityError;
use super::store;
use super::token::{SessionToken, SignInCode};
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use chrono::{DateTime, TimeDelta, Utc};

/// How long a session lasts.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Without a request.
    pub idle: TimeDelta,
    /// In all.
    pub whole: TimeDelta,
}

/// Noting each request's time would be a write a request; within this span it is not noted again.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(30);

/// A session that is good now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Begins a session. The code is used up, whatever happens next.
///
/// # Errors
/// [`IdentityError::CodeRefused`], or the database's.
pub async fn begin(
    db: &Db,
    clock: &Clock,
    code: &SignInCode,
    lifetime: Lifetime,
) -> Result<SessionToken, IdentityError> {
    let token = SessionToken::fresh()?;
    let (code, session, now) = (code.hash(), token.hash(), clock.now());
    db.run(move |conn| {
        if !store::use_code(conn, &code, now)? {
            return Err(IdentityError::CodeRefused);
        }
        store::forget_expired(conn, now, now - lifetime.idle)?;
        store::put_session(conn, &session, now, now + lifetime.whole)?;
        Ok(())
    })
    .await?;
    Ok(token)
}

/// Whether a request says that somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Somebody asked.
    Person,
    /// A page that lies open asked by itself, and nobody has touched it since it last did.
    Nobody,
}

/// The session of a token, if it is good; notes that it was used where somebody is there.
///
/// # Errors
/// The database's.
pub async fn find(
    db: &Db,
    clock: &Clock,
    token: &SessionToken,
    lifetime: Lifetime,
    presence: Presence,
) -> Result<Option<Session>, IdentityError> {
    let (hash, now) = (token.hash(), clock.now());
    db.run(move |conn| {
        let Some((last_seen, expires_at)) = store::session(conn, &hash)? else {
            return Ok(None);
        };
        if expires_at <= now || last_seen + lifetime.idle <= now {
            return Ok(None);
        }
        if presence == Presence::Person && last_seen + NOTED_EVERY <= now {
            store::touch(conn, &hash, now)?;
        }
        Ok(Some(Session { expires_at }))
    })
    .await
}

/// Ends a session. One that is not there has ended already.
///
/// # Errors
/// The database's.
pub async fn end(db: &Db, token: &SessionToken) -> Result<(), IdentityError> {
    let hash = token.hash();
    db.run(move |conn| Ok(store::remove_session(conn, &hash)?)).await
}
