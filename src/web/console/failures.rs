//! What is wrong, by code: what happened, how much of it there is, and what to do.

use super::concern::{self, Concern};
use super::layout::{Head, Section, page};
use crate::access::Resource;
use crate::web::board;
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use askama::Template;

#[derive(Template)]
#[template(path = "failures.html")]
struct FailuresPage {
    head: Head,
    answer: String,
    streams: Vec<Concern>,
    items: Vec<Concern>,
}

/// Serves it.
///
/// # Errors
/// [`Problem`].
pub async fn show(viewer: Viewer, parts: web::Data<Parts>) -> Result<HttpResponse, Problem> {
    let granted = viewer.may_view(Resource::Appliance)?;
    let summary = board::summary(&parts.db, &parts.clock, &granted).await?;
    let groups = board::failures(&parts.db, &granted).await?;
    let now = parts.clock.now();
    let streams = concern::of_streams(&summary);
    let answer = match (concern::said_of_items(&groups), streams.is_empty()) {
        (None, true) => "Nothing is wrong.".to_owned(),
        (None, false) => "No single item failed, but whole streams are held up.".to_owned(),
        (Some(said), true) => said,
        (Some(said), false) => format!("{said} Whole streams are held up as well."),
    };
    Ok(page(&FailuresPage {
        head: Head::inside("Failures", Section::Failures, now),
        answer,
        streams,
        items: concern::of_items(&groups, now),
    })?)
}
