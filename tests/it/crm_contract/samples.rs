//! Records to write, and how they are compared.

use super::Stage;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use holdfast::crm::model::ExternalKey;
use holdfast::foundation::content::Content;
use holdfast::record::Record;
use holdfast::record::contact::{Contact, PostalAddress};
use holdfast::record::email::{Direction, Email};
use holdfast::record::event::{Attendance, Attendee, Event, Place, Response, Sensitivity, ShowAs, When};
use holdfast::record::field::Field;
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::record::task::{Priority, Status, Task};

pub fn key(name: &str) -> ExternalKey {
    ExternalKey(format!("{name:0>64}"))
}

pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2027, 3, 4, 12, 0, 0)
        .single()
        .expect("an instant")
}

pub fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 3, day).expect("a day")
}

pub fn attendee(address: &str) -> Attendee {
    Attendee {
        person: Person::at(address),
        attendance: Attendance::Required,
        response: Response::None,
    }
}

/// The same, and he has answered.
pub fn answered(address: &str, response: Response) -> Attendee {
    Attendee {
        response,
        ..attendee(address)
    }
}

pub fn event() -> Event {
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: "Über die \"Kante\" — 見積り".into(),
        body: "First line\nsecond 'line' \\ with 🚀".into(),
        location: "Straße 1, Řím".into(),
        when: When::Timed {
            start: noon(),
            end: noon() + TimeDelta::minutes(45),
        },
        zone: None,
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        reminder_minutes: Some(15),
        is_organizer: true,
        organizer: None,
        attendees: Vec::new(),
        groups: Vec::new(),
        cancelled: false,
    }
}

pub fn contact() -> Contact {
    Contact {
        given_name: "Zoë".into(),
        family_name: "O'Brien-Łuk".into(),
        job_title: "Ředitelka".into(),
        department: "Einkauf".into(),
        email: "zoe.obrien@round.trip.example".into(),
        business_phone: "+49 30 1234567".into(),
        home_phone: "+49 30 7654321".into(),
        mobile_phone: "+49 170 1234567".into(),
        business_fax: "+49 30 1234568".into(),
        address: PostalAddress {
            street: "Hauptstraße 1\nHinterhof".into(),
            city: "Köln".into(),
            state: "NRW".into(),
            postal_code: "50667".into(),
            country: "Germany".into(),
        },
        notes: "Likes tea".into(),
        ..Contact::default()
    }
}

pub fn task() -> Task {
    Task {
        subject: "Отчёт".into(),
        body: "To the end".into(),
        due: Some(day(9)),
        status: Status::InProgress,
        priority: Priority::High,
        reminder: Some(noon()),
        ..Task::default()
    }
}

pub fn mail(from: &str, to: &[&str]) -> Email {
    Email {
        message_id: Some("<one@mail.example>".into()),
        direction: Direction::Received,
        subject: "Angebot".into(),
        from: Some(Person::at(from)),
        to: to.iter().map(|address| Person::at(*address)).collect(),
        cc: Vec::new(),
        bcc: Vec::new(),
        at: noon(),
        text: "Plain text".into(),
        html: Content::default(),
        sensitivity: Sensitivity::Normal,
        protection: None,
        is_draft: false,
        is_report: false,
        attachments: 0,
        references: Vec::new(),
        categories: Vec::new(),
        dropped: false,
    }
}

pub fn sample(kind: RecordKind, stage: &Stage) -> Record {
    match kind {
        RecordKind::Calendar => Record::Event(event()),
        RecordKind::Contacts => Record::Contact(contact()),
        RecordKind::Tasks => Record::Task(task()),
        RecordKind::Mail => Record::Email(Box::new(mail(&stage.contact.address, &[&stage.stranger]))),
    }
}

