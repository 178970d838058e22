//! Exchange's response codes in our words, by table. A code that is not in the table refuses its item.
//!
//! Source: "ResponseCode" in the EWS reference; "EWS throttling in Exchange".

use super::wire::answer::Fault;
use crate::mailbox::error::MailboxError;
use std::time::Duration;

/// Where Exchange asks for patience without saying how much.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(60);

/// What a code means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Busy,
    Passing,
    OutsideScope,
    MayNotImpersonate,
    NoSuchMailbox,
    SignIn,
    Gone,
    Conflict,
    CursorLost,
    BadRequest,
}

const TABLE: &[(&str, Meaning)] = &[
    ("ErrorServerBusy", Meaning::Busy),
    ("ErrorExceededConnectionCount", Meaning::Busy),
    ("ErrorTooManyObjectsOpened", Meaning::Passing),
    ("ErrorTimeoutExpired", Meaning::Passing),
    ("ErrorInternalServerError", Meaning::Passing),
    ("ErrorInternalServerTransientError", Meaning::Passing),
    ("ErrorMailboxStoreUnavailable", Meaning::Passing),
    ("ErrorMailboxMoveInProgress", Meaning::Passing),
    ("ErrorMailboxFailover", Meaning::Passing),
    ("ErrorCrossSiteRequest", Meaning::Passing),
    ("ErrorConnectionFailed", Meaning::Passing),
    ("ErrorBatchProcessingStopped", Meaning::Passing),
    ("ErrorImpersonationFailed", Meaning::Passing),
    ("ErrorADUnavailable", Meaning::Passing),
    ("ErrorADOperation", Meaning::Passing),
    ("ErrorInsufficientResources", Meaning::Passing),
    ("ErrorNotEnoughMemory", Meaning::Passing),
    ("ErrorRequestAborted", Meaning::Passing),
    ("ErrorClientDisconnected", Meaning::Passing),
    ("ErrorProxyCallFailed", Meaning::Passing),
    ("ErrorProxyServiceDiscoveryFailed", Meaning::Passing),
    ("ErrorNoRespondingCASInDestinationSite", Meaning::Passing),
    ("ErrorImpersonateUserDenied", Meaning::OutsideScope),
    ("ErrorImpersonationDenied", Meaning::MayNotImpersonate),
    ("ErrorNonExistentMailbox", Meaning::NoSuchMailbox),
    ("ErrorInvalidUserPrincipalName", Meaning::NoSuchMailbox),
    ("ErrorInvalidSid", Meaning::NoSuchMailbox),
    ("ErrorInvalidUserSid", Meaning::NoSuchMailbox),
    ("ErrorInvalidSmtpAddress", Meaning::NoSuchMailbox),
    ("ErrorAccountDisabled", Meaning::SignIn),
    ("ErrorPasswordExpired", Meaning::SignIn),
    ("ErrorPasswordChangeRequired", Meaning::SignIn),
    ("ErrorProxyGroupSidLimitExceeded", Meaning::SignIn),
    ("ErrorItemNotFound", Meaning::Gone),
    ("ErrorFolderNotFound", Meaning::Gone),
    ("ErrorAttachmentNotFound", Meaning::Gone),
    ("ErrorCalendarOccurrenceIsDeletedFromRecurrence", Meaning::Gone),
    ("ErrorIrresolvableConflict", Meaning::Conflict),
    ("ErrorStaleObject", Meaning::Conflict),
    ("ErrorInvalidChangeKey", Meaning::Conflict),
    ("ErrorInvalidSyncStateData", Meaning::CursorLost),
    ("ErrorSyncFolderNotFound", Meaning::CursorLost),
    ("ErrorInvalidRequest", Meaning::BadRequest),
    ("ErrorSchemaValidation", Meaning::BadRequest),
    ("ErrorInvalidServerVersion", Meaning::BadRequest),
    ("ErrorIncorrectSchemaVersion", Meaning::BadRequest),
    ("ErrorInvalidSchemaVersionForMailboxVersion", Meaning::BadRequest),
    ("ErrorMissingEmailAddress", Meaning::BadRequest),
    ("ErrorChangeKeyRequired", Meaning::BadRequest),
    ("ErrorChangeKeyRequiredForWriteOperations", Meaning::BadRequest),
    ("ErrorIncorrectUpdatePropertyCount", Meaning::BadRequest),
    ("ErrorInvalidExtendedProperty", Meaning::BadRequest),
    ("ErrorInvalidPropertyRequest", Meaning::BadRequest),
    ("ErrorRestrictionTooComplex", Meaning::BadRequest),
    ("ErrorRestrictionTooLong", Meaning::BadRequest),
    ("ErrorSendMeetingInvitationsRequired", Meaning::BadRequest),
    (
        "ErrorSendMeetingInvitationsOrCancellationsRequired",
        Meaning::BadRequest,
    ),
    ("ErrorSendMeetingCancellationsRequired", Meaning::BadRequest),
    ("ErrorAffectedTaskOccurrencesRequired", Meaning::BadRequest),
];

