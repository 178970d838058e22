//! EmailMessage and EmailMessageRelation.

use super::field::{Default, Field, Kind};
use super::{Child, Object, Writable};

const STATUS: &[&str] = &["0", "1", "2", "3", "4", "5"];
const RELATION_TYPES: &[&str] = &[
    "ToAddress",
    "CcAddress",
    "BccAddress",
    "FromAddress",
    "OtherAddress",
];

const EMAIL: &[Field] = &[
    Field::reference("ParentId", &["Case"], "Parent").create_only(),
    Field::reference("ActivityId", &["Task"], "Activity").create_only(),
    Field::new("TextBody", Kind::LongText(131_072)),
    Field::new("HtmlBody", Kind::LongText(131_072)),
    Field::new("Headers", Kind::LongText(131_072)),
    Field::text("Subject", 3000),
    Field::text("FromName", 1000),
    Field::new("FromAddress", Kind::Email(1000)),
    Field::text("ValidatedFromAddress", 1000),
    Field::text("ToAddress", 4000),
    Field::text("CcAddress", 4000),
    Field::text("BccAddress", 4000),
    Field::flag("Incoming").create_only(),
    Field::flag("HasAttachment").read_only(),
    Field::restricted("Status", STATUS).or(Default::Text("0")),
    Field::new("MessageDate", Kind::DateTime),
    Field::text("MessageIdentifier", 255),
    Field::text("ThreadIdentifier", 255),
    Field::reference("ReplyToEmailMessageId", &["EmailMessage"], "ReplyToEmailMessage"),
    Field::reference("RelatedToId", &["Account", "Opportunity", "Case"], "RelatedTo"),
    Field::flag("IsExternallyVisible"),
    Field::flag("IsClientManaged"),
    Field::flag("IsTracked").read_only(),
    Field::flag("IsPrivateDraft"),
    Field::new("ToIds", Kind::JunctionIds),
    Field::new("CcIds", Kind::JunctionIds),
    Field::new("BccIds", Kind::JunctionIds),
    Field::key("Holdfast_Key__c"),
];

const RELATION: &[Field] = &[
    Field::reference("EmailMessageId", &["EmailMessage"], "EmailMessage")
        .create_only()
        .required(),
    Field::reference("RelationId", &["Contact", "Lead", "User"], "Relation").create_only(),
    Field::restricted("RelationType", RELATION_TYPES)
        .create_only()
        .required(),
    Field::text("RelationAddress", 255).create_only(),
    Field::restricted("RelationObjectType", &["Contact", "Lead", "User"]).read_only(),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "EmailMessage",
        plural: "Email Messages",
        prefix: "02s",
        own: EMAIL,
        children: &[
            Child {
                name: "EmailMessageRelations",
                object: "EmailMessageRelation",
                field: "EmailMessageId",
            },
            Child {
                name: "ContentDocumentLinks",
                object: "ContentDocumentLink",
                field: "LinkedEntityId",
            },
        ],
        owned: false,
        writable: Writable::All,
        searchable: true,
    },
    Object {
        name: "EmailMessageRelation",
        plural: "Email Message Relations",
        prefix: "0EM",
        own: RELATION,
        children: &[],
        owned: false,
        writable: Writable::All,
        searchable: false,
    },
];