/// The same record with every field different.
pub fn changed(kind: RecordKind, stage: &Stage) -> Record {
    match kind {
        RecordKind::Calendar => Record::Event(Event {
            subject: "Verschoben".into(),
            body: Content::default(),
            location: "Anderswo".into(),
            when: When::AllDay {
                first: day(10),
                last: day(12),
            },
            show_as: ShowAs::Free,
            sensitivity: Sensitivity::Private,
            reminder_minutes: None,
            attendees: vec![attendee(&stage.contact.address)],
            ..event()
        }),
        RecordKind::Contacts => Record::Contact(Contact {
            given_name: "Ann".into(),
            family_name: "Other".into(),
            email: "ann.other@round.trip.example".into(),
            notes: "Likes coffee".into(),
            address: PostalAddress {
                city: "Bonn".into(),
                ..PostalAddress::default()
            },
            ..Contact::default()
        }),
        RecordKind::Tasks => Record::Task(Task {
            subject: "Bericht".into(),
            ..Task::default()
        }),
        RecordKind::Mail => panic!("mail never changes"),
    }
}

/// Takes over one field; what the neutral form calls a field is one thing here and there.
pub fn with_field(record: &Record, field: Field, source: &Record) -> Record {
    match (record, source) {
        (Record::Event(event), Record::Event(source)) => {
            let (mut event, source) = (event.clone(), source.clone());
            match field {
                Field::Subject => event.subject = source.subject,
                Field::Body => event.body = source.body,
                Field::Location => event.location = source.location,
                Field::When => event.when = source.when,
                Field::ShowAs => event.show_as = source.show_as,
                Field::Privacy => event.sensitivity = source.sensitivity,
                Field::Reminder => event.reminder_minutes = source.reminder_minutes,
                Field::Attendees => event.attendees = source.attendees,
                Field::Responses => {
                    for attendee in &mut event.attendees {
                        let key = attendee.person.key();
                        let same = source.attendees.iter().find(|one| one.person.key() == key);
                        attendee.response = same.map_or(attendee.response, |one| one.response);
                    }
                }
                other => panic!("an event has no {}", other.word()),
            }
            Record::Event(event)
        }
        (Record::Contact(contact), Record::Contact(source)) => {
            let (mut contact, source) = (contact.clone(), source.clone());
            match field {
                Field::GivenName => contact.given_name = source.given_name,
                Field::FamilyName => contact.family_name = source.family_name,
                Field::Company => contact.company = source.company,
                Field::JobTitle => contact.job_title = source.job_title,
                Field::Department => contact.department = source.department,
                Field::Email => contact.email = source.email,
                Field::BusinessPhone => contact.business_phone = source.business_phone,
                Field::HomePhone => contact.home_phone = source.home_phone,
                Field::MobilePhone => contact.mobile_phone = source.mobile_phone,
                Field::Fax => contact.business_fax = source.business_fax,
                Field::Address => contact.address = source.address,
                Field::Body => contact.notes = source.notes,
                Field::FullName => {
                    contact.given_name = source.given_name;
                    contact.family_name = source.family_name;
                }
                other => panic!("a contact has no {}", other.word()),
            }
            Record::Contact(contact)
        }
        (Record::Task(task), Record::Task(source)) => {
            let (mut task, source) = (task.clone(), source.clone());
            match field {
                Field::Subject => task.subject = source.subject,
                Field::Body => task.body = source.body,
                Field::Due => task.due = source.due,
                Field::Status => task.status = source.status,
                Field::Priority => task.priority = source.priority,
                Field::Reminder => task.reminder = source.reminder,
                other => panic!("a task has no {}", other.word()),
            }
            Record::Task(task)
        }
        _ => panic!("records of two kinds"),
    }
}

/// Without what the CRM adds by itself: names of attendees, the employer.
pub fn comparable(record: &Record) -> Record {
    match record.clone() {
        Record::Event(mut event) => {
            for attendee in &mut event.attendees {
                attendee.person = Person::at(attendee.person.key().expose().as_str());
            }
            event
                .attendees
                .sort_by(|a, b| a.person.address.cmp(&b.person.address));
            Record::Event(event)
        }
        Record::Contact(mut contact) => {
            contact.company = Content::default();
            Record::Contact(contact)
        }
        other => other,
    }
}

/// Who was asked, in the form in which addresses are compared.
pub fn guests(record: &Record) -> Vec<Content<String>> {
    match record {
        Record::Event(event) => event
            .attendees
            .iter()
            .map(|attendee| attendee.person.key())
            .collect(),
        _ => Vec::new(),
    }
}

/// So many whole days.
pub fn days(count: u32) -> When {
    When::AllDay {
        first: day(1),
        last: day(count),
    }
}
