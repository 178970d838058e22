//! Who runs the command, and the parts that it works with.

use super::outcome::CliError;
use crate::access::permission::{Right, ViewStatus};
use crate::access::principal::Principal;
use crate::access::resource::Resource;
use crate::access::{Granted, authorize};
use crate::app::App;
use crate::foundation::config::Settings;
use crate::sync::control;
use crate::sync::store::mailboxes::MailboxRow;

/// Opens everything, does the work, and closes, however the work ended: the egress ledger gets the rows of
/// failed connections as well.
pub async fn with<T>(
    settings: Settings,
    work: impl AsyncFnOnce(&Session) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let session = Session::open(settings).await?;
    let done = work(&session).await;
    session.app.close().await;
    done
}

/// The open parts, and who asks.
pub struct Session {
    /// The parts.
    pub app: App,
    principal: Principal,
}

impl Session {
    /// Opens everything for the local operator.
    pub async fn open(settings: Settings) -> Result<Self, CliError> {
        let user = format!("#{}", rustix::process::getuid().as_raw());
        Ok(Self {
            app: App::open(settings).await?,
            principal: Principal::LocalOperator { user },
        })
    }

    /// Asks for a right on the whole appliance.
    pub fn may<R: Right>(&self, right: R) -> Result<Granted<R>, CliError> {
        Ok(authorize(&self.principal, right, Resource::Appliance)?)
    }

    /// The mailbox of an address.
    pub async fn mailbox(&self, address: &str) -> Result<MailboxRow, CliError> {
        Ok(control::find_mailbox(&self.app.db, &self.may(ViewStatus)?, address).await?)
    }

    /// Every mailbox.
    pub async fn mailboxes(&self) -> Result<Vec<MailboxRow>, CliError> {
        Ok(control::list_mailboxes(&self.app.db, &self.may(ViewStatus)?).await?)
    }
}
