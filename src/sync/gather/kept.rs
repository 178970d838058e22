//! Meetings that are kept for somebody who is not here any more.

use super::work::Work;
use crate::record::field::FieldSet;
use crate::sync::keeping::SHARED;
use crate::sync::keys::item_key;
use crate::sync::model::{Change, Reason, Scope};
use crate::sync::stream::Stream;

/// Takes a meeting that is kept for somebody for what it is: what all copies share goes to the record, nothing comes
/// back, and once the owner of the record is here again it is his.
pub fn as_kept(stream: &Stream, work: &mut Work) {
    let item = work.item.as_ref().map(|item| item_key(&item.id));
    let Some(owner) = item.and_then(|key| stream.keeping.owner(key)) else {
        return;
    };
    if let Some(Change::Upserted(mailbox)) = &mut work.pair.mailbox {
        mailbox.writable = FieldSet::NONE;
        if stream.keeping.is_here(&owner) && mailbox.scope == Scope::In {
            mailbox.scope = Scope::Out(Reason::ColleaguesCopy);
        }
    }
    if let Some(Change::Upserted(crm)) = &mut work.pair.crm {
        crm.writable = crm.writable.and(SHARED);
    }
}
