//! Records to write and read back, and how two of them are compared.

use chrono::{NaiveDate, TimeZone, Utc};
use holdfast::foundation::content::Content;
use holdfast::record::Record;
use holdfast::record::contact::{Contact, PostalAddress};
use holdfast::record::event::*;
use holdfast::record::field::FieldSet;
use holdfast::record::kind::RecordKind;
use holdfast::record::normalise;
use holdfast::record::person::Person;
use holdfast::record::task::{Priority, Status, Task};

fn text(text: &str) -> Content<String> {
    Content::from(text)
}

fn attendee(address: &str, attendance: Attendance) -> Attendee {
    Attendee {
        person: Person::at(address),
        attendance,
        response: Response::None,
    }
}

fn event() -> Event {
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: text("Übergabe & <Abschluss>"),
        body: text("Erste Zeile\nzweite Zeile"),
        location: text("Raum \"B\""),
        when: When::Timed {
            start: Utc.with_ymd_and_hms(2027, 3, 29, 7, 30, 0).unwrap(),
            end: Utc.with_ymd_and_hms(2027, 3, 29, 8, 15, 0).unwrap(),
        },
        zone: Some(chrono_tz::Europe::Berlin),
        show_as: ShowAs::Tentative,
        sensitivity: Sensitivity::Normal,
        reminder_minutes: Some(20),
        is_organizer: true,
        organizer: None,
        attendees: vec![
            attendee("guest@outside.example", Attendance::Required),
            attendee("second@outside.example", Attendance::Optional),
        ],
        groups: Vec::new(),
        cancelled: false,
    }
}

fn contact() -> Contact {
    Contact {
        given_name: text("Zoë"),
        family_name: text("O'Neill"),
        company: text("Müller & Söhne"),
        job_title: text("Einkauf"),
        department: text("Technik"),
        email: text("zoe@outside.example"),
        business_phone: text("+49 30 1234"),
        home_phone: text("+49 30 5678"),
        mobile_phone: text("+49 170 9012"),
        business_fax: text("+49 30 3456"),
        address: PostalAddress {
            street: text("Hauptstraße 1"),
            city: text("Köln"),
            state: text("NRW"),
            postal_code: text("50667"),
            country: text("Deutschland"),
        },
        notes: text("mag Tee"),
        is_private: false,
    }
}

fn task() -> Task {
    Task {
        subject: text("Angebot schreiben"),
        body: text("bis Freitag"),
        due: NaiveDate::from_ymd_opt(2027, 4, 2),
        status: Status::InProgress,
        priority: Priority::High,
        reminder: Some(Utc.with_ymd_and_hms(2027, 4, 1, 9, 0, 0).unwrap()),
        is_private: false,
        is_recurring: false,
    }
}

/// A record with every field filled.
pub fn full(kind: RecordKind) -> Record {
    match kind {
        RecordKind::Calendar => Record::Event(event()),
        RecordKind::Contacts => Record::Contact(contact()),
        RecordKind::Tasks => Record::Task(task()),
        RecordKind::Mail => panic!("mail is not written"),
    }
}

/// The same kind with every field different.
pub fn other(kind: RecordKind) -> Record {
    match kind {
        RecordKind::Calendar => Record::Event(Event {
            subject: text("Another"),
            body: text("Other words"),
            location: text("Elsewhere"),
            when: When::AllDay {
                first: NaiveDate::from_ymd_opt(2027, 3, 27).unwrap(),
                last: NaiveDate::from_ymd_opt(2027, 3, 28).unwrap(),
            },
            zone: Some(chrono_tz::Europe::Berlin),
            show_as: ShowAs::OutOfOffice,
            sensitivity: Sensitivity::Private,
            reminder_minutes: None,
            attendees: vec![attendee("third@outside.example", Attendance::Required)],
            ..event()
        }),
        RecordKind::Contacts => Record::Contact(Contact {
            given_name: text("Ann"),
            family_name: text("Lee"),
            company: text("Lee Ltd"),
            job_title: text("Chief"),
            department: text("Board"),
            email: text("ann@outside.example"),
            business_phone: text("+1 555 0100"),
            home_phone: text("+1 555 0101"),
            mobile_phone: text("+1 555 0102"),
            business_fax: text("+1 555 0103"),
            address: PostalAddress {
                street: text("1 High St"),
                city: text("York"),
                state: text("N"),
                postal_code: text("YO1"),
                country: text("UK"),
            },
            notes: text("likes coffee"),
            is_private: false,
        }),
        RecordKind::Tasks => Record::Task(Task {
            subject: text("Another"),
            body: text("Other words"),
            due: NaiveDate::from_ymd_opt(2027, 5, 3),
            status: Status::Waiting,
            priority: Priority::Low,
            reminder: None,
            ..task()
        }),
        RecordKind::Mail => panic!("mail is not written"),
    }
}

/// The same kind with everything empty that can be.
pub fn bare(kind: RecordKind) -> Record {
    match kind {
        RecordKind::Calendar => Record::Event(Event {
            subject: text(""),
            body: text(""),
            location: text(""),
            reminder_minutes: None,
            attendees: Vec::new(),
            ..event()
        }),
        RecordKind::Contacts => Record::Contact(Contact {
            family_name: text("Only"),
            ..Contact::default()
        }),
        RecordKind::Tasks => Record::Task(Task {
            subject: text("Only"),
            ..Task::default()
        }),
        RecordKind::Mail => panic!("mail is not written"),
    }
}

/// Who was asked, in the form in which addresses are compared.
fn guests(record: &Record) -> Vec<Content<String>> {
    match record {
        Record::Event(event) => {
            let mut guests: Vec<_> = event
                .attendees
                .iter()
                .map(|attendee| attendee.person.key())
                .collect();
            guests.sort();
            guests
        }
        _ => Vec::new(),
    }
}

/// Fails with the name of the first field that differs.
pub fn assert_same(left: &Record, right: &Record, fields: FieldSet) {
    for field in fields.iter() {
        let value = |record| normalise::value(record, field, &guests(record));
        assert!(value(left) == value(right), "{} differs", field.word());
    }
}
