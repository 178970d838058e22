//! The decision.

use super::error::AccessError;
use super::permission::{Permission, Right};
use super::principal::Principal;
use super::resource::Resource;
use std::marker::PhantomData;

/// Proof that somebody was asked for and given a right. Made in this file and nowhere else.
#[derive(Debug)]
pub struct Granted<R: Right> {
    holder: Holder,
    resource: Resource,
    right: PhantomData<R>,
}

#[derive(Debug)]
enum Holder {
    Principal(Principal),
    System { reason: &'static str },
}

impl<R: Right> Granted<R> {
    /// For what it was given.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// Who acts, in words for the record.
    pub fn holder(&self) -> String {
        match &self.holder {
            Holder::Principal(principal) => principal.title(),
            Holder::System { reason } => format!("The system ({reason})"),
        }
    }
}

/// Asks whether `principal` may do what `right` stands for to `resource`.
///
/// # Errors
/// [`AccessError::NotPermitted`].
pub fn authorize<R: Right>(
    principal: &Principal,
    right: R,
    resource: Resource,
) -> Result<Granted<R>, AccessError> {
    // The value only chooses the type.
    let _ = right;
    if !permits(principal, R::PERMISSION) {
        return Err(AccessError::NotPermitted {
            principal: principal.clone(),
            permission: R::PERMISSION,
        });
    }
    Ok(Granted {
        holder: Holder::Principal(principal.clone()),
        resource,
        right: PhantomData,
    })
}

/// The system acts on its own behalf: nobody asked, and nobody could be asked. Every caller is listed, with
/// its reason, in tests/it/access.rs.
pub fn granted_to_system<R: Right>(right: R, reason: &'static str) -> Granted<R> {
    let _ = right;
    Granted {
        holder: Holder::System { reason },
        resource: Resource::Appliance,
        right: PhantomData,
    }
}

/// The console is read-only: a stolen session can look at counts and codes and change nothing.
fn permits(principal: &Principal, permission: Permission) -> bool {
    match principal {
        Principal::LocalOperator { .. } => true,
        Principal::ConsoleSession => permission == Permission::ViewStatus,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_session_may_look_and_nothing_else() {
        for permission in Permission::ALL {
            let may = permits(&Principal::ConsoleSession, permission);
            assert_eq!(may, permission == Permission::ViewStatus, "{permission:?}");
        }
    }

    #[test]
    fn the_local_operator_may_do_everything() {
        let operator = Principal::LocalOperator { user: "root".into() };
        assert!(
            Permission::ALL
                .into_iter()
                .all(|permission| permits(&operator, permission))
        );
    }
}
