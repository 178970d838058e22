//! What every mail server behind the port must do, whichever connector speaks to it. The connector under test
//! is the one to Exchange, against the lab over a real socket.

use crate::harness::exchange::LabExchange;
use crate::harness::records::{assert_same, bare, full, other};
use holdfast::foundation::failure::Class;
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::model::*;
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast_lab::ledger::Noticed;
use std::collections::BTreeMap;

const WRITTEN: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

/// A server under test and a mailbox on it.
struct Stage {
    exchange: LabExchange,
    server: Box<dyn MailboxServer>,
    mailbox: MailboxRef,
}

impl Stage {
    async fn set() -> Self {
        let exchange = LabExchange::empty().await;
        Self {
            server: Box::new(exchange.server()),
            mailbox: exchange.mailbox(),
            exchange,
        }
    }

    async fn write(&self, kind: RecordKind, write: MailboxWrite) -> Result<ItemRef, MailboxError> {
        let written = self
            .server
            .write(&self.mailbox, kind, &[write], Notify::Nobody)
            .await
            .unwrap();
        assert_eq!(written.len(), 1);
        written.into_iter().next().unwrap().map(|written| written.item)
    }

    async fn create(&self, stamp: &str, record: Record) -> ItemRef {
        let stamp = Stamp(stamp.to_owned());
        self.write(record.kind(), MailboxWrite::Create { stamp, record })
            .await
            .unwrap()
    }

    async fn read(&self, kind: RecordKind, item: &ItemId) -> Result<MailboxItem, MailboxError> {
        let read = self
            .server
            .read(&self.mailbox, kind, std::slice::from_ref(item))
            .await
            .unwrap();
        assert_eq!(read.len(), 1);
        read.into_iter().next().unwrap()
    }

    /// All pages from a cursor on: what each item's last word was, and the cursor after them.
    async fn follow(
        &self,
        kind: RecordKind,
        mut cursor: Option<MailboxCursor>,
        page_size: usize,
    ) -> (BTreeMap<ItemId, ItemChange>, MailboxCursor) {
        let mut seen = BTreeMap::new();
        loop {
            let page = self
                .server
                .changes(&self.mailbox, kind, cursor.as_ref(), page_size)
                .await
                .unwrap();
            assert!(
                page.changes.len() <= page_size,
                "a page of {}",
                page.changes.len()
            );
            for change in page.changes {
                let id = match &change {
                    ItemChange::Upserted(item) => item.id.clone(),
                    ItemChange::Deleted(id) => id.clone(),
                };
                seen.insert(id, change);
            }
            if !page.more {
                return (seen, page.cursor);
            }
            cursor = Some(page.cursor);
        }
    }
}

fn class<T>(result: Result<T, MailboxError>) -> Class {
    result.err().unwrap().class()
}

#[tokio::test]
async fn every_field_that_is_written_at_birth_comes_back() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        for (stamp, record) in [("one", full(kind)), ("two", other(kind)), ("three", bare(kind))] {
            let item = stage.create(stamp, record.clone()).await;
            let read = stage.read(kind, &item.id).await.unwrap();
            assert_same(&record, &read.record, FieldSet::of_kind(kind));
            assert_eq!(
                read.item, item,
                "the version that a write gives is the version that is read"
            );
            assert_eq!(read.stamp, Some(Stamp(stamp.to_owned())));
            assert!(read.modified.is_some() && !read.degraded);
        }
    }
}

#[tokio::test]
async fn an_update_sets_the_field_that_it_names_and_leaves_the_others_alone() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let (before, after) = (full(kind), other(kind));
        let written = FieldSet::of_kind(kind).minus(FieldSet::ONE_WAY);
        for field in written.iter() {
            let item = stage.create(field.word(), before.clone()).await;
            let fields = FieldSet::of(&[field]);
            let update = MailboxWrite::Update {
                item: item.clone(),
                fields,
                record: after.clone(),
            };
            let updated = stage.write(kind, update).await.unwrap();
            assert_ne!(updated.version, item.version, "{}", field.word());
            let read = stage.read(kind, &item.id).await.unwrap();
            assert_same(&after, &read.record, fields);
            // The two names and the full name say the same thing twice.
            let name = [Field::GivenName, Field::FamilyName, Field::FullName];
            let told_too = if name.contains(&field) {
                &name[..]
            } else {
                &[field]
            };
            let others = told_too
                .iter()
                .fold(FieldSet::of_kind(kind), |all, field| all.without(*field));
            assert_same(&before, &read.record, others);
        }
    }
}

#[tokio::test]
async fn an_update_with_an_empty_value_empties_the_field() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let item = stage.create("stamp", full(kind)).await;
        let update = MailboxWrite::Update {
            item: item.clone(),
            fields: FieldSet::of_kind(kind),
            record: bare(kind),
        };
        stage.write(kind, update).await.unwrap();
        let read = stage.read(kind, &item.id).await.unwrap();
        assert_same(&bare(kind), &read.record, FieldSet::of_kind(kind));
    }
}

