//! What is written is read back, field by field.

use super::Stage;
use super::samples::{changed, day, event, mail, noon, sample, with_field};
use chrono::TimeDelta;
use holdfast::record::Record;
use holdfast::record::event::{Event, Sensitivity, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;

pub async fn a_record_of_each_kind_is_read_back_as_it_was_written(stage: Stage) {
    for kind in RecordKind::ALL {
        let record = sample(kind, &stage);
        let written = stage.create(kind.word(), record.clone()).await.expect("written");
        assert!(!written.existed);
        let found = stage.read(kind, &written.id).await.expect("the record");
        assert_eq!(found.id, written.id);
        assert_eq!(found.key, Some(stage.key(kind.word())));
        stage.assert_same(kind, &record, &found.record, "a create").await;
    }
}

pub async fn every_writable_field_changes_alone(stage: Stage) {
    let capabilities = stage.crm.capabilities(&stage.user).await.expect("capabilities");
    for kind in super::FED {
        let mut expected = sample(kind, &stage);
        let target = changed(kind, &stage);
        let id = stage
            .create(kind.word(), expected.clone())
            .await
            .expect("written")
            .id;
        let writable = capabilities.writable(kind);
        assert!(
            writable.has(Field::Body) && writable.len() > 3,
            "the user may write most of a {}",
            kind.word()
        );
        for field in writable.iter() {
            expected = with_field(&expected, field, &target);
            stage
                .update(&id, FieldSet::NONE.with(field), expected.clone())
                .await
                .expect("updated");
            let found = stage.read(kind, &id).await.expect("the record");
            stage
                .assert_same(kind, &expected, &found.record, field.word())
                .await;
        }
    }
}

pub async fn an_event_that_moves_takes_its_reminder_along(stage: Stage) {
    let id = stage
        .create("moves", Record::Event(event()))
        .await
        .expect("written")
        .id;
    let later = Event {
        when: When::Timed {
            start: noon() + TimeDelta::hours(3),
            end: noon() + TimeDelta::hours(4),
        },
        ..event()
    };
    let when = FieldSet::of(&[Field::When]);
    stage
        .update(&id, when, Record::Event(later.clone()))
        .await
        .expect("updated");
    let found = stage.read(RecordKind::Calendar, &id).await.expect("the record");
    stage
        .assert_same(
            RecordKind::Calendar,
            &Record::Event(later),
            &found.record,
            "a move",
        )
        .await;
}

pub async fn days_keep_their_dates(stage: Stage) {
    for (name, first, last) in [("one day", 1, 1), ("three days", 1, 3), ("a week", 1, 7)] {
        let record = Record::Event(Event {
            when: When::AllDay {
                first: day(first),
                last: day(last),
            },
            ..event()
        });
        let id = stage.create(name, record.clone()).await.expect("written").id;
        let found = stage.read(RecordKind::Calendar, &id).await.expect("the record");
        stage
            .assert_same(RecordKind::Calendar, &record, &found.record, name)
            .await;
    }
}

pub async fn a_private_event_is_private_to_others(stage: Stage) {
    let record = Record::Event(Event {
        sensitivity: Sensitivity::Confidential,
        ..event()
    });
    let id = stage.create("private", record).await.expect("written").id;
    let Record::Event(found) = stage.record(RecordKind::Calendar, &id).await else {
        panic!("an event")
    };
    assert!(found.sensitivity.is_private());
}

pub async fn a_mail_is_written_once_and_keeps_its_people(stage: Stage) {
    let mail = mail(&stage.contact.address, &[&stage.stranger]);
    let record = Record::Email(Box::new(mail.clone()));
    let id = stage.create("mail", record).await.expect("written").id;
    let found = stage.read(RecordKind::Mail, &id).await.expect("the record");
    let Record::Email(found) = found.record else {
        panic!("a mail")
    };
    assert!(found.subject == mail.subject && found.text == mail.text && found.at == mail.at);
    assert!(found.message_id == mail.message_id && found.direction == mail.direction);
    assert!(found.from.map(|from| from.key()) == mail.from.map(|from| from.key()));
    assert!(
        found
            .to
            .iter()
            .any(|person| *person.address.expose() == stage.stranger)
    );
}