/// The request asks for a schema that the server or this mailbox does not speak.
pub fn asks_for_an_older_version(code: &str) -> bool {
    matches!(
        code,
        "ErrorInvalidServerVersion"
            | "ErrorIncorrectSchemaVersion"
            | "ErrorInvalidSchemaVersionForMailboxVersion"
    )
}

/// Whoever asked has no mailbox of his own, as service accounts mostly have none.
pub fn has_no_mailbox(code: &str) -> bool {
    matches!(code, "ErrorMissingEmailAddress" | "ErrorNonExistentMailbox")
}

/// The item has a part that Exchange cannot give; it may give the others.
pub fn spares_the_rest(code: &str) -> bool {
    matches!(
        code,
        "ErrorMimeContentConversionFailed"
            | "ErrorContentConversionFailed"
            | "ErrorItemCorrupt"
            | "ErrorCorruptData"
            | "ErrorItemPropertyRequestFailed"
            | "ErrorInternalServerError"
    )
}

impl From<Fault> for MailboxError {
    fn from(fault: Fault) -> Self {
        // A busy back end behind a front end: HTTP 200, ErrorInternalServerError, and this inside.
        let busy_inside = fault.inner.as_deref() == Some("ErrorServerBusy");
        let code = fault.code;
        let meaning = TABLE
            .iter()
            .find(|(listed, _)| *listed == code)
            .map(|(_, meaning)| *meaning);
        match meaning {
            _ if busy_inside => Self::Busy {
                wait: fault.back_off.unwrap_or(DEFAULT_WAIT),
            },
            Some(Meaning::Busy) => Self::Busy {
                wait: fault.back_off.unwrap_or(DEFAULT_WAIT),
            },
            Some(Meaning::Passing) => Self::Passing { code },
            Some(Meaning::OutsideScope) => Self::OutsideScope,
            Some(Meaning::MayNotImpersonate) => Self::MayNotImpersonate,
            Some(Meaning::NoSuchMailbox) => Self::NoSuchMailbox,
            Some(Meaning::SignIn) => Self::SignInRefused { code: Some(code) },
            Some(Meaning::Gone) => Self::Gone,
            Some(Meaning::Conflict) => Self::Conflict,
            Some(Meaning::CursorLost) => Self::CursorLost,
            Some(Meaning::BadRequest) => Self::BadRequest { code },
            None => Self::Refused { code },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::failure::Class;

    fn class(code: &str) -> Class {
        MailboxError::from(Fault {
            code: code.to_owned(),
            ..Fault::default()
        })
        .class()
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let mut codes: Vec<_> = TABLE.iter().map(|(code, _)| code).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), TABLE.len());
    }

    #[test]
    fn a_code_that_nobody_has_heard_of_costs_its_item_and_not_the_stream() {
        assert_eq!(class("ErrorOfTheYear2031"), Class::Refused);
    }

    #[test]
    fn a_busy_server_behind_an_internal_error_is_a_busy_server() {
        let fault = Fault {
            code: "ErrorInternalServerError".to_owned(),
            back_off: None,
            inner: Some("ErrorServerBusy".to_owned()),
        };
        assert_eq!(
            MailboxError::from(fault).class(),
            Class::Throttled { wait: DEFAULT_WAIT }
        );
    }
}