#[tokio::test]
async fn a_stamp_finds_the_item_that_bears_it_and_nothing_else() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let first = stage.create("first", full(kind)).await;
        let second = stage.create("second", full(kind)).await;
        let wanted: Vec<Stamp> = ["second", "never", "first"]
            .iter()
            .map(|stamp| Stamp((*stamp).to_owned()))
            .collect();
        let found = stage
            .server
            .find_stamped(&stage.mailbox, kind, &wanted)
            .await
            .unwrap();
        assert_eq!(found, [Some(second), None, Some(first)]);
    }
}

#[tokio::test]
async fn many_stamps_are_found_in_one_call_of_ours() {
    let stage = Stage::set().await;
    let stamps: Vec<Stamp> = (0..260).map(|number| Stamp(format!("stamp-{number}"))).collect();
    let writes: Vec<_> = stamps
        .iter()
        .map(|stamp| MailboxWrite::Create {
            stamp: stamp.clone(),
            record: bare(RecordKind::Tasks),
        })
        .collect();
    let written = stage
        .server
        .write(&stage.mailbox, RecordKind::Tasks, &writes, Notify::Nobody)
        .await
        .unwrap();
    let found = stage
        .server
        .find_stamped(&stage.mailbox, RecordKind::Tasks, &stamps)
        .await
        .unwrap();
    let expected: Vec<_> = written
        .into_iter()
        .map(|written| Some(written.unwrap().item))
        .collect();
    assert!(found == expected, "every stamp finds its own item");
}

#[tokio::test]
async fn an_update_at_an_old_version_conflicts_and_changes_nothing() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let old = stage.create("stamp", full(kind)).await;
        let fields = FieldSet::of(&[Field::Body]);
        let update = |item: &ItemRef, record| MailboxWrite::Update {
            item: item.clone(),
            fields,
            record,
        };
        let new = stage.write(kind, update(&old, bare(kind))).await.unwrap();
        assert_eq!(
            class(stage.write(kind, update(&old, other(kind))).await),
            Class::Conflict
        );
        let read = stage.read(kind, &old.id).await.unwrap();
        assert_same(&bare(kind), &read.record, fields);
        assert_eq!(read.item, new);
        let whatever = ItemRef {
            version: ItemVersion(String::new()),
            ..old
        };
        stage.write(kind, update(&whatever, other(kind))).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_deleted_is_gone_for_every_verb() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let item = stage.create("stamp", full(kind)).await;
        let delete = || MailboxWrite::Delete {
            item: item.id.clone(),
        };
        stage.write(kind, delete()).await.unwrap();
        assert_eq!(class(stage.read(kind, &item.id).await), Class::Gone);
        assert_eq!(class(stage.write(kind, delete()).await), Class::Gone);
        let whatever = ItemRef {
            id: item.id.clone(),
            version: ItemVersion(String::new()),
        };
        let update = MailboxWrite::Update {
            item: whatever,
            fields: FieldSet::of(&[Field::Body]),
            record: other(kind),
        };
        assert_eq!(class(stage.write(kind, update).await), Class::Gone);
        let stamps = [Stamp("stamp".to_owned())];
        assert_eq!(
            stage
                .server
                .find_stamped(&stage.mailbox, kind, &stamps)
                .await
                .unwrap(),
            [None]
        );
    }
}

#[tokio::test]
async fn one_write_that_fails_does_not_take_its_neighbours_along() {
    let stage = Stage::set().await;
    let kind = RecordKind::Tasks;
    let gone = stage.create("gone", full(kind)).await;
    let kept = stage.create("kept", full(kind)).await;
    stage
        .write(
            kind,
            MailboxWrite::Delete {
                item: gone.id.clone(),
            },
        )
        .await
        .unwrap();
    let fields = FieldSet::of(&[Field::Subject]);
    let writes = [
        MailboxWrite::Update {
            item: gone.clone(),
            fields,
            record: other(kind),
        },
        MailboxWrite::Create {
            stamp: Stamp("new".to_owned()),
            record: full(kind),
        },
        MailboxWrite::Update {
            item: kept,
            fields,
            record: other(kind),
        },
        MailboxWrite::Delete { item: gone.id },
    ];
    let written = stage
        .server
        .write(&stage.mailbox, kind, &writes, Notify::Nobody)
        .await
        .unwrap();
    let succeeded: Vec<bool> = written.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [false, true, true, false]);
}

