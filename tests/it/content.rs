//! What holds content, or a secret, cannot be printed, serialised or stored. These are promises to the
//! compiler: a derive too many, and the tests do not build. The rule in `tests/tidy/content.rs` looks for the
//! same in every type; here the types that matter most are named.

use diesel::pg::Pg;
use diesel::serialize::ToSql;
use diesel::sql_types::{Binary, Jsonb, Text};
use holdfast::crm::model::{CrmChange, CrmPage, CrmRecord, CrmWrite, Match};
use holdfast::foundation::content::Content;
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::model::{MailboxItem, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::{Contact, PostalAddress};
use holdfast::record::email::Email;
use holdfast::record::event::{Attendee, Event, Group};
use holdfast::record::person::Person;
use holdfast::record::task::Task;
use serde::Serialize;
use static_assertions::assert_not_impl_any;
use std::fmt::{Debug, Display};

macro_rules! mute {
    ($($kind:ty),+ $(,)?) => {
        $(assert_not_impl_any!($kind: Debug, Display, Serialize, std::error::Error);)+
    };
}

mute!(
    Content<String>,
    Content<Vec<u8>>,
    Secret<String>,
    Secret<Vec<u8>>,
    Person,
    Attendee,
    Group,
    Event,
    PostalAddress,
    Contact,
    Task,
    Email,
    Record,
    MailboxItem,
    MailboxWrite,
    CrmChange,
    CrmPage,
    CrmRecord,
    CrmWrite,
    Match,
);

assert_not_impl_any!(Content<String>: ToSql<Text, Pg>, ToSql<Jsonb, Pg>);
assert_not_impl_any!(Content<Vec<u8>>: ToSql<Binary, Pg>);
assert_not_impl_any!(Secret<Vec<u8>>: ToSql<Binary, Pg>);
