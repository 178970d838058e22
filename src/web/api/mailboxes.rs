//! `GET /api/mailboxes?state=&code=&text=&order=&page=`: fifty mailboxes with their streams and counts.

use crate::access::Resource;
use crate::web::board::totals::{Count, TotalsCache};
use crate::web::board::{self, MailboxLine, ROWS};
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::query::ListQuery;
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use serde::Serialize;

#[derive(Serialize)]
struct List {
    total: i64,
    page: i64,
    page_size: i64,
    mailboxes: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    line: MailboxLine,
    items: Count,
}

/// Serves them.
///
/// # Errors
/// [`Problem`].
pub async fn show(
    viewer: Viewer,
    parts: web::Data<Parts>,
    cache: web::Data<TotalsCache>,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let granted = viewer.may_view(Resource::Appliance)?;
    let filter = query.filter();
    let number = filter.page;
    let totals = cache.get(&parts.db, &parts.clock, &granted).await?;
    let page = board::page(&parts.db, &parts.clock, &granted, filter).await?;
    Ok(HttpResponse::Ok().json(List {
        total: page.total,
        page: number,
        page_size: ROWS,
        mailboxes: page
            .rows
            .into_iter()
            .map(|line| Entry {
                items: totals.mailbox(line.id),
                line,
            })
            .collect(),
    }))
}
