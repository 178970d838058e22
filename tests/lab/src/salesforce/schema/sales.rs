//! Opportunity, OpportunityContactRole, Case.

use super::field::{Default, Field, Kind};
use super::{Child, Object, Writable};

const STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];

const OPPORTUNITY: &[Field] = &[
    Field::reference("AccountId", &["Account"], "Account"),
    Field::text("Name", 120).required(),
    Field::new("Description", Kind::LongText(32_000)),
    Field::picklist("StageName", STAGES).required(),
    Field::new("Amount", Kind::Currency),
    Field::new("CloseDate", Kind::Date).required(),
    Field::picklist("Type", &["New Business", "Existing Business"]),
    Field::flag("IsClosed").read_only(),
    Field::flag("IsWon").read_only(),
    Field::reference("ContactId", &["Contact"], "Contact").create_only(),
    Field::new("LastActivityDate", Kind::Date).read_only(),
];

const ROLE: &[Field] = &[
    Field::reference("OpportunityId", &["Opportunity"], "Opportunity")
        .create_only()
        .required(),
    Field::reference("ContactId", &["Contact"], "Contact").required(),
    Field::picklist(
        "Role",
        &[
            "Business User",
            "Decision Maker",
            "Evaluator",
            "Influencer",
            "Other",
        ],
    ),
    Field::flag("IsPrimary"),
];

const CASE: &[Field] = &[
    Field::text("CaseNumber", 30).read_only(),
    Field::reference("ContactId", &["Contact"], "Contact"),
    Field::reference("AccountId", &["Account"], "Account"),
    Field::text("SuppliedName", 80),
    Field::new("SuppliedEmail", Kind::Email(80)),
    Field::picklist("Status", &["New", "Working", "Escalated", "Closed"]).or(Default::Text("New")),
    Field::picklist("Origin", &["Phone", "Email", "Web"]),
    Field::text("Subject", 255),
    Field::picklist("Priority", &["High", "Medium", "Low"]).or(Default::Text("Medium")),
    Field::new("Description", Kind::LongText(32_000)),
    Field::flag("IsClosed").read_only(),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "Opportunity",
        plural: "Opportunities",
        prefix: "006",
        own: OPPORTUNITY,
        children: &[
            Child {
                name: "OpportunityContactRoles",
                object: "OpportunityContactRole",
                field: "OpportunityId",
            },
            Child {
                name: "Events",
                object: "Event",
                field: "WhatId",
            },
            Child {
                name: "Tasks",
                object: "Task",
                field: "WhatId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
    Object {
        name: "OpportunityContactRole",
        plural: "Opportunity Contact Roles",
        prefix: "00K",
        own: ROLE,
        children: &[],
        owned: false,
        writable: Writable::All,
        searchable: false,
    },
    Object {
        name: "Case",
        plural: "Cases",
        prefix: "500",
        own: CASE,
        children: &[
            Child {
                name: "EmailMessages",
                object: "EmailMessage",
                field: "ParentId",
            },
            Child {
                name: "Events",
                object: "Event",
                field: "WhatId",
            },
            Child {
                name: "Tasks",
                object: "Task",
                field: "WhatId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
];
