//! Sealed secrets open with their key, in their place, and not otherwise.

use crate::harness::TestDb;
use diesel::connection::SimpleConnection;
use holdfast::foundation::clock::Clock;
use holdfast::foundation::db::Db;
use holdfast::foundation::explain::Explain;
use holdfast::foundation::ids::MailboxId;
use holdfast::foundation::keyring::{KeyFile, Keyring, KeyringError};
use holdfast::foundation::secret::Secret;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use tempfile::TempDir;

/// A database, a key file that was made for it, and the keyring over both.
struct Fixture {
    test: TestDb,
    db: Db,
    folder: TempDir,
    key_file: KeyFile,
}

impl Fixture {
    async fn new() -> Self {
        let test = TestDb::new();
        let db = test.db().await;
        let folder = tempfile::tempdir().unwrap();
        let key_file = KeyFile::new(folder.path().join("keyring.key"));
        assert!(Keyring::create_key_file(&key_file, &db).await.unwrap());
        Self {
            test,
            db,
            folder,
            key_file,
        }
    }

    async fn open(&self) -> Result<Keyring, KeyringError> {
        Keyring::open(&self.key_file, self.db.clone(), Clock::system()).await
    }

    /// The error of opening; a keyring itself cannot be printed, so `unwrap_err` does not apply.
    async fn refusal(&self) -> KeyringError {
        self.open().await.err().expect("this keyring must not open")
    }
}

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

async fn opened(keyring: &Keyring, name: &str) -> Result<Vec<u8>, KeyringError> {
    keyring
        .open_secret(name)
        .await
        .map(|secret| secret.expose().clone())
}

#[tokio::test]
async fn a_secret_survives_a_restart_and_is_not_readable_in_the_database() {
    let fixture = Fixture::new().await;
    let keyring = fixture.open().await.unwrap();
    keyring
        .seal_secret("mail_server.head.password", secret("open sesame"))
        .await
        .unwrap();
    let again = fixture.open().await.unwrap();
    assert_eq!(
        opened(&again, "mail_server.head.password").await.unwrap(),
        b"open sesame"
    );
    let raw = stored(&fixture.test, "mail_server.head.password");
    assert!(!raw.windows(11).any(|window| window == b"open sesame"));
}

fn stored(test: &TestDb, name: &str) -> Vec<u8> {
    use diesel::prelude::*;
    use holdfast::foundation::db::schema::sealed_secrets;
    sealed_secrets::table
        .find(name)
        .select(sealed_secrets::sealed)
        .first(&mut test.superuser())
        .unwrap()
}

#[tokio::test]
async fn a_value_swapped_into_another_row_does_not_open() {
    let fixture = Fixture::new().await;
    let keyring = fixture.open().await.unwrap();
    keyring
        .seal_secret("crm.sales.client_secret", secret("one"))
        .await
        .unwrap();
    keyring
        .seal_secret("mail_server.head.password", secret("two"))
        .await
        .unwrap();
    fixture
        .test
        .superuser()
        .batch_execute(
            "UPDATE sealed_secrets a SET sealed = b.sealed FROM sealed_secrets b
              WHERE a.name = 'crm.sales.client_secret' AND b.name = 'mail_server.head.password'",
        )
        .unwrap();
    let refused = opened(&keyring, "crm.sales.client_secret").await;
    assert!(
        matches!(refused, Err(KeyringError::Damaged { .. })),
        "{refused:?}"
    );
    assert_eq!(
        opened(&keyring, "mail_server.head.password").await.unwrap(),
        b"two"
    );
}

