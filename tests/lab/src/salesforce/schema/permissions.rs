//! PermissionSet, PermissionSetAssignment ("PermissionSet", "PermissionSetAssignment", Object Reference). A profile's
//! permissions are in a permission set too, which the profile owns and each of its users is assigned.

use super::field::Field;
use super::{Object, Writable};

const SET: &[Field] = &[
    Field::text("Name", 80).read_only(),
    Field::text("Label", 80).read_only(),
    Field::flag("IsOwnedByProfile").read_only(),
    Field::flag("PermissionsViewAllData").read_only(),
    Field::flag("PermissionsModifyAllData").read_only(),
    Field::flag("PermissionsViewSetup").read_only(),
];

const ASSIGNMENT: &[Field] = &[
    Field::reference("AssigneeId", &["User"], "Assignee").read_only(),
    Field::reference("PermissionSetId", &["PermissionSet"], "PermissionSet").read_only(),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "PermissionSet",
        plural: "Permission Sets",
        prefix: "0PS",
        own: SET,
        children: &[],
        owned: false,
        writable: Writable::Never,
        searchable: false,
    },
    Object {
        name: "PermissionSetAssignment",
        plural: "Permission Set Assignments",
        prefix: "0Pa",
        own: ASSIGNMENT,
        children: &[],
        owned: false,
        writable: Writable::Never,
        searchable: false,
    },
];
