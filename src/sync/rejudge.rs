//! Judging anew after a change of policy.
//!
//! A stream remembers by which version of which policy it was judged as a whole. Where the present one says differently
//! of who takes part, both sides are read from their start, and each item is judged by both policies: what took part by
//! the one before and does not by this one has *left* ([`super::leaving`]); what takes part now is made, without waiting
//! for somebody to edit it. Links stay, so nothing is doubled. The policy before is remembered until everything was
//! looked at, so that a kill in the middle costs nothing but time; one that changes again meanwhile has the reading
//! begin again.

use super::error::SyncError;
use super::policy::{MailBody, Policy};
use super::store::judged::{self, Judged, PolicyVersion};
use super::store::mailboxes;
use super::store::streams::{Lease, Position};
use super::stream::Stream;
use crate::foundation::db::Db;
use crate::record::kind::RecordKind;

/// True where the two say differently of which items of a kind take part, or which way they go.
pub fn differ(kind: RecordKind, a: &Policy, b: &Policy) -> bool {
    let scope = |policy: &Policy| {
        let mut policy = policy.clone();
        // What is written of a mail, and how, does not say which mails are.
        policy.mail.body = MailBody::Full;
        policy
    };
    let (a, b) = (scope(a), scope(b));
    if a.common(kind).flow != b.common(kind).flow {
        return true;
    }
    match kind {
        RecordKind::Calendar => {
            let of = |policy: &Policy| {
                let calendar = &policy.calendar;
                (
                    (calendar.past_days, calendar.future_days),
                    calendar.private,
                    calendar.series,
                    (calendar.categories.clone(), calendar.folders.clone()),
                )
            };
            of(&a) != of(&b)
        }
        RecordKind::Contacts => {
            let (a, b) = (&a.contacts, &b.contacts);
            (&a.categories, &a.folders, &a.list) != (&b.categories, &b.folders, &b.list)
        }
        RecordKind::Tasks => {
            let (a, b) = (&a.tasks, &b.tasks);
            (a.form, &a.categories, &a.folders) != (b.form, &b.categories, &b.folders)
        }
        RecordKind::Mail => a.mail != b.mail,
    }
}

/// What is to be done about a stream.
enum Wanted {
    /// It was judged by the present policy.
    Nothing,
    /// It was judged by one that says the same of who takes part, or never.
    Note,
    /// A reading from the start, by the policy before; it has begun.
    GoOn(Policy),
    /// A reading from the start, by this policy before.
    Begin(PolicyVersion, Policy),
}

async fn wanted(db: &Db, stream: &Stream) -> Result<Wanted, SyncError> {
    let (id, now) = (stream.id, stream.version.clone());
    // The oldest policy that items of it may have been judged by; most turns need not look at one.
    let present = now.clone();
    let (standing, before) = db
        .run_for(id.mailbox, move |conn| {
            let standing = judged::get(conn, id)?;
            let other = standing.by.clone().filter(|by| *by != present);
            let before = match standing.before.clone().or(other) {
                Some(version) => mailboxes::policy_of(conn, &version.name, version.version)?
                    .map(|policy| (version, policy)),
                None => None,
            };
            Ok::<_, SyncError>((standing, before))
        })
        .await?;
    let Some((version, policy)) = before else {
        return Ok(match standing.by {
            Some(by) if by == now => Wanted::Nothing,
            _ => Wanted::Note,
        });
    };
    let is_present = standing.by.as_ref() == Some(&now);
    Ok(match standing.before {
        Some(_) if is_present => Wanted::GoOn(policy),
        // It changed again in the middle of a reading.
        Some(_) => Wanted::Begin(version, policy),
        None if differ(id.kind, &policy, &stream.policy) => Wanted::Begin(version, policy),
        None => Wanted::Note,
    })
}

