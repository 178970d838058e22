//! The listener and its limits.

use super::board::totals::TotalsCache;
use super::error::WebError;
use super::parts::Parts;
use super::tries::Tries;
use super::{middleware, routes, tls};
use crate::foundation::config::Settings;
use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// Threads of the page: it is looked at by few.
const WORKERS: usize = 2;
/// What a form may be long.
const FORM_LIMIT: usize = 8 * 1024;

/// An address that is ours, and TLS for it; not served yet.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    tls: rustls::ServerConfig,
}

impl Listener {
    /// Where the page is: with the port that the system chose where the setting says 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Takes the address of `web.listen` and reads or makes the certificate.
///
/// # Errors
/// [`WebError`].
pub fn listen(settings: &Settings) -> Result<Listener, WebError> {
    let tls = tls::config(settings)?;
    let failed = |source| WebError::Listen {
        address: settings.web.listen,
        source,
    };
    let socket = TcpListener::bind(settings.web.listen).map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Listener { socket, address, tls })
}

/// Serves until the handle stops it; signals are the service's business.
///
/// # Errors
/// [`WebError::Ended`], [`WebError::Listen`].
pub fn serve(
    listener: Listener,
    parts: Parts,
) -> Result<(ServerHandle, impl Future<Output = Result<(), WebError>>), WebError> {
    let Listener { socket, address, tls } = listener;
    let data = web::Data::new(parts);
    // One of each for all threads of the page.
    let totals = web::Data::new(TotalsCache::default());
    let tries = web::Data::new(Tries::default());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(middleware::around))
            .wrap(Compress::default())
            .app_data(data.clone())
            .app_data(totals.clone())
            .app_data(tries.clone())
            .app_data(web::FormConfig::default().limit(FORM_LIMIT))
            .configure(routes::configure)
    })
    .workers(WORKERS)
    .client_request_timeout(Duration::from_secs(10))
    .disable_signals()
    .listen_rustls_0_23(socket, tls)
    .map_err(|source| WebError::Listen { address, source })?
    .run();
    let handle = server.handle();
    Ok((handle, async move { server.await.map_err(WebError::Ended) }))
}
