//! What an operator may ask of choices.

use super::model::{Choice, Stage, State};
use super::store;
use crate::access::Granted;
use crate::access::permission::{Explain, ManageMailboxes, ReadNames};
use crate::crm::model::CrmId;
use crate::foundation::clock::Clock;
use crate::foundation::content::Content;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::failed::name::name_of;
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::store::streams;
use std::collections::{HashMap, HashSet};

/// Items read in one call, for their names.
const READ_BATCH: usize = 100;

/// What a person decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is the same as its counterpart: the only one, or this one.
    Accept {
        /// Which, where there are several.
        with: Option<CrmId>,
    },
    /// It is nobody's counterpart: made anew on the other side, and its candidates likewise.
    New,
    /// It is left alone, and so are its candidates.
    Never,
}

/// Which choices.
#[derive(Debug, Clone, Default)]
pub struct Which {
    /// By their numbers; all that wait where there are none.
    pub ids: Vec<i64>,
    /// Only of this record type.
    pub kind: Option<RecordKind>,
    /// Only found by this.
    pub stage: Option<Stage>,
}

impl Which {
    fn has(&self, row: &Choice) -> bool {
        let named = match self.ids.is_empty() {
            true => row.state == State::Held,
            false => self.ids.contains(&row.id),
        };
        named
            && self.kind.is_none_or(|kind| kind == row.kind)
            && self.stage.is_none_or(|stage| stage == row.candidates.stage)
    }
}

/// What waits in a mailbox, and what was decided and not carried out yet, by ids.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, _: &Granted<Explain>, mailbox: MailboxId) -> Result<Vec<Choice>, SyncError> {
    db.run_for(mailbox, move |conn| store::of_mailbox(conn, mailbox))
        .await
}

/// What the items and records of these choices are called, read from both sides now; nothing of it is kept.
#[derive(Default)]
pub struct Names {
    /// By the mailbox's ids.
    pub items: HashMap<ItemId, Content<String>>,
    /// By the CRM's.
    pub records: HashMap<CrmId, Content<String>>,
}