/// Begins, or goes on with, judging a stream anew where that is due; returns where it stands now.
///
/// # Errors
/// The database's.
pub async fn begin(
    db: &Db,
    lease: Lease,
    stream: &mut Stream,
    position: Position,
) -> Result<Position, SyncError> {
    let by = Some(stream.version.clone());
    match wanted(db, stream).await? {
        Wanted::Nothing => Ok(position),
        Wanted::Note => {
            let judged = Judged { by, before: None };
            db.run_for(stream.id.mailbox, move |conn| judged::put(conn, lease, &judged))
                .await?;
            Ok(position)
        }
        Wanted::GoOn(before) => {
            stream.judge_anew(before);
            Ok(position)
        }
        Wanted::Begin(version, before) => {
            let judged = Judged {
                by,
                before: Some(version),
            };
            db.run_for(stream.id.mailbox, move |conn| judged::begin(conn, lease, &judged))
                .await?;
            tracing::info!(stream = %stream.id, policy = %stream.version.name, version = stream.version.version,
                "the policy says differently of who takes part; everything is judged anew");
            stream.judge_anew(before);
            Ok(from_the_start(position))
        }
    }
}

/// The same for a dry run: writes nothing.
///
/// # Errors
/// The database's.
pub async fn foresee(db: &Db, stream: &mut Stream, position: Position) -> Result<Position, SyncError> {
    match wanted(db, stream).await? {
        Wanted::Nothing | Wanted::Note => Ok(position),
        Wanted::GoOn(before) => {
            stream.judge_anew(before);
            Ok(position)
        }
        Wanted::Begin(_, before) => {
            stream.judge_anew(before);
            Ok(from_the_start(position))
        }
    }
}

/// Everything was looked at.
///
/// # Errors
/// The database's.
pub async fn finish(db: &Db, lease: Lease, stream: &Stream) -> Result<(), SyncError> {
    if stream.before.is_none() {
        return Ok(());
    }
    let judged = Judged {
        by: Some(stream.version.clone()),
        before: None,
    };
    db.run_for(stream.id.mailbox, move |conn| judged::put(conn, lease, &judged))
        .await
}

/// True where both sides were read to their end before, by the present policy and in the present organisation: what is
/// news now, somebody did since. Ask once it was begun.
pub fn is_live(stream: &Stream, position: &Position) -> bool {
    let read_before = position.first_read_done && position.crm.is_some();
    read_before && stream.before.is_none() && !stream.refreshed
}

/// A stream that is read from its start, on both sides.
pub(super) fn from_the_start(position: Position) -> Position {
    Position {
        mailbox: None,
        crm: None,
        first_read_done: false,
        survivors_at: None,
        ..position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::policy::{CategoryRules, ConflictRule, Flow, OutOfScope, TaskForm};

    fn changed(change: impl FnOnce(&mut Policy)) -> Vec<RecordKind> {
        let mut policy = Policy::default();
        change(&mut policy);
        let kinds = RecordKind::ALL.into_iter();
        kinds
            .filter(|kind| differ(*kind, &Policy::default(), &policy))
            .collect()
    }

    #[test]
    fn only_what_says_who_takes_part_has_a_stream_read_again_and_only_the_streams_that_it_concerns() {
        let list = CategoryRules {
            allow: vec!["CRM".to_owned()],
            block: Vec::new(),
        };
        assert_eq!(
            changed(|policy| policy.calendar.past_days = 1),
            [RecordKind::Calendar]
        );
        assert_eq!(
            changed(|policy| policy.calendar.series.most = 1),
            [RecordKind::Calendar]
        );
        assert_eq!(
            changed(|policy| policy.tasks.categories = list.clone()),
            [RecordKind::Tasks]
        );
        assert_eq!(
            changed(|policy| policy.tasks.form = TaskForm::Activity),
            [RecordKind::Tasks]
        );
        assert_eq!(
            changed(|policy| policy.contacts.folders.also = vec!["Customers".to_owned()]),
            [RecordKind::Contacts]
        );
        assert_eq!(
            changed(|policy| policy.contacts.categories = list),
            [RecordKind::Contacts]
        );
        assert_eq!(
            changed(|policy| policy.tasks.common.flow = Flow::ToCrm),
            [RecordKind::Tasks]
        );
        assert_eq!(changed(|policy| policy.mail.past_days += 1), [RecordKind::Mail]);
        assert_eq!(changed(|policy| policy.mail.body = MailBody::None), []);
        assert_eq!(
            changed(|policy| policy.tasks.common.conflict = ConflictRule::CrmWins),
            []
        );
        assert_eq!(
            changed(|policy| policy.tasks.common.out_of_scope = OutOfScope::Remove),
            []
        );
    }
}
