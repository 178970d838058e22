//! The guard in the middle of a turn: which deletions of a page are carried out, and what a person's
//! decision brings back into the turn.

use super::limits::Limits;
use super::plan::{Decision, Evidence, Judgement, judge};
use super::store::{self, Held};
use crate::crm::model::{CrmChange, CrmId};
use crate::foundation::db::Db;
use crate::mailbox::model::ItemId;
use crate::mailbox::series::DateId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::gather::{Pending, Work};
use crate::sync::model::{Change, ItemKey, Link, Reason, Scope, Side, Verdict};
use crate::sync::stream::Stream;
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};

/// Decided deletions that one turn deals with; the others are dealt with by the next ones.
const DECIDED_A_TURN: i64 = 1_000;

/// A page's verdicts after the guard has seen them.
#[derive(Default)]
pub struct Guarded {
    /// To be carried out.
    pub works: Vec<(Work, Verdict)>,
    /// To be put into quarantine.
    pub held: Vec<Held>,
    /// What waits is neither failed nor left alone.
    pub settled: Vec<(Side, ItemKey)>,
}

/// Where a verdict deletes; `None` where it does not.
fn deletes(verdict: &Verdict) -> Option<Side> {
    match verdict {
        Verdict::DeleteInCrm { .. } => Some(Side::Crm),
        Verdict::DeleteInMailbox { .. } => Some(Side::Mailbox),
        _ => None,
    }
}

/// Why a side is to be deleted of which the other one still exists.
fn because(verdict: &Verdict) -> Option<Reason> {
    match verdict {
        Verdict::DeleteInCrm { because } | Verdict::DeleteInMailbox { because } => *because,
        _ => None,
    }
}

/// Lets a page's deletions pass the guard.
///
/// # Errors
/// The database's.
pub async fn guarded(
    db: &Db,
    stream: &Stream,
    planned: Vec<(Work, Verdict)>,
    evidence: Evidence,
) -> Result<Guarded, SyncError> {
    let mut guarded = Guarded::default();
    let limits = match stream.policy.guard.of(stream.kind()) {
        Some(limits) if planned.iter().any(|(_, verdict)| deletes(verdict).is_some()) => limits,
        _ => {
            guarded.works = planned;
            return Ok(guarded);
        }
    };
    let mut towards: [(Side, Vec<(Work, Verdict)>); 2] =
        [Side::Crm, Side::Mailbox].map(|side| (side, Vec::new()));
    for (work, verdict) in planned {
        let side = deletes(&verdict).filter(|_| work.link.is_some());
        match towards.iter_mut().find(|(of, _)| Some(*of) == side) {
            Some((_, deletions)) => deletions.push((work, verdict)),
            None => guarded.works.push((work, verdict)),
        }
    }
    for (side, deletions) in towards {
        // What left was looked at where it lies; nobody need wonder whether it still exists.
        let left = |(_, verdict): &(Work, Verdict)| because(verdict).is_some();
        let evidence = match deletions.iter().all(left) {
            true => Evidence::Said,
            false => evidence,
        };
        let judgements = judgements(db, stream, side, limits, &deletions, evidence).await?;
        for ((work, verdict), judgement) in deletions.into_iter().zip(judgements) {
            guarded.add(stream, work, verdict, side, judgement);
        }
    }
    Ok(guarded)
}

async fn judgements(
    db: &Db,
    stream: &Stream,
    side: Side,
    limits: Limits,
    deletions: &[(Work, Verdict)],
    evidence: Evidence,
) -> Result<Vec<Judgement>, SyncError> {
    if deletions.is_empty() {
        return Ok(Vec::new());
    }
    let limit = match side {
        Side::Crm => limits.in_crm,
        Side::Mailbox => limits.in_mailbox,
    };
    let keys: Vec<ItemKey> = deletions
        .iter()
        .filter_map(|(work, _)| Some(work.link.as_ref()?.key))
        .collect();
    let since = stream.now - TimeDelta::hours(stream.policy.guard.period_hours.into());
    let (id, asked) = (stream.id, keys.clone());
    let (decisions, standing) = db
        .run_for(id.mailbox, move |conn| {
            let decisions = store::decisions(conn, id, &asked)?;
            Ok::<_, SyncError>((decisions, store::standing(conn, id, side, since)?))
        })
        .await?;
    let asked: Vec<Option<Decision>> = keys.iter().map(|key| decisions.get(key).copied()).collect();
    let acts = acts(deletions, &asked);
    let distinct: Vec<Option<Decision>> = acts.iter().map(|(decision, _)| *decision).collect();
    let mut judged: Vec<Option<Judgement>> = vec![None; deletions.len()];
    for (judgement, (_, places)) in judge(&distinct, evidence, standing, limit).into_iter().zip(acts) {
        for place in places {
            if let Some(slot) = judged.get_mut(place) {
                *slot = Some(judgement);
            }
        }
    }
    Ok(judged
        .into_iter()
        .map(|judgement| judgement.unwrap_or(Judgement::Hold))
        .collect())
}

