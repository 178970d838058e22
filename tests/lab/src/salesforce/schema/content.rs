//! Files: ContentVersion, ContentDocument, ContentDocumentLink.

use super::field::{Default, Field, Kind};
use super::{Child, Object, Writable};

const LINKED: &[&str] = &[
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    "Case",
    "Event",
    "Task",
    "EmailMessage",
    "User",
];

const VERSION: &[Field] = &[
    Field::reference("ContentDocumentId", &["ContentDocument"], "ContentDocument").create_only(),
    Field::flag("IsLatest").read_only(),
    Field::text("VersionNumber", 20).read_only(),
    Field::text("Title", 255),
    Field::new("Description", Kind::TextArea(1000)),
    Field::text("PathOnClient", 500).create_only(),
    Field::new("ContentUrl", Kind::Url(1300)),
    Field::reference("FirstPublishLocationId", LINKED, "FirstPublishLocation").create_only(),
    Field::restricted("Origin", &["C", "H"])
        .or(Default::Text("C"))
        .create_only(),
    Field::restricted("ContentLocation", &["S", "E", "L"])
        .or(Default::Text("S"))
        .create_only(),
    Field::text("FileType", 20).read_only(),
    Field::text("FileExtension", 40).read_only(),
    Field::new("ContentSize", Kind::Int).read_only(),
    Field::text("Checksum", 50).read_only(),
    Field::new("VersionData", Kind::Base64).create_only(),
];

const DOCUMENT: &[Field] = &[
    Field::text("Title", 255),
    Field::text("FileType", 20).read_only(),
    Field::text("FileExtension", 40).read_only(),
    Field::new("ContentSize", Kind::Int).read_only(),
    Field::reference(
        "LatestPublishedVersionId",
        &["ContentVersion"],
        "LatestPublishedVersion",
    )
    .read_only(),
];

const LINK: &[Field] = &[
    Field::reference("LinkedEntityId", LINKED, "LinkedEntity")
        .create_only()
        .required(),
    Field::reference("ContentDocumentId", &["ContentDocument"], "ContentDocument")
        .create_only()
        .required(),
    Field::restricted("ShareType", &["V", "C", "I"]).or(Default::Text("V")),
    Field::restricted("Visibility", &["AllUsers", "InternalUsers", "SharedUsers"])
        .or(Default::Text("AllUsers")),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "ContentVersion",
        plural: "Content Versions",
        prefix: "068",
        own: VERSION,
        children: &[],
        owned: true,
        writable: Writable::All,
        searchable: false,
    },
    Object {
        name: "ContentDocument",
        plural: "Content Documents",
        prefix: "069",
        own: DOCUMENT,
        children: &[
            Child {
                name: "ContentDocumentLinks",
                object: "ContentDocumentLink",
                field: "ContentDocumentId",
            },
            Child {
                name: "ContentVersions",
                object: "ContentVersion",
                field: "ContentDocumentId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: false,
    },
    Object {
        name: "ContentDocumentLink",
        plural: "Content Document Links",
        prefix: "06A",
        own: LINK,
        children: &[],
        owned: false,
        writable: Writable::All,
        searchable: false,
    },
];
