//! `GET /api/failures`: items that failed, by code, each with what happened and what to do.

use crate::access::Resource;
use crate::web::advice::{self, Advice};
use crate::web::board::{self, FailureGroup};
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use serde::Serialize;

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    group: FailureGroup,
    #[serde(flatten)]
    advice: Advice,
    heals_by_itself: bool,
}

/// Serves them.
///
/// # Errors
/// [`Problem`].
pub async fn show(viewer: Viewer, parts: web::Data<Parts>) -> Result<HttpResponse, Problem> {
    let granted = viewer.may_view(Resource::Appliance)?;
    let groups = board::failures(&parts.db, &granted).await?;
    let entries: Vec<Entry> = groups
        .into_iter()
        .map(|group| {
            let advice = advice::of(&group.code);
            Entry {
                heals_by_itself: advice.heals_by_itself(),
                advice,
                group,
            }
        })
        .collect();
    Ok(HttpResponse::Ok().json(entries))
}
