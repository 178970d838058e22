//! `/health/live`: the process answers. `/health/ready`: it can do its work, which needs the database.
//! `/metrics`: counters for Prometheus; names and numbers, no address and no content.

use super::parts::Parts;
use crate::foundation::db::DbError;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, get, web};

/// The process is alive.
#[get("/health/live")]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::plaintext())
        .body("alive\n")
}

/// The process can work.
#[get("/health/ready")]
pub async fn ready(parts: web::Data<Parts>) -> HttpResponse {
    match parts.db.run(|_| Ok::<_, DbError>(())).await {
        Ok(()) => HttpResponse::Ok()
            .content_type(ContentType::plaintext())
            .body("ready\n"),
        Err(_) => HttpResponse::ServiceUnavailable()
            .content_type(ContentType::plaintext())
            .body("not ready: the database does not answer\n"),
    }
}

/// The counters.
#[get("/metrics")]
pub async fn metrics(parts: web::Data<Parts>) -> HttpResponse {
    match parts.metrics.render() {
        Ok(text) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
