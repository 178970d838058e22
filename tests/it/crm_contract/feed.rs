//! The feed shows every change to the user's own records.

use super::Stage;
use super::samples::{changed, sample};
use holdfast::crm::model::{CrmChange, CrmCursor, CrmId, CrmWrite, Fate};
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use std::collections::HashSet;

pub async fn the_feed_shows_what_is_new_what_changed_and_what_was_deleted(stage: Stage) {
    for kind in super::FED {
        let (_, cursor) = stage.feed(kind, None).await;
        let id = stage
            .create(kind.word(), sample(kind, &stage))
            .await
            .expect("written")
            .id;
        let (changes, cursor) = stage.feed(kind, Some(cursor)).await;
        assert!(upserted(&changes, &id) >= 1, "a new {}", kind.word());

        let subject = FieldSet::of(&[Field::Body]);
        stage
            .update(&id, subject, changed(kind, &stage))
            .await
            .expect("updated");
        let (changes, cursor) = stage.feed(kind, Some(cursor)).await;
        assert!(upserted(&changes, &id) >= 1, "a changed {}", kind.word());

        stage
            .one(kind, CrmWrite::Delete { id: id.clone() })
            .await
            .expect("deleted");
        let (changes, _) = stage.feed(kind, Some(cursor)).await;
        let gone = |change: &CrmChange| matches!(change, CrmChange::Deleted(gone) if *gone == id);
        let told = match stage.capabilities().await.deletions_in_feed {
            true => changes.iter().any(gone),
            false => {
                let fates = stage
                    .crm
                    .fates(&stage.user, kind, std::slice::from_ref(&id))
                    .await;
                fates.expect("asked") == [Fate::Deleted]
            }
        };
        assert!(told, "a deleted {}", kind.word());
        assert_eq!(
            upserted(&changes, &id),
            0,
            "a deleted {} is not there",
            kind.word()
        );
    }
}

fn upserted(changes: &[CrmChange], id: &CrmId) -> usize {
    let of = |change: &&CrmChange| matches!(change, CrmChange::Upserted(record) if record.id == *id);
    changes.iter().filter(of).count()
}

pub async fn the_feed_holds_the_users_own_records_and_all_of_them(stage: Stage) {
    let mut ids = HashSet::new();
    let writes: Vec<CrmWrite> = (0..450)
        .map(|n| CrmWrite::Create {
            key: stage.key(&format!("bulk {n}")),
            record: Record::Task(Task {
                subject: format!("Task {n}").into(),
                ..Task::default()
            }),
            matches: Vec::new(),
        })
        .collect();
    for fate in stage
        .crm
        .write(&stage.user, RecordKind::Tasks, &writes)
        .await
        .expect("written")
    {
        ids.insert(fate.expect("each is written").id);
    }
    assert_eq!(ids.len(), writes.len());
    let (changes, _) = stage.feed(RecordKind::Tasks, None).await;
    let mut owners = HashSet::new();
    for change in changes {
        if let CrmChange::Upserted(record) = change {
            ids.remove(&record.id);
            owners.insert(record.owner);
        }
    }
    assert!(ids.is_empty(), "{} records are missing from the feed", ids.len());
    assert_eq!(owners.len(), 1, "the feed is one user's own");
}

pub async fn a_cursor_from_elsewhere_is_lost_and_said_to_be(stage: Stage) {
    let foreign = CrmCursor(b"from another system".to_vec());
    let answer = stage
        .crm
        .changes(&stage.user, RecordKind::Tasks, Some(&foreign))
        .await;
    assert_eq!(answer.err().map(|error| error.class()), Some(Class::CursorLost));
}
