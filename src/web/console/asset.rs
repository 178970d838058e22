//! Serves a file of [`crate::web::assets`].

use crate::web::assets::Asset;
use crate::web::problem::Problem;
use actix_web::{HttpResponse, web};

/// Serves one.
///
/// # Errors
/// [`Problem::NoSuchPage`] where no file has this name.
pub async fn show(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    Ok(Asset::named(&name).ok_or(Problem::NoSuchPage)?.answer())
}
