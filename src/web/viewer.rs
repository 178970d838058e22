//! Who is at the console. A handler that has a [`Viewer`] among its arguments runs for nobody without a
//! session; and the board gives nothing away without the grant that only a viewer can ask for.

use super::cookie;
use super::parts::Parts;
use super::problem::Problem;
use crate::access::permission::ViewStatus;
use crate::access::{Granted, Principal, Resource, authorize};
use crate::identity::session::{self, Presence};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::Future;
use std::pin::Pin;

/// The header with which the script says that the page asks by itself and nobody has touched it meanwhile:
/// a page that lies open must not keep its session alive.
pub const UNATTENDED: &str = "x-holdfast-unattended";

/// Somebody with a good session.
#[derive(Debug)]
pub struct Viewer {
    principal: Principal,
}

impl Viewer {
    /// Asks for the right to see how things stand.
    ///
    /// # Errors
    /// [`Problem::Access`].
    pub fn may_view(&self, resource: Resource) -> Result<Granted<ViewStatus>, Problem> {
        Ok(authorize(&self.principal, ViewStatus, resource)?)
    }
}

/// Looks the request's session up.
async fn look(request: &HttpRequest) -> Result<Viewer, Problem> {
    let token = cookie::sent(request).ok_or(Problem::NotSignedIn)?;
    let parts = request
        .app_data::<web::Data<Parts>>()
        .ok_or(Problem::NotSignedIn)?;
    let presence = if request.headers().contains_key(UNATTENDED) {
        Presence::Nobody
    } else {
        Presence::Person
    };
    session::find(&parts.db, &parts.clock, &token, parts.lifetime, presence)
        .await?
        .map(|_| Viewer {
            principal: Principal::ConsoleSession,
        })
        .ok_or(Problem::NotSignedIn)
}

impl FromRequest for Viewer {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { look(&request).await })
    }
}

/// Somebody with a good session, or a process on this machine: a monitoring agent has no browser.
#[derive(Debug)]
pub struct LocalOrViewer;

impl FromRequest for LocalOrViewer {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let local = request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
            if local {
                return Ok(Self);
            }
            look(&request).await?.may_view(Resource::Appliance).map(|_| Self)
        })
    }
}
