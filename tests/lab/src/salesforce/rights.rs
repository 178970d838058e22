//! Who may see and change what: object permissions, field-level security, sharing by owner and
//! hierarchy, private events (help: "Organization-Wide Sharing Defaults", "Sharing Considerations for Activities").
//!
//! The hierarchy is the chain of managers, in place of a tree of roles.

use super::app::INTEGRATION_USERNAME;
use super::schema::{Field, Object};
use super::settings::{FieldRights, ObjectRights, Sharing};
use super::store::{Fields, Row, State};
use super::transaction::Caller;

/// Objects that only those see who may view setup and configuration.
const SETUP: [&str; 2] = ["PermissionSet", "PermissionSetAssignment"];

/// The caller's rights on an object's rows as such.
pub fn object_rights(state: &State, caller: &Caller, object: &Object) -> ObjectRights {
    let user = state.settings.users.get(&caller.username);
    // "Special Access Rules" of the two objects.
    if SETUP.contains(&object.name) {
        let read = caller.username == INTEGRATION_USERNAME || user.is_some_and(|user| user.view_setup);
        return ObjectRights {
            read,
            create: false,
            edit: false,
            delete: false,
            ..ObjectRights::default()
        };
    }
    user.and_then(|user| user.objects.get(object.name))
        .cloned()
        .unwrap_or_default()
}

/// Fields of EventRelation that are "visible when Shared Activities is enabled" ("EventRelation", Object Reference).
const SHARED_ONLY: [&str; 4] = ["IsInvitee", "IsParent", "IsWhat", "AccountId"];

fn is_hidden(state: &State, object: &Object, field: &Field) -> bool {
    !state.settings.shared_activities && object.name == "EventRelation" && SHARED_ONLY.contains(&field.name)
}

/// Whether the caller sees less of this object than everybody does in an org as it comes.
pub fn are_limited(state: &State, caller: &Caller, object: &Object) -> bool {
    if object.fields().any(|field| is_hidden(state, object, field)) {
        return true;
    }
    let user = state.settings.users.get(&caller.username);
    user.is_some_and(|user| user.objects.contains_key(object.name))
}

/// The caller's rights on a field; system fields can always be read.
pub fn field_rights(state: &State, caller: &Caller, object: &Object, field: &Field) -> FieldRights {
    if is_hidden(state, object, field) {
        return FieldRights {
            read: false,
            edit: false,
        };
    }
    let user = state.settings.users.get(&caller.username);
    let object = user.and_then(|user| user.objects.get(object.name));
    object
        .and_then(|object| object.fields.get(field.name))
        .copied()
        .unwrap_or_default()
}

/// Whether `boss` is above `user` in the hierarchy.
fn above(state: &State, boss: &str, user: &str) -> bool {
    let mut at = user.to_owned();
    // A chain of managers longer than this is a circle.
    for _ in 0..20 {
        let Some(row) = state.row("User", &at) else {
            return false;
        };
        let manager = row.text("ManagerId");
        if manager.is_empty() {
            return false;
        }
        if manager == boss {
            return true;
        }
        at = manager.to_owned();
    }
    false
}

fn owns(state: &State, caller: &Caller, owner: &str) -> bool {
    owner == caller.id || above(state, &caller.id, owner)
}

/// Whether the caller may see the row.
pub fn may_read(state: &State, caller: &Caller, object: &Object, row: &Row) -> bool {
    if caller.view_all || caller.modify_all {
        return true;
    }
    match object.name {
        "User" | "PermissionSet" | "PermissionSetAssignment" => true,
        "Event" | "Task" => may_read_activity(state, caller, row),
        // An invitee sees his own invitation, whatever he sees of the event.
        "EventRelation" if row.text("RelationId") == caller.id => true,
        "EmailMessage" => {
            row.text("CreatedById") == caller.id
                || may_read_by_id(state, caller, row.text("ActivityId"))
                || may_read_by_id(state, caller, row.text("ParentId"))
        }
        "ContentVersion" | "ContentDocument" => {
            owns(state, caller, row.text("OwnerId")) || may_read_file(state, caller, object, row)
        }
        _ => match parent_field(object.name) {
            Some(parent) => may_read_by_id(state, caller, row.text(parent)),
            None => {
                state.settings.sharing == Sharing::PublicReadOnly || owns(state, caller, row.text("OwnerId"))
            }
        },
    }
}

/// With activities private, who may read the record an activity hangs on may read the activity.
fn may_read_activity(state: &State, caller: &Caller, row: &Row) -> bool {
    if row.text("OwnerId") == caller.id {
        return true;
    }
    if row.flag("IsPrivate") {
        return false;
    }
    above(state, &caller.id, row.text("OwnerId"))
        || may_read_by_id(state, caller, row.text("WhoId"))
        || may_read_by_id(state, caller, row.text("WhatId"))
}

fn may_read_file(state: &State, caller: &Caller, object: &Object, row: &Row) -> bool {
    let document = if object.name == "ContentDocument" {
        row.text("Id")
    } else {
        row.text("ContentDocumentId")
    };
    let mut links = state
        .table("ContentDocumentLink")
        .live_where("ContentDocumentId", document);
    links.any(|link| {
        let entity = link.text("LinkedEntityId");
        entity == caller.id || (!entity.starts_with("005") && may_read_by_id(state, caller, entity))
    })
}

fn may_read_by_id(state: &State, caller: &Caller, id: &str) -> bool {
    state
        .live(id)
        .is_some_and(|(object, row)| may_read(state, caller, object, row))
}

/// Whether the caller may change the row.
pub fn may_edit(state: &State, caller: &Caller, object: &Object, row: &Row) -> bool {
    if caller.modify_all {
        return true;
    }
    match object.name {
        "User" => false,
        "EmailMessage" => row.text("CreatedById") == caller.id,
        // An invitee answers for himself.
        "EventRelation" if row.text("RelationId") == caller.id => true,
        _ => match parent_field(object.name) {
            Some(parent) => may_edit_by_id(state, caller, row.text(parent)),
            None if row.flag("IsPrivate") => row.text("OwnerId") == caller.id,
            None => owns(state, caller, row.text("OwnerId")),
        },
    }
}

fn may_edit_by_id(state: &State, caller: &Caller, id: &str) -> bool {
    state
        .live(id)
        .is_some_and(|(object, row)| may_edit(state, caller, object, row))
}

/// The field of a junction object whose record decides for it.
fn parent_field(object: &str) -> Option<&'static str> {
    match object {
        "EventRelation" => Some("EventId"),
        "TaskRelation" => Some("TaskId"),
        "EmailMessageRelation" => Some("EmailMessageId"),
        "OpportunityContactRole" => Some("OpportunityId"),
        "ContentDocumentLink" => Some("ContentDocumentId"),
        _ => None,
    }
}
