//! Event and Task with their relations.
//!
//! Custom fields are made on Activity and serve both, hence the same external id on each.

use super::field::{Default, Field, Kind};
use super::{Child, Object, Writable};

const WHO: &[&str] = &["Contact", "Lead"];
const WHAT: &[&str] = &["Account", "Opportunity", "Case"];

const EVENT: &[Field] = &[
    Field::reference("WhoId", WHO, "Who"),
    Field::reference("WhatId", WHAT, "What"),
    Field::new("WhoCount", Kind::Int).read_only(),
    Field::new("WhatCount", Kind::Int).read_only(),
    Field::reference("AccountId", &["Account"], "Account").read_only(),
    Field::new(
        "Subject",
        Kind::Combobox {
            values: &["Call", "Email", "Meeting", "Other"],
            length: 255,
        },
    ),
    Field::text("Location", 255),
    Field::flag("IsAllDayEvent"),
    Field::new("ActivityDateTime", Kind::DateTime),
    Field::new("ActivityDate", Kind::Date),
    Field::new("DurationInMinutes", Kind::Int),
    Field::new("StartDateTime", Kind::DateTime),
    Field::new("EndDateTime", Kind::DateTime),
    Field::new("EndDate", Kind::Date).read_only(),
    Field::new("Description", Kind::LongText(32_000)),
    Field::flag("IsPrivate"),
    Field::restricted("ShowAs", &["Busy", "OutOfOffice", "Free"]).or(Default::Text("Busy")),
    Field::picklist("Type", &["Email", "Meeting", "Other", "Call"]),
    Field::picklist("EventSubtype", &["Event"])
        .or(Default::Text("Event"))
        .create_only(),
    Field::flag("IsChild").read_only(),
    Field::flag("IsGroupEvent").read_only(),
    Field::restricted("GroupEventType", &["0", "1", "2", "3"]).read_only(),
    Field::flag("IsArchived").read_only(),
    Field::flag("IsRecurrence").create_only(),
    Field::flag("IsRecurrence2").read_only(),
    Field::flag("IsRecurrence2Exception").read_only(),
    Field::flag("IsRecurrence2Exclusion").read_only(),
    Field::new("Recurrence2PatternStartDate", Kind::DateTime).read_only(),
    Field::new("Recurrence2PatternText", Kind::LongText(512)).create_only(),
    Field::text("Recurrence2PatternTimeZone", 255).read_only(),
    Field::restricted("Recurrence2PatternVersion", &["1"]).read_only(),
    Field::reference("RecurrenceActivityId", &["Event"], "RecurrenceActivity").read_only(),
    Field::new("RecurrenceStartDateTime", Kind::DateTime),
    Field::new("RecurrenceEndDateOnly", Kind::Date),
    Field::text("RecurrenceTimeZoneSidKey", 40),
    Field::restricted(
        "RecurrenceType",
        &[
            "RecursDaily",
            "RecursEveryWeekday",
            "RecursMonthly",
            "RecursMonthlyNth",
            "RecursWeekly",
            "RecursYearly",
            "RecursYearlyNth",
        ],
    ),
    Field::new("RecurrenceInterval", Kind::Int),
    Field::new("RecurrenceDayOfWeekMask", Kind::Int),
    Field::new("RecurrenceDayOfMonth", Kind::Int),
    Field::restricted(
        "RecurrenceInstance",
        &["First", "Second", "Third", "Fourth", "Last"],
    ),
    Field::restricted(
        "RecurrenceMonthOfYear",
        &[
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    ),
    Field::new("ReminderDateTime", Kind::DateTime),
    Field::flag("IsReminderSet"),
    Field::new("EventWhoIds", Kind::JunctionIds),
    Field::key("Holdfast_Key__c"),
];

const EVENT_RELATION: &[Field] = &[
    Field::reference(
        "RelationId",
        &["Contact", "Lead", "User", "Account", "Opportunity", "Case"],
        "Relation",
    )
    .required(),
    Field::reference("EventId", &["Event"], "Event")
        .create_only()
        .required(),
    Field::flag("IsWhat").read_only(),
    Field::flag("IsParent"),
    Field::flag("IsInvitee"),
    Field::reference("AccountId", &["Account"], "Account").read_only(),
    Field::restricted("Status", &["New", "Declined", "Accepted", "Uninvited", "Maybe"])
        .or(Default::Text("New")),
    Field::new("RespondedDate", Kind::DateTime),
    Field::text("Response", 255),
];

const TASK: &[Field] = &[
    Field::reference("WhoId", WHO, "Who"),
    Field::reference("WhatId", WHAT, "What"),
    Field::new("WhoCount", Kind::Int).read_only(),
    Field::new("WhatCount", Kind::Int).read_only(),
    Field::reference("AccountId", &["Account"], "Account").read_only(),
    Field::new(
        "Subject",
        Kind::Combobox {
            values: &["Call", "Email", "Send Letter", "Other"],
            length: 255,
        },
    ),
    Field::new("ActivityDate", Kind::Date),
    Field::picklist(
        "Status",
        &[
            "Not Started",
            "In Progress",
            "Completed",
            "Waiting on someone else",
            "Deferred",
        ],
    )
    .or(Default::Text("Not Started")),
    Field::picklist("Priority", &["High", "Normal", "Low"]).or(Default::Text("Normal")),
    Field::flag("IsHighPriority").read_only(),
    Field::new("Description", Kind::LongText(32_000)),
    Field::picklist("Type", &["Call", "Email", "Meeting", "Other"]),
    Field::flag("IsClosed").read_only(),
    Field::flag("IsArchived").read_only(),
    Field::flag("IsRecurrence").create_only(),
    Field::reference("RecurrenceActivityId", &["Task"], "RecurrenceActivity").read_only(),
    Field::new("CallDurationInSeconds", Kind::Int),
    Field::picklist("CallType", &["Inbound", "Outbound", "Internal"]),
    Field::text("CallDisposition", 255),
    Field::new("ReminderDateTime", Kind::DateTime),
    Field::flag("IsReminderSet"),
    Field::restricted(
        "TaskSubtype",
        &["Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"],
    )
    .or(Default::Text("Task"))
    .create_only(),
    Field::new("CompletedDateTime", Kind::DateTime).read_only(),
    Field::new("TaskWhoIds", Kind::JunctionIds),
    Field::key("Holdfast_Key__c"),
];

const TASK_RELATION: &[Field] = &[
    Field::reference(
        "RelationId",
        &["Contact", "Lead", "Account", "Opportunity", "Case"],
        "Relation",
    )
    .required(),
    Field::reference("TaskId", &["Task"], "Task")
        .create_only()
        .required(),
    Field::flag("IsWhat").read_only(),
    Field::reference("AccountId", &["Account"], "Account").read_only(),
];

pub(super) const OBJECTS: &[Object] = &[
    Object {
        name: "Event",
        plural: "Events",
        prefix: "00U",
        own: EVENT,
        children: &[
            Child {
                name: "EventRelations",
                object: "EventRelation",
                field: "EventId",
            },
            Child {
                name: "EventWhoRelations",
                object: "EventRelation",
                field: "EventId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
    Object {
        name: "EventRelation",
        plural: "Event Relations",
        prefix: "0RE",
        own: EVENT_RELATION,
        children: &[],
        owned: false,
        writable: Writable::All,
        searchable: false,
    },
    Object {
        name: "Task",
        plural: "Tasks",
        prefix: "00T",
        own: TASK,
        children: &[
            Child {
                name: "TaskRelations",
                object: "TaskRelation",
                field: "TaskId",
            },
            Child {
                name: "TaskWhoRelations",
                object: "TaskRelation",
                field: "TaskId",
            },
        ],
        owned: true,
        writable: Writable::All,
        searchable: true,
    },
    Object {
        name: "TaskRelation",
        plural: "Task Relations",
        prefix: "0RT",
        own: TASK_RELATION,
        children: &[],
        owned: false,
        writable: Writable::All,
        searchable: false,
    },
];
