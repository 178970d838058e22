//! `GET /api/status`: the answer, how mailboxes and record types stand, and the counts.

use crate::access::Resource;
use crate::sync::budget::store::BudgetStatus;
use crate::sync::control;
use crate::sync::store::nodes::NodeStatus;
use crate::web::board::totals::{Count, TotalsCache};
use crate::web::board::{self, KindSummary, StreamState, Trouble, words};
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Status {
    as_of: DateTime<Utc>,
    answer: String,
    in_step: bool,
    slowest_ms: Option<i32>,
    mailboxes: BTreeMap<&'static str, i64>,
    kinds: Vec<KindSummary>,
    troubles: Vec<Trouble>,
    items: Count,
    nodes: Vec<NodeStatus>,
    budgets: Vec<BudgetStatus>,
}

/// Serves it.
///
/// # Errors
/// [`Problem`].
pub async fn show(
    viewer: Viewer,
    parts: web::Data<Parts>,
    cache: web::Data<TotalsCache>,
) -> Result<HttpResponse, Problem> {
    let granted = viewer.may_view(Resource::Appliance)?;
    let summary = board::summary(&parts.db, &parts.clock, &granted).await?;
    let items = cache.get(&parts.db, &parts.clock, &granted).await?.all();
    let settled = summary.count(StreamState::InStep) + summary.count(StreamState::Paused);
    Ok(HttpResponse::Ok().json(Status {
        as_of: parts.clock.now(),
        answer: words::answer(&summary),
        in_step: settled == summary.all() && items.failed == 0,
        slowest_ms: summary.slowest_ms(),
        mailboxes: summary
            .mailboxes
            .iter()
            .map(|(state, count)| (state.word(), *count))
            .collect(),
        kinds: summary.kinds,
        troubles: summary.troubles,
        items,
        nodes: control::nodes(&parts.db, &parts.clock, &granted).await?,
        budgets: control::budgets(&parts.db, &parts.clock, &granted).await?,
    }))
}
