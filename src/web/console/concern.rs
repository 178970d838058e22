//! Something that is wrong, in words: what happened, how much of it there is, what to do now.

use super::layout::Moment;
use crate::foundation::explain::Explain as _;
use crate::sync::guard::error::GuardNotice;
use crate::sync::guard::store::HeldTotal;
use crate::sync::model::Side;
use crate::web::advice::{self, Piece};
use crate::web::board::words::{counted, number};
use crate::web::board::{FailureGroup, Filter, StreamState, Summary};
use crate::web::query;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// Something that is wrong.
#[derive(Debug, Clone)]
pub struct Concern {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub happened: Vec<Piece>,
    /// What to do.
    pub next: Vec<Piece>,
    /// `12 items in 3 mailboxes`.
    pub extent: String,
    /// `broken`, `attention`, or `quiet` where Holdfast helps itself.
    pub tone: &'static str,
    /// Whose move it is, in words beside the colour.
    pub whose: &'static str,
    /// The mailboxes that it concerns; none on a page of one mailbox.
    pub href: Option<String>,
    /// When it last happened.
    pub last: Option<Moment>,
    /// When it is tried next.
    pub retry: Option<Moment>,
}

impl Concern {
    /// Whether a person must act.
    pub fn needs_somebody(&self) -> bool {
        self.tone != "quiet"
    }

    fn new(code: &str, tone: &'static str, extent: String) -> Self {
        let advice = advice::of(code);
        let alone = advice.heals_by_itself();
        Self {
            code: code.to_owned(),
            tone: if alone { "quiet" } else { tone },
            whose: if alone {
                "Holdfast tries again"
            } else {
                "Needs you"
            },
            happened: advice.happened,
            next: advice.next,
            extent,
            href: None,
            last: None,
            retry: None,
        }
    }

    /// What keeps one mailbox or stream from going on.
    pub fn of_code(code: &str, state: StreamState, extent: String) -> Self {
        Self::new(code, state.tone(), extent)
    }

    /// Items that failed.
    pub fn of_items(group: &FailureGroup, now: DateTime<Utc>) -> Self {
        let items = counted(group.items, "item", "items");
        let extent = match group.kind {
            Some(kind) => format!("{items} of {}", kind.word()),
            None => format!("{items} in {}", counted(group.mailboxes, "mailbox", "mailboxes")),
        };
        Self {
            last: Some(Moment::new(group.last_at, now)),
            retry: group.next_retry_at.map(|at| Moment::new(at, now)),
            ..Self::new(&group.code, "attention", extent)
        }
    }

    fn leading_to_its_mailboxes(mut self) -> Self {
        let filter = Filter {
            code: Some(self.code.clone()),
            ..Filter::default()
        };
        self.href = Some(query::address(&filter));
        self
    }
}

/// Deletions that wait for a person, in one stream.
pub fn of_held(total: &HeldTotal) -> Concern {
    let extent = format!(
        "{} of {} in the {}",
        counted(total.held, "deletion", "deletions"),
        total.kind.word(),
        side(total.side)
    );
    Concern::new(GuardNotice::DeletionsHeld.code(), "attention", extent)
}

/// The same over all mailboxes; `None` where nothing waits.
pub fn of_all_held(totals: &[HeldTotal]) -> Option<Concern> {
    let mailboxes: BTreeSet<_> = totals.iter().map(|total| total.mailbox.0).collect();
    let count = i64::try_from(mailboxes.len()).unwrap_or(i64::MAX);
    let extent = format!(
        "{} in {}",
        counted(
            totals.iter().map(|total| total.held).sum(),
            "deletion",
            "deletions"
        ),
        counted(count, "mailbox", "mailboxes")
    );
    (count > 0).then(|| Concern::new(GuardNotice::DeletionsHeld.code(), "attention", extent))
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Mailbox => "mailbox",
        Side::Crm => "CRM",
    }
}

/// What stops whole streams, over all mailboxes.
pub fn of_streams(summary: &Summary) -> Vec<Concern> {
    let concern = |trouble: &crate::web::board::Trouble| {
        let extent = counted(trouble.mailboxes, "mailbox", "mailboxes");
        Concern::of_code(&trouble.code, trouble.state, extent).leading_to_its_mailboxes()
    };
    sorted(summary.troubles.iter().map(concern).collect())
}

/// What stops single items, over all mailboxes.
pub fn of_items(groups: &[FailureGroup], now: DateTime<Utc>) -> Vec<Concern> {
    let concern = |group: &FailureGroup| Concern::of_items(group, now).leading_to_its_mailboxes();
    sorted(groups.iter().map(concern).collect())
}

/// What needs somebody first; otherwise as they came.
fn sorted(mut concerns: Vec<Concern>) -> Vec<Concern> {
    concerns.sort_by_key(|concern| !concern.needs_somebody());
    concerns
}

/// How many items failed and whose move that is, in one sentence; `None` where none did.
pub fn said_of_items(groups: &[FailureGroup]) -> Option<String> {
    let all: i64 = groups.iter().map(|group| group.items).sum();
    if all == 0 {
        return None;
    }
    let waiting: i64 = groups
        .iter()
        .filter(|group| !advice::of(&group.code).heals_by_itself())
        .map(|group| group.items)
        .sum();
    let failed = counted(all, "item", "items");
    Some(match waiting {
        0 => format!("{failed} failed and will be tried again."),
        waiting if waiting == all && all == 1 => "1 item failed and needs you.".to_owned(),
        waiting if waiting == all => format!("{failed} failed and need you."),
        1 => format!("{failed} failed; 1 of them needs you."),
        waiting => format!("{failed} failed; {} of them need you.", number(waiting)),
    })
}
