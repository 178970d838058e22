//! User, Account, Contact, Lead.

use super::field::{Default, Field, Kind};
use super::{Child, Object, Writable};

const SALUTATIONS: &[&str] = &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."];
const SOURCES: &[&str] = &[
    "Web",
    "Phone Inquiry",
    "Partner Referral",
    "Purchased List",
    "Other",
];

const USER: &[Field] = &[
    Field::text("Username", 80).with_id_lookup(),
    Field::text("LastName", 80),
    Field::text("FirstName", 40),
    Field::text("Name", 121).read_only(),
    Field::new("Email", Kind::Email(128)).with_id_lookup(),
    Field::text("Alias", 8),
    Field::text("Title", 80),
    Field::new("Phone", Kind::Phone(40)),
    Field::new("MobilePhone", Kind::Phone(40)),
    Field::flag("IsActive"),
    Field::picklist("TimeZoneSidKey", &[]),
    Field::picklist("LocaleSidKey", &[]),
    Field::picklist("LanguageLocaleKey", &[]),
    Field::picklist("EmailEncodingKey", &[]),
    Field::picklist("UserType", &["Standard", "PowerPartner", "CsnOnly"]).read_only(),
    Field::text("FederationIdentifier", 512),
    Field::reference("ManagerId", &["User"], "Manager"),
];

const ACCOUNT: &[Field] = &[
    Field::text("Name", 255).required(),
    Field::picklist("Type", &["Prospect", "Customer", "Partner", "Other"]),
    Field::reference("ParentId", &["Account"], "Parent"),
    Field::new("Phone", Kind::Phone(40)),
    Field::new("Fax", Kind::Phone(40)),
    Field::new("Website", Kind::Url(255)),
    Field::picklist(
        "Industry",
        &["Manufacturing", "Transportation", "Energy", "Retail", "Other"],
    ),
    Field::new("BillingStreet", Kind::TextArea(255)),
    Field::text("BillingCity", 40),
    Field::text("BillingState", 80),
    Field::text("BillingPostalCode", 20),
    Field::text("BillingCountry", 80),
    Field::new("Description", Kind::LongText(32_000)),
    Field::new("LastActivityDate", Kind::Date).read_only(),
];

const CONTACT: &[Field] = &[
    Field::reference("AccountId", &["Account"], "Account"),
    Field::text("LastName", 80).required(),
    Field::text("FirstName", 40),
    Field::picklist("Salutation", SALUTATIONS),
    Field::text("Name", 121).read_only(),
    Field::new("MailingStreet", Kind::TextArea(255)),
    Field::text("MailingCity", 40),
    Field::text("MailingState", 80),
    Field::text("MailingPostalCode", 20),
    Field::text("MailingCountry", 80),
    Field::new("OtherStreet", Kind::TextArea(255)),
    Field::text("OtherCity", 40),
    Field::text("OtherState", 80),
    Field::text("OtherPostalCode", 20),
    Field::text("OtherCountry", 80),
    Field::new("Phone", Kind::Phone(40)),
    Field::new("Fax", Kind::Phone(40)),
    Field::new("MobilePhone", Kind::Phone(40)),
    Field::new("HomePhone", Kind::Phone(40)),
    Field::new("OtherPhone", Kind::Phone(40)),
    Field::new("AssistantPhone", Kind::Phone(40)),
    Field::reference("ReportsToId", &["Contact"], "ReportsTo"),
    Field::new("Email", Kind::Email(80)).with_id_lookup(),
    Field::text("Title", 128),
    Field::text("Department", 80),
    Field::text("AssistantName", 40),
    Field::picklist("LeadSource", SOURCES),
    Field::new("Birthdate", Kind::Date),
    Field::new("Description", Kind::LongText(32_000)),
    Field::reference("MasterRecordId", &["Contact"], "MasterRecord").read_only(),
    Field::new("LastActivityDate", Kind::Date).read_only(),
    Field::key("Holdfast_Key__c"),
];

const LEAD: &[Field] = &[
    Field::text("LastName", 80).required(),
    Field::text("FirstName", 40),
    Field::picklist("Salutation", SALUTATIONS),
    Field::text("Name", 121).read_only(),
    Field::text("Title", 128),
    Field::text("Company", 255).required(),
    Field::new("Street", Kind::TextArea(255)),
    Field::text("City", 40),
    Field::text("State", 80),
    Field::text("PostalCode", 20),
    Field::text("Country", 80),
    Field::new("Phone", Kind::Phone(40)),
    Field::new("MobilePhone", Kind::Phone(40)),
    Field::new("Fax", Kind::Phone(40)),
    Field::new("Email", Kind::Email(80)).with_id_lookup(),
    Field::new("Website", Kind::Url(255)),
    Field::new("Description", Kind::LongText(32_000)),
    Field::picklist("LeadSource", SOURCES),
    Field::picklist(
        "Status",
        &[
            "Open - Not Contacted",
            "Working - Contacted",
            "Closed - Converted",
            "Closed - Not Converted",
        ],
    )
    .or(Default::Text("Open - Not Contacted")),
    Field::flag("IsConverted").read_only(),
    Field::new("ConvertedDate", Kind::Date).read_only(),
    Field::reference("ConvertedAccountId", &["Account"], "ConvertedAccount").read_only(),
    Field::reference("ConvertedContactId", &["Contact"], "ConvertedContact").read_only(),
    Field::reference("MasterRecordId", &["Lead"], "MasterRecord").read_only(),
    Field::new("LastActivityDate", Kind::Date).read_only(),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "User",
        plural: "Users",
        prefix: "005",
        own: USER,
        children: &[],
        owned: false,
        writable: Writable::Never,
        searchable: true,
    },
    Object {
        name: "Account",
        plural: "Accounts",
        prefix: "001",
        own: ACCOUNT,
        children: &[
            Child {
                name: "Contacts",
                object: "Contact",
                field: "AccountId",
            },
            Child {
                name: "Opportunities",
                object: "Opportunity",
                field: "AccountId",
            },
            Child {
                name: "Cases",
                object: "Case",
                field: "AccountId",
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
        name: "Contact",
        plural: "Contacts",
        prefix: "003",
        own: CONTACT,
        children: &[
            Child {
                name: "Cases",
                object: "Case",
                field: "ContactId",
            },
            Child {
                name: "Events",
                object: "Event",
                field: "WhoId",
            },
            Child {
                name: "Tasks",
                object: "Task",
                field: "WhoId",
            },
            Child {
                name: "OpportunityContactRoles",
                object: "OpportunityContactRole",
                field: "ContactId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
    Object {
        name: "Lead",
        plural: "Leads",
        prefix: "00Q",
        own: LEAD,
        children: &[
            Child {
                name: "Events",
                object: "Event",
                field: "WhoId",
            },
            Child {
                name: "Tasks",
                object: "Task",
                field: "WhoId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
];