/// Deletions by what one person did: who changes the rule of a series, or deletes it, takes all of its dates away
/// at once. Each with the places of its deletions.
fn acts(deletions: &[(Work, Verdict)], asked: &[Option<Decision>]) -> Vec<(Option<Decision>, Vec<usize>)> {
    let mut acts: Vec<(Option<Decision>, Vec<usize>)> = Vec::new();
    let mut of_series: HashMap<ItemId, usize> = HashMap::new();
    for (place, ((work, _), decision)) in deletions.iter().zip(asked).enumerate() {
        let item = work.link.as_ref().and_then(|link| link.item.as_ref());
        let series = item.and_then(DateId::of).filter(|_| decision.is_none());
        let known = series.as_ref().and_then(|date| of_series.get(&date.series));
        match known.and_then(|at| acts.get_mut(*at)) {
            Some((_, places)) => places.push(place),
            None => {
                if let Some(date) = series {
                    of_series.insert(date.series, acts.len());
                }
                acts.push((*decision, vec![place]));
            }
        }
    }
    acts
}

impl Guarded {
    fn add(&mut self, stream: &Stream, work: Work, verdict: Verdict, side: Side, judgement: Judgement) {
        match judgement {
            Judgement::CarryOut => self.works.push((work, verdict)),
            Judgement::Restore => match restored(stream, &work, &verdict) {
                Some(verdict) => self.works.push((work, verdict)),
                None => self.settled.push((work.origin, work.key())),
            },
            Judgement::GoOnHolding => self.settled.push((work.origin, work.key())),
            Judgement::Hold => {
                self.settled.push((work.origin, work.key()));
                let because = because(&verdict);
                self.held.extend(work.link.as_ref().map(|link| Held {
                    side,
                    key: link.key,
                    item: link.item.clone(),
                    crm: link.crm.clone(),
                    because,
                }));
            }
        }
    }
}

/// What a refused deletion becomes: the lost item is made again from what the other side has. Where that is
/// not possible, the two are linked no more. `None` leaves everything as it is: the item still exists on both
/// sides.
fn restored(stream: &Stream, work: &Work, verdict: &Verdict) -> Option<Verdict> {
    let flow = stream.common.flow;
    Some(match verdict {
        Verdict::DeleteInCrm { because: Some(_) } | Verdict::DeleteInMailbox { because: Some(_) } => {
            return None;
        }
        Verdict::DeleteInCrm { because: None } if flow.to_mailbox() && work.crm_record.is_some() => {
            Verdict::CreateInMailbox
        }
        Verdict::DeleteInMailbox { because: None } if flow.to_crm() && work.item_record.is_some() => {
            Verdict::CreateInCrm
        }
        _ => Verdict::Unlink,
    })
}

/// Decided deletions of a turn.
#[derive(Default)]
pub struct BroughtBack {
    /// Their items, to be read whatever the feeds say.
    pub items: Vec<ItemId>,
    /// Their keys: what is found to be in step after all has left the quarantine.
    pub keys: HashSet<ItemKey>,
    /// Those of them that were to be deleted because a side took part no more, and a person agreed.
    pub left: HashSet<ItemKey>,
}

impl BroughtBack {
    /// What left when its deletion was held has left now that it is approved, though by this time it was long out.
    pub fn still_left(&self, works: &mut [Work]) {
        let left = |link: &Link| self.left.contains(&link.key);
        for work in works
            .iter_mut()
            .filter(|work| work.link.as_ref().is_some_and(left))
        {
            for change in [&mut work.pair.mailbox, &mut work.pair.crm] {
                if let Some(Change::Upserted(seen)) = change
                    && let Scope::Out(reason) = seen.scope
                {
                    seen.scope = Scope::Left(reason);
                }
            }
        }
    }
}

/// Brings what a person has decided about back into the turn, as it is now: both sides are asked again, since
/// either may have changed while the deletion waited.
///
/// # Errors
/// The database's, or the CRM's.
pub async fn bring_back(db: &Db, stream: &Stream, pending: &mut Pending) -> Result<BroughtBack, SyncError> {
    let mut back = BroughtBack::default();
    if stream.kind() == RecordKind::Mail {
        return Ok(back);
    }
    let id = stream.id;
    let decided = db
        .run_for(id.mailbox, move |conn| store::decided(conn, id, DECIDED_A_TURN))
        .await?;
    if decided.is_empty() {
        return Ok(back);
    }
    let ids: Vec<CrmId> = decided.iter().map(|one| one.crm.clone()).collect();
    let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
    for (one, record) in decided.into_iter().zip(records) {
        match (record, one.side) {
            (Some(record), _) => pending.add(stream, CrmChange::Upserted(Box::new(record))),
            // It was seen to be deleted when it was held; where there is a reason it was not.
            (None, Side::Mailbox) if one.because.is_none() => {
                pending.add(stream, CrmChange::Deleted(one.crm))
            }
            (None, Side::Mailbox | Side::Crm) => {}
        }
        back.keys.insert(one.key);
        // A refused one with a reason does not come back.
        back.left.extend(one.because.map(|_| one.key));
        back.items.extend(one.item);
    }
    Ok(back)
}

/// What is not to be made again until a person lifts it.
pub type Lasting = HashMap<(Side, ItemKey), Reason>;

/// Verdicts that would make what is not to be made again become skips with the lasting reason.
pub fn barred(planned: &mut [(Work, Verdict)], lasting: &Lasting) {
    if lasting.is_empty() {
        return;
    }
    for (work, verdict) in planned {
        if !matches!(verdict, Verdict::CreateInCrm | Verdict::CreateInMailbox) {
            continue;
        }
        let found = work.keys().find_map(|key| lasting.get(&key));
        if let Some(reason) = found {
            *verdict = Verdict::Skip(*reason);
        }
    }
}
