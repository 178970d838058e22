//! Odoo's forms by hand: what people type into them, and what they read there.

use crate::harness::acts;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use holdfast::crm::model::{CrmId, CrmRecord, ExternalKey};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, Sensitivity, When};
use holdfast::record::field::Field;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Status, Task};
use serde_json::{Value, json};

pub const EVENT: &[&str] = &[
    "name",
    "description",
    "location",
    "start",
    "stop",
    "allday",
    "start_date",
    "stop_date",
    "privacy",
    "write_date",
    "x_holdfast_key",
];
pub const CONTACT: &[&str] = &[
    "name",
    "email",
    "phone",
    "function",
    "write_date",
    "x_holdfast_key",
];
pub const TASK: &[&str] = &[
    "name",
    "description",
    "date_deadline",
    "state",
    "write_date",
    "x_holdfast_key",
];

/// Fields of a form: of what, called what, saying what.
pub type Cells = Vec<(Field, &'static str, Value)>;

pub fn of_event(event: &Event) -> Cells {
    let private = event.sensitivity == Sensitivity::Private;
    let mut cells = vec![
        (Field::Subject, "name", json!(event.subject.expose())),
        (Field::Body, "description", html(event.body.expose())),
        (Field::Location, "location", json!(event.location.expose())),
        (
            Field::Privacy,
            "privacy",
            json!(if private { "private" } else { "public" }),
        ),
    ];
    let when = match &event.when {
        When::Timed { start, end } => json!({ "allday": false, "start": wire(*start), "stop": wire(*end) }),
        // The form sends these four for whole days.
        When::AllDay { first, last } => json!({
            "allday": true, "start_date": first.to_string(), "stop_date": last.to_string(),
            "start": format!("{first} 08:00:00"), "stop": format!("{last} 18:00:00"),
        }),
    };
    for name in ["allday", "start", "stop", "start_date", "stop_date"] {
        cells.extend(when.get(name).map(|value| (Field::When, name, value.clone())));
    }
    cells
}

pub fn of_contact(card: &Contact) -> Cells {
    let [given, family] = [&card.given_name, &card.family_name].map(|name| name.expose().as_str());
    let name = format!("{given} {family}");
    let text = |text: &str| {
        if text.is_empty() {
            json!(false)
        } else {
            json!(text)
        }
    };
    vec![
        (Field::FamilyName, "name", json!(name.trim())),
        (Field::Email, "email", text(card.email.expose())),
        (Field::BusinessPhone, "phone", text(card.business_phone.expose())),
        (Field::JobTitle, "function", text(card.job_title.expose())),
    ]
}

pub fn of_task(task: &Task) -> Cells {
    let noon = |day: NaiveDate| format!("{day} 12:00:00");
    let done = task.status == Status::Completed;
    vec![
        (Field::Subject, "name", json!(task.subject.expose())),
        (Field::Body, "description", html(task.body.expose())),
        (
            Field::Due,
            "date_deadline",
            task.due.map_or(json!(false), |day| json!(noon(day))),
        ),
        (
            Field::Status,
            "state",
            json!(if done { "1_done" } else { "01_in_progress" }),
        ),
    ]
}

/// What a row says.
pub fn seen(kind: RecordKind, row: &Value) -> CrmRecord {
    let field = |name: &str| text(&row[name]);
    let record = match kind {
        RecordKind::Calendar => {
            let day = |name: &str| field(name).parse::<NaiveDate>().unwrap();
            let when = match row["allday"] == true {
                true => When::AllDay {
                    first: day("start_date"),
                    last: day("stop_date"),
                },
                false => When::Timed {
                    start: instant(&row["start"]),
                    end: instant(&row["stop"]),
                },
            };
            let mut event = acts::event(&field("name"), when);
            event.body = plain(&field("description")).as_str().into();
            event.location = field("location").as_str().into();
            if row["privacy"] == "private" {
                event.sensitivity = Sensitivity::Private;
            }
            Record::Event(event)
        }
        RecordKind::Contacts => {
            let name = field("name");
            let (given, family) = name.rsplit_once(' ').unwrap_or(("", &name));
            Record::Contact(Contact {
                given_name: given.into(),
                family_name: family.into(),
                email: field("email").as_str().into(),
                business_phone: field("phone").as_str().into(),
                job_title: field("function").as_str().into(),
                ..Contact::default()
            })
        }
        _ => Record::Task(Task {
            subject: field("name").as_str().into(),
            body: plain(&field("description")).as_str().into(),
            // The users of the prepared database live in Berlin.
            due: row["date_deadline"].is_string().then(|| {
                let at = instant(&row["date_deadline"]);
                at.with_timezone(&chrono_tz::Europe::Berlin).date_naive()
            }),
            status: match row["state"].as_str() {
                Some("1_done" | "1_canceled") => Status::Completed,
                _ => Status::NotStarted,
            },
            ..Task::default()
        }),
    };
    CrmRecord {
        id: CrmId(row["id"].to_string()),
        modified: instant(&row["write_date"]),
        key: row["x_holdfast_key"]
            .as_str()
            .map(|key| ExternalKey(key.to_owned())),
        owner: None,
        record,
        fixed: false,
        listed: true,
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn wire(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

fn instant(value: &Value) -> DateTime<Utc> {
    let at = NaiveDateTime::parse_from_str(value.as_str().unwrap(), "%Y-%m-%d %H:%M:%S");
    at.unwrap().and_utc()
}

fn html(text: &str) -> Value {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    json!(format!("<p>{}</p>", escaped.replace('\n', "<br>")))
}

/// The words of a description.
fn plain(html: &str) -> String {
    let broken = html
        .replace("<br>", "\n")
        .replace("<br/>", "\n")
        .replace("</p>", "\n");
    let mut text = String::new();
    for piece in broken.split('<') {
        text += piece.split_once('>').map_or(piece, |(_, rest)| rest);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    text.trim().to_owned()
}