#[tokio::test]
async fn the_feed_tells_of_creations_changes_and_deletions_each_once() {
    let stage = Stage::set().await;
    for kind in WRITTEN {
        let (_, start) = stage.follow(kind, None, 512).await;
        let kept = stage.create("kept", full(kind)).await;
        let (seen, then) = stage.follow(kind, Some(start.clone()), 512).await;
        assert_eq!(
            seen.into_values().collect::<Vec<_>>(),
            [ItemChange::Upserted(kept.clone())]
        );
        let fields = FieldSet::of(&[Field::Body]);
        let changed = MailboxWrite::Update {
            item: kept.clone(),
            fields,
            record: other(kind),
        };
        let changed = stage.write(kind, changed).await.unwrap();
        let (seen, then) = stage.follow(kind, Some(then), 512).await;
        assert_eq!(
            seen.into_values().collect::<Vec<_>>(),
            [ItemChange::Upserted(changed)]
        );
        stage
            .write(
                kind,
                MailboxWrite::Delete {
                    item: kept.id.clone(),
                },
            )
            .await
            .unwrap();
        let (seen, then) = stage.follow(kind, Some(then), 512).await;
        assert_eq!(
            seen.into_values().collect::<Vec<_>>(),
            [ItemChange::Deleted(kept.id.clone())]
        );
        let (seen, _) = stage.follow(kind, Some(then), 512).await;
        assert!(seen.is_empty(), "nothing happened since");
        // An older cursor still works, and tells less or more but never something untrue.
        let (seen, _) = stage.follow(kind, Some(start), 512).await;
        assert!(
            seen.values()
                .all(|change| *change == ItemChange::Deleted(kept.id.clone()))
        );
    }
}

#[tokio::test]
async fn small_pages_lose_nothing_and_are_never_larger_than_asked_for() {
    let stage = Stage::set().await;
    let kind = RecordKind::Contacts;
    let mut made = Vec::new();
    for number in 0..11 {
        made.push(stage.create(&format!("stamp-{number}"), full(kind)).await.id);
    }
    made.sort();
    for page_size in [1, 3, 11, 12] {
        let (seen, _) = stage.follow(kind, None, page_size).await;
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), made, "pages of {page_size}");
    }
}

#[tokio::test]
async fn a_cursor_that_the_server_never_gave_is_a_lost_one() {
    let stage = Stage::set().await;
    for kind in RecordKind::ALL {
        let cursor = MailboxCursor(b"nonsense".to_vec());
        let page = stage
            .server
            .changes(&stage.mailbox, kind, Some(&cursor), 512)
            .await;
        assert_eq!(class(page), Class::CursorLost);
    }
}

#[tokio::test]
async fn nobody_hears_of_a_meeting_that_is_written_for_nobody_and_its_guests_hear_of_one_written_for_them() {
    let stage = Stage::set().await;
    let kind = RecordKind::Calendar;
    let ledger = &stage.exchange.lab.parts.ledger;
    let create = |stamp: &str| MailboxWrite::Create {
        stamp: Stamp(stamp.to_owned()),
        record: full(kind),
    };
    let quiet = stage.write(kind, create("quiet")).await.unwrap();
    let update = |item: &ItemRef| MailboxWrite::Update {
        item: item.clone(),
        fields: FieldSet::of_kind(kind),
        record: other(kind),
    };
    let quiet = stage.write(kind, update(&quiet)).await.unwrap();
    stage
        .write(kind, MailboxWrite::Delete { item: quiet.id })
        .await
        .unwrap();
    let told = |ledger: &holdfast_lab::ledger::Ledger| {
        let entries = ledger.entries();
        entries
            .into_iter()
            .filter(|entry| !matches!(entry, Noticed::Deleted { .. }))
            .count()
    };
    assert_eq!(told(ledger), 0);
    stage
        .server
        .write(&stage.mailbox, kind, &[create("loud")], Notify::Attendees)
        .await
        .unwrap();
    let invited = ledger.entries().into_iter().any(|entry| match entry {
        Noticed::Invitation { to, .. } => to.contains(&"guest@outside.example".to_owned()),
        _ => false,
    });
    assert!(invited);
}

#[tokio::test]
async fn a_mailbox_outside_the_scope_and_one_that_does_not_exist_are_told_apart() {
    let stage = Stage::set().await;
    let outside = MailboxRef {
        address: stage.exchange.lab.outside_scope.clone(),
        ..stage.mailbox.clone()
    };
    assert!(matches!(
        stage.server.probe(&outside).await,
        Err(MailboxError::OutsideScope)
    ));
    let nobody = MailboxRef {
        address: "nobody@lab.example".to_owned(),
        ..stage.mailbox.clone()
    };
    assert!(matches!(
        stage.server.probe(&nobody).await,
        Err(MailboxError::NoSuchMailbox)
    ));
}

#[tokio::test]
async fn a_wrong_password_is_a_refused_sign_in() {
    let exchange = LabExchange::empty().await;
    let mut settings = exchange.settings();
    settings.password = Secret::new("wrong".to_owned());
    let probe = exchange.server_with(settings).probe(&exchange.mailbox()).await;
    assert!(matches!(probe, Err(MailboxError::SignInRefused { .. })));
}

#[tokio::test]
async fn a_probe_names_the_server_and_counts_what_each_stream_holds() {
    let stage = Stage::set().await;
    stage.create("one", full(RecordKind::Tasks)).await;
    let probe = stage.server.probe(&stage.mailbox).await.unwrap();
    assert!(!probe.server.is_empty());
    for kind in RecordKind::ALL {
        let expected = u32::from(kind == RecordKind::Tasks);
        assert!(probe.items.contains(&(kind, Some(expected))), "{}", kind.word());
    }
}
