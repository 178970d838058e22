//! Every address that is served, with who may use it. What is not in this table does not exist.

use super::problem::Problem;
use super::{api, console, health};
use crate::access::Permission;
use actix_web::http::Method;
use actix_web::{HttpResponse, Route, web};

/// Who may use an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody who reaches the listener; nothing is told that is not in the product's documents.
    Anybody,
    /// Processes on this machine, and sessions with this right.
    LocalOr(Permission),
    /// Sessions with this right.
    Session(Permission),
}

/// One address.
pub struct Entry {
    /// The method.
    pub method: Method,
    /// The pattern.
    pub path: &'static str,
    /// Who may use it.
    pub who: Who,
    handler: fn() -> Route,
}

const VIEW: Who = Who::Session(Permission::ViewStatus);

/// The table.
pub const TABLE: &[Entry] = &[
    get("/health/live", Who::Anybody, || web::get().to(health::live)),
    get("/health/ready", Who::Anybody, || web::get().to(health::ready)),
    get("/metrics", Who::LocalOr(Permission::ViewStatus), || {
        web::get().to(health::metrics)
    }),
    get("/assets/{name}", Who::Anybody, || {
        web::get().to(console::asset::show)
    }),
    get("/sign-in", Who::Anybody, || web::get().to(console::sign_in::show)),
    post("/sign-in", Who::Anybody, || {
        web::post().to(console::sign_in::enter)
    }),
    post("/sign-out", Who::Anybody, || {
        web::post().to(console::sign_in::leave)
    }),
    get("/", VIEW, || web::get().to(console::overview::show)),
    get("/mailboxes/{id}", VIEW, || web::get().to(console::mailbox::show)),
    get("/failures", VIEW, || web::get().to(console::failures::show)),
    get("/api/status", VIEW, || web::get().to(api::status::show)),
    get("/api/mailboxes", VIEW, || web::get().to(api::mailboxes::show)),
    get("/api/failures", VIEW, || web::get().to(api::failures::show)),
];

const fn get(path: &'static str, who: Who, handler: fn() -> Route) -> Entry {
    Entry {
        method: Method::GET,
        path,
        who,
        handler,
    }
}

const fn post(path: &'static str, who: Who, handler: fn() -> Route) -> Entry {
    Entry {
        method: Method::POST,
        path,
        who,
        handler,
    }
}

/// Puts the table into an application.
pub fn configure(app: &mut web::ServiceConfig) {
    for entry in TABLE {
        app.route(entry.path, (entry.handler)());
    }
    app.default_service(web::to(nothing_here));
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::NoSuchPage)
}