#[tokio::test]
async fn a_mailbox_key_swapped_from_another_mailbox_or_table_does_not_open() {
    let fixture = Fixture::new().await;
    let keyring = fixture.open().await.unwrap();
    let mut admin = fixture.test.superuser();
    for address in ["ada", "bob"] {
        admin
            .batch_execute(&format!(
                "INSERT INTO mailboxes (address, mail_server, crm, crm_username)
                 VALUES ('{address}@example.test', 'head', 'sales', '{address}')"
            ))
            .unwrap();
    }
    keyring.mailbox_key(MailboxId(1)).await.map(drop).unwrap();
    keyring.mailbox_key(MailboxId(2)).await.map(drop).unwrap();
    for (swap, row) in [
        (
            "UPDATE mailbox_keys a SET sealed = b.sealed FROM mailbox_keys b WHERE a.mailbox_id = 1 AND b.mailbox_id = 2",
            1,
        ),
        (
            "UPDATE mailbox_keys SET sealed = s.sealed FROM sealed_secrets s WHERE mailbox_id = 2",
            2,
        ),
    ] {
        admin.batch_execute(swap).unwrap();
        let refused = fixture
            .open()
            .await
            .unwrap()
            .mailbox_key(MailboxId(row))
            .await
            .map(drop);
        assert!(
            matches!(refused, Err(KeyringError::Damaged { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_mailbox_key_is_made_once_and_differs_from_every_other() {
    let fixture = Fixture::new().await;
    let mut admin = fixture.test.superuser();
    admin
        .batch_execute(
            "INSERT INTO mailboxes (address, mail_server, crm, crm_username)
             SELECT n || '@example.test', 'head', 'sales', n::text FROM generate_series(1, 2) n",
        )
        .unwrap();
    let (first, second) = (fixture.open().await.unwrap(), fixture.open().await.unwrap());
    let (one, same) = tokio::join!(first.mailbox_key(MailboxId(1)), second.mailbox_key(MailboxId(1)));
    let print = one.map(|key| key.print(b"event.subject", b"x")).unwrap();
    assert_eq!(same.map(|key| key.print(b"event.subject", b"x")).unwrap(), print);
    let other = first
        .mailbox_key(MailboxId(2))
        .await
        .map(|key| key.print(b"event.subject", b"x"))
        .unwrap();
    assert_ne!(other, print);
    assert_ne!(first.organisation_key().print(b"event.subject", b"x"), print);
}

#[tokio::test]
async fn a_missing_key_file_is_named_and_says_how_to_make_one() {
    let fixture = Fixture::new().await;
    fs::remove_file(fixture.key_file.path()).unwrap();
    let error = fixture.refusal().await;
    assert!(matches!(error, KeyringError::KeyFileMissing { .. }));
    assert!(
        error.sentence().contains("keyring.key is missing"),
        "{}",
        error.sentence()
    );
    assert!(
        error.sentence().contains("holdfast migrate"),
        "{}",
        error.sentence()
    );
}

#[tokio::test]
async fn a_lost_key_is_not_papered_over_with_a_new_one() {
    let fixture = Fixture::new().await;
    fixture.open().await.map(drop).unwrap();
    fs::remove_file(fixture.key_file.path()).unwrap();
    let refused = Keyring::create_key_file(&fixture.key_file, &fixture.db).await;
    assert!(
        matches!(refused, Err(KeyringError::KeyFileLost { .. })),
        "{refused:?}"
    );
    assert!(!fixture.key_file.exists());
}

#[tokio::test]
async fn another_databases_key_is_refused_before_anything_is_done_with_it() {
    let fixture = Fixture::new().await;
    fixture.open().await.map(drop).unwrap();
    let other = Fixture::new().await;
    fs::copy(other.key_file.path(), fixture.key_file.path()).unwrap();
    assert!(matches!(fixture.refusal().await, KeyringError::WrongKey));
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let fixture = Fixture::new().await;
    let path = fixture.key_file.path();
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let error = fixture.refusal().await;
        assert!(matches!(error, KeyringError::KeyFileTooOpen { .. }));
        assert!(error.sentence().contains("chmod 0600"), "{}", error.sentence());
    }
}

#[tokio::test]
async fn a_key_file_that_holds_no_key_is_refused() {
    let fixture = Fixture::new().await;
    for text in [
        "",
        "short",
        "bm90IDMyIGJ5dGVz",
        "not base64 at all!!!!!!!!!!!!!!!!!!!!!!!!!!!!",
    ] {
        fs::write(fixture.key_file.path(), text).unwrap();
        assert!(matches!(
            fixture.refusal().await,
            KeyringError::KeyFileMalformed { .. }
        ));
    }
}

#[tokio::test]
async fn a_secret_that_was_never_stored_is_named() {
    let fixture = Fixture::new().await;
    let keyring = fixture.open().await.unwrap();
    match opened(&keyring, "mail_server.head.password").await {
        Err(error @ KeyringError::NotStored { .. }) => {
            assert!(error.sentence().contains("mail_server.head.password"));
        }
        other => panic!("nothing is stored: {other:?}"),
    }
}

#[tokio::test]
async fn making_the_key_file_leaves_no_draft_behind() {
    let fixture = Fixture::new().await;
    assert!(
        !Keyring::create_key_file(&fixture.key_file, &fixture.db)
            .await
            .unwrap()
    );
    let names: Vec<_> = fs::read_dir(fixture.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["keyring.key"]);
}