/// Reads the names. What cannot be read has none.
///
/// # Errors
/// A side's that cannot be asked at all.
pub async fn names(
    engine: &Engine,
    _: &Granted<ReadNames>,
    row: &MailboxRow,
    choices: &[Choice],
) -> Result<Names, SyncError> {
    let (server, crm) = (engine.mail_server(&row.mail_server)?, engine.crm(&row.crm)?);
    let mut names = Names::default();
    for kind in [RecordKind::Contacts, RecordKind::Tasks] {
        let of_kind = || choices.iter().filter(|choice| choice.kind == kind);
        let items: Vec<ItemId> = of_kind().filter_map(|choice| choice.item.clone()).collect();
        for batch in items.chunks(READ_BATCH) {
            let read = server.read(&row.mailbox, kind, batch).await?;
            let named = batch.iter().zip(read);
            names
                .items
                .extend(named.filter_map(|(id, item)| Some((id.clone(), name_of(&item.ok()?.record)?))));
        }
        let records: HashSet<CrmId> = of_kind()
            .flat_map(|choice| choice.crm.iter().chain(&choice.candidates.records))
            .cloned()
            .collect();
        let records: Vec<CrmId> = records.into_iter().collect();
        for batch in records.chunks(READ_BATCH) {
            let read = crm.read(&row.user, kind, batch).await?;
            let named = batch.iter().zip(read);
            names
                .records
                .extend(named.filter_map(|(id, record)| Some((id.clone(), name_of(&record?.record)?))));
        }
    }
    Ok(names)
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Decided {
    /// So many are carried out by the next turn.
    pub decided: usize,
    /// So many go on waiting: which counterpart is meant, or whether there is one, cannot be told.
    pub left: usize,
}

/// Decides. The next turn, which is due at once, carries it out.
///
/// # Errors
/// The database's.
pub async fn decide(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    mailbox: MailboxId,
    which: Which,
    decision: Decision,
) -> Result<Decided, SyncError> {
    let now = clock.now();
    let word = match &decision {
        Decision::Accept { .. } => State::Accepted,
        Decision::New => State::New,
        Decision::Never => State::Never,
    };
    let decided = db
        .run_for(mailbox, move |conn| {
            let rows = store::of_mailbox(conn, mailbox)?;
            let mut standing = Standing::of(&rows);
            let mut decided = Decided::default();
            for row in rows.iter().filter(|row| which.has(row)) {
                let named = !which.ids.is_empty();
                match standing.decide(row, &decision, named) {
                    Some(changed) => {
                        store::decide(conn, mailbox, &changed)?;
                        decided.decided += 1;
                    }
                    None => decided.left += 1,
                }
            }
            streams::make_due(conn, mailbox, now)?;
            Ok::<_, SyncError>(decided)
        })
        .await?;
    tracing::info!(
        by = granted.holder(),
        %mailbox,
        count = decided.decided,
        decision = word.word(),
        "choices were made"
    );
    Ok(decided)
}

/// Who waits for which record, while decisions are made one after the other.
struct Standing {
    /// So many wait for it.
    wanted: HashMap<CrmId, usize>,
    /// Somebody has it.
    given: HashSet<CrmId>,
}

impl Standing {
    fn of(rows: &[Choice]) -> Self {
        let mut wanted: HashMap<CrmId, usize> = HashMap::new();
        for row in rows.iter().filter(|row| row.state == State::Held) {
            for record in &row.candidates.records {
                *wanted.entry(record.clone()).or_default() += 1;
            }
        }
        let given = rows.iter().filter_map(|row| row.chosen.clone()).collect();
        Self { wanted, given }
    }

    /// The rows that a decision about one changes; `None` where it cannot be carried out. Records that waited for this
    /// one alone become rows of their own, so that each row says all about itself: of a decision that is half carried
    /// out, the rest is still to be done.
    fn decide(&mut self, row: &Choice, decision: &Decision, named: bool) -> Option<Vec<Choice>> {
        let records = &row.candidates.records;
        let (state, chosen) = match decision {
            Decision::Accept { with } => {
                let meant = match (with, records.as_slice()) {
                    (Some(with), _) if records.contains(with) => with,
                    (None, [only]) => only,
                    _ => return None,
                };
                // Several may be this one; which, only a person can say.
                let contested = self.wanted.get(meant).is_some_and(|count| *count > 1);
                if self.given.contains(meant) || (contested && !named) {
                    return None;
                }
                self.given.insert(meant.clone());
                (State::Accepted, Some(meant.clone()))
            }
            Decision::New => (State::New, None),
            Decision::Never => (State::Never, None),
        };
        let mut changed = vec![Choice {
            state,
            chosen: chosen.clone(),
            ..row.clone()
        }];
        for record in records {
            if row.state == State::Held
                && let Some(count) = self.wanted.get_mut(record)
            {
                *count = count.saturating_sub(1);
            }
            let waits_elsewhere = self.wanted.get(record).is_some_and(|count| *count > 0);
            if waits_elsewhere || self.given.contains(record) {
                continue;
            }
            // Of one that was not chosen nothing was said yet.
            let of_it = match state {
                State::Accepted => State::Held,
                other => other,
            };
            changed.push(row.by_itself(record, of_it));
        }
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::choice::model::Candidates;
    use crate::sync::model::{ItemKey, Side};
    use chrono::DateTime;

    fn row(number: i64, records: &[&str]) -> Choice {
        Choice {
            id: number,
            kind: RecordKind::Contacts,
            side: Side::Mailbox,
            key: ItemKey(number),
            item: Some(ItemId(format!("item {number}"))),
            crm: None,
            candidates: Candidates {
                stage: Stage::Phone,
                records: records.iter().map(|id| CrmId((*id).to_owned())).collect(),
            },
            state: State::Held,
            chosen: None,
            held_at: DateTime::UNIX_EPOCH,
        }
    }

    fn told(changed: Option<Vec<Choice>>) -> Vec<(Side, State)> {
        let rows = changed.unwrap_or_default();
        rows.into_iter().map(|row| (row.side, row.state)).collect()
    }

    const ANY: Decision = Decision::Accept { with: None };

    #[test]
    fn what_several_may_be_is_given_to_none_of_them_unless_a_person_names_it() {
        let rows = [row(1, &["a"]), row(2, &["a"]), row(3, &["b", "c"])];
        let mut standing = Standing::of(&rows);
        assert_eq!(standing.decide(&rows[0], &ANY, false), None);
        assert_eq!(standing.decide(&rows[2], &ANY, true), None);
        let accepted = [(Side::Mailbox, State::Accepted)];
        assert_eq!(told(standing.decide(&rows[0], &ANY, true)), accepted);
        // It is given away now.
        assert_eq!(standing.decide(&rows[1], &ANY, true), None);
        let with = Decision::Accept {
            with: Some(CrmId("c".into())),
        };
        let chosen = told(standing.decide(&rows[2], &with, true));
        assert_eq!(
            chosen,
            [(Side::Mailbox, State::Accepted), (Side::Crm, State::Held)]
        );
    }

    #[test]
    fn a_decision_about_an_item_is_one_about_its_candidates_as_far_as_nobody_else_waits_for_them() {
        let rows = [row(1, &["a", "b"]), row(2, &["b"])];
        for (decision, state) in [(Decision::New, State::New), (Decision::Never, State::Never)] {
            let mut standing = Standing::of(&rows);
            let first = told(standing.decide(&rows[0], &decision, false));
            assert_eq!(first, [(Side::Mailbox, state), (Side::Crm, state)]);
            let second = standing.decide(&rows[1], &decision, false).unwrap();
            assert_eq!(second[1].crm, Some(CrmId("b".into())));
        }
    }
}
