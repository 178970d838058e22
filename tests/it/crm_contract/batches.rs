//! Each write of a batch has its own fate, and a repetition does no harm.

use super::Stage;
use super::samples::{contact, sample, task};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;

pub async fn a_key_that_is_taken_creates_nothing_and_names_the_first_record(stage: Stage) {
    for kind in RecordKind::ALL {
        let first = stage.create("same", sample(kind, &stage)).await.expect("written");
        let again = stage
            .create("same", sample(kind, &stage))
            .await
            .expect("recognised");
        assert!(again.existed, "the {} is recognised", kind.word());
        assert_eq!(again.id, first.id);
        let other = stage
            .create("other", sample(kind, &stage))
            .await
            .expect("written");
        assert!(!other.existed && other.id != first.id);
    }
}

pub async fn a_deletion_that_is_repeated_does_no_harm(stage: Stage) {
    let id = stage
        .create("twice", Record::Task(task()))
        .await
        .expect("written")
        .id;
    let delete = || stage.one(RecordKind::Tasks, CrmWrite::Delete { id: id.clone() });
    delete().await.expect("deleted");
    let again = delete().await;
    assert!(again.is_ok() || again.is_err_and(|error| error.class() == Class::Gone));
    assert!(stage.read(RecordKind::Tasks, &id).await.is_none());
}

pub async fn the_fates_of_a_batch_are_told_apart(stage: Stage) {
    let gone = stage
        .create("gone", Record::Contact(contact()))
        .await
        .expect("written")
        .id;
    let kept = stage
        .create("kept", Record::Contact(contact()))
        .await
        .expect("written")
        .id;
    stage
        .one(RecordKind::Contacts, CrmWrite::Delete { id: gone.clone() })
        .await
        .expect("deleted");
    let create = |name: &str, contact: Contact| CrmWrite::Create {
        key: stage.key(name),
        record: Record::Contact(contact),
        matches: Vec::new(),
    };
    let update = |id: &CrmId| CrmWrite::Update {
        id: id.clone(),
        fields: FieldSet::of(&[Field::JobTitle]),
        record: Record::Contact(contact()),
        matches: Vec::new(),
    };
    let writes = [
        create("good", contact()),
        create("nameless", Contact::default()),
        update(&gone),
        update(&kept),
        create("kept", contact()),
        CrmWrite::Delete { id: kept.clone() },
    ];
    let fates = stage
        .crm
        .write(&stage.user, RecordKind::Contacts, &writes)
        .await
        .expect("answered");
    assert_eq!(fates.len(), writes.len());
    let class = |at: usize| fates[at].as_ref().err().map(CrmError::class);
    assert!(fates[0].as_ref().is_ok_and(|written| !written.existed));
    assert_eq!(class(1), Some(Class::Refused));
    assert_eq!(class(2), Some(Class::Gone));
    assert!(fates[3].as_ref().is_ok_and(|written| written.id == kept));
    assert!(
        fates[4]
            .as_ref()
            .is_ok_and(|written| written.existed && written.id == kept)
    );
    assert!(fates[5].is_ok());
}

pub async fn a_text_that_is_too_long_is_refused_and_its_neighbours_are_not(stage: Stage) {
    let capabilities = stage.crm.capabilities(&stage.user).await.expect("capabilities");
    let most = capabilities
        .length(RecordKind::Tasks, Field::Subject)
        .expect("a subject has a length");
    let create = |length: usize| CrmWrite::Create {
        key: stage.key(&format!("{length} long")),
        record: Record::Task(Task {
            subject: "x".repeat(length).into(),
            ..Task::default()
        }),
        matches: Vec::new(),
    };
    let writes = [create(most + 1), create(most)];
    let fates = stage
        .crm
        .write(&stage.user, RecordKind::Tasks, &writes)
        .await
        .expect("answered");
    assert_eq!(fates[0].as_ref().err().map(CrmError::class), Some(Class::Refused));
    assert!(fates[1].is_ok());
}
