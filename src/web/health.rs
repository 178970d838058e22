//! `/health/live`: the process answers. `/health/ready`: it can do its work, which needs a database that takes
//! writes. `/metrics`: counters for Prometheus; names and numbers, no address and no content.

use super::board;
use super::parts::Parts;
use super::viewer::LocalOrViewer;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, HttpResponseBuilder, web};

/// The process is alive.
pub async fn live() -> HttpResponse {
    told(HttpResponse::Ok(), "alive\n")
}

/// The process can work.
pub async fn ready(parts: web::Data<Parts>) -> HttpResponse {
    match board::takes_writes(&parts.db).await {
        Ok(true) => told(HttpResponse::Ok(), "ready\n"),
        Ok(false) => told(
            HttpResponse::ServiceUnavailable(),
            "not ready: the database takes no writes\n",
        ),
        Err(_) => told(
            HttpResponse::ServiceUnavailable(),
            "not ready: the database does not answer\n",
        ),
    }
}

fn told(mut answer: HttpResponseBuilder, text: &'static str) -> HttpResponse {
    answer.content_type(ContentType::plaintext()).body(text)
}

/// The counters.
pub async fn metrics(parts: web::Data<Parts>, _: LocalOrViewer) -> HttpResponse {
    match parts.metrics.render() {
        Ok(text) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
