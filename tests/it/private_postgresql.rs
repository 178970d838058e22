//! Holdfast's own PostgreSQL: made once, reachable by one door, back after every kind of death.

use crate::harness::cluster::server_user;
use crate::harness::disk::{Ballast, SmallDisk};
use crate::harness::eventually;
use chrono::DateTime;
use diesel::prelude::*;
use diesel::sql_types::Text;
use holdfast::appliance::os_user::OsUser;
use holdfast::appliance::{ApplianceError, PrivatePostgres, migrate, open};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::config::Settings;
use holdfast::foundation::db::{Db, DbError, migrate as migrations};
use holdfast::foundation::explain::Explain;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a busy machine; a test that waits so long fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder with a server in it, stopped when the test is over.
struct Appliance {
    folder: TempDir,
}

impl Appliance {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("hf").tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        Self { folder }
    }

    fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings {
            data_dir: self.data_dir().to_owned(),
            ..Settings::default()
        };
        settings.database.pool_size = 3;
        settings
    }

    fn provide(&self) -> Result<PrivatePostgres, ApplianceError> {
        PrivatePostgres::provide(self.data_dir(), None)
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        if self.data_dir().join("postgres/data/PG_VERSION").exists() {
            let stopped = self.provide().and_then(|postgres| postgres.stop());
            assert!(std::thread::panicking() || stopped.is_ok(), "{stopped:?}");
        }
    }
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

fn show(conn: &mut PgConnection, setting: &str) -> String {
    #[derive(QueryableByName)]
    struct Shown {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let shown: Shown = diesel::sql_query("SELECT current_setting($1) AS value")
        .bind::<Text, _>(setting)
        .get_result(conn)
        .unwrap();
    shown.value
}

async fn mailboxes(db: &Db) -> Result<i64, DbError> {
    use holdfast::foundation::db::schema::mailboxes;
    db.run(|conn| Ok(mailboxes::table.count().get_result(conn)?))
        .await
}

#[tokio::test]
async fn a_first_start_makes_a_migrated_database_and_a_second_start_uses_it() {
    let appliance = Appliance::new();
    let first = open(&appliance.settings()).await.unwrap();
    assert_eq!(mailboxes(&first.db).await.unwrap(), 0);
    let server = first.postgres.unwrap().postmaster();
    assert!(server.is_some());
    let second = open(&appliance.settings()).await.unwrap();
    assert_eq!(second.postgres.unwrap().postmaster(), server);
    assert!(migrate(&appliance.settings()).await.unwrap().is_empty());
}

#[tokio::test]
async fn processes_that_start_at_the_same_time_share_one_server() {
    let appliance = Appliance::new();
    let settings = appliance.settings();
    let (one, two, three) = tokio::join!(open(&settings), open(&settings), open(&settings));
    let servers: Vec<_> = [one, two, three]
        .map(|opened| opened.unwrap().postgres.unwrap().postmaster())
        .into();
    assert!(
        servers
            .iter()
            .all(|server| server.is_some() && *server == servers[0]),
        "{servers:?}"
    );
}

#[test]
fn the_server_is_durable_checked_silent_and_not_root() {
    let appliance = Appliance::new();
    let postgres = appliance.provide().unwrap();
    let mut conn = PgConnection::establish(&postgres.owner_url()).unwrap();
    for (setting, value) in [
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("log_statement", "none"),
        ("log_min_error_statement", "panic"),
        ("log_parameter_max_length_on_error", "0"),
        ("log_error_verbosity", "terse"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(show(&mut conn, setting), value, "{setting}");
    }
    let server = fs::metadata(format!("/proc/{}", postgres.postmaster().unwrap())).unwrap();
    assert_ne!(server.uid(), 0);
    let socket_dir = fs::metadata(appliance.data_dir().join("postgres/run")).unwrap();
    assert_eq!(socket_dir.mode() & 0o777, 0o700);
}

#[test]
fn nobody_signs_in_but_the_two_roles() {
    let appliance = Appliance::new();
    let postgres = appliance.provide().unwrap();
    for stranger in ["user=postgres", "user=nobody"] {
        let url = postgres.daemon_url().replace("user=holdfast_daemon", stranger);
        let refused = PgConnection::establish(&url).map(drop).unwrap_err().to_string();
        assert!(refused.contains("no pg_hba.conf entry"), "{refused}");
    }
    let elsewhere = postgres
        .daemon_url()
        .replace("dbname=holdfast", "dbname=postgres");
    assert!(PgConnection::establish(&elsewhere).is_err());
}

#[tokio::test]
async fn a_killed_server_is_started_again_and_the_open_pool_heals() {
    let appliance = Appliance::new();
    let opened = open(&appliance.settings()).await.unwrap();
    let postgres = opened.postgres.unwrap();
    // Every connection of the pool has been in use, so that every one of them is dead afterwards.
    let (one, two, three) = tokio::join!(
        mailboxes(&opened.db),
        mailboxes(&opened.db),
        mailboxes(&opened.db)
    );
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), (0, 0, 0));
    let killed = postgres.postmaster().unwrap();
    kill(killed);
    let gone = || (!Path::new(&format!("/proc/{killed}/cwd")).exists()).then_some(());
    eventually("the killed server is gone", PATIENCE, gone);
    assert!(postgres.revive().unwrap());
    assert_ne!(postgres.postmaster(), Some(killed));
    assert_eq!(mailboxes(&opened.db).await.unwrap(), 0);
    let (one, two, three) = tokio::join!(
        mailboxes(&opened.db),
        mailboxes(&opened.db),
        mailboxes(&opened.db)
    );
    assert_eq!((one.unwrap(), two.unwrap(), three.unwrap()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serving_daemon_starts_its_killed_server_again_by_itself() {
    let appliance = Appliance::new();
    let opened = open(&appliance.settings()).await.unwrap();
    let postgres = opened.postgres.unwrap();
    let clock = Clock::manual(DateTime::UNIX_EPOCH);
    let keeper = tokio::spawn(postgres.clone().keep_running(clock.clone()));
    let killed = postgres.postmaster().unwrap();
    kill(killed);
    eventually("another server runs", PATIENCE, || {
        clock.advance(Duration::from_secs(1));
        postgres.postmaster().filter(|server| *server != killed)
    });
    keeper.abort();
    // Waits for the start that is under way.
    appliance.provide().unwrap();
    assert_eq!(mailboxes(&opened.db).await.unwrap(), 0);
}

#[test]
fn a_data_folder_that_the_servers_user_cannot_enter_is_refused_with_both_named() {
    if server_user() == OsUser::current().unwrap() {
        return eprintln!("not run: only root runs the server as somebody else");
    }
    let appliance = Appliance::new();
    fs::set_permissions(appliance.data_dir(), Permissions::from_mode(0o700)).unwrap();
    let refused = appliance.provide().expect_err("the folder is root's alone");
    assert!(
        matches!(refused, ApplianceError::Unreachable { .. }),
        "{refused:?}"
    );
    let said = refused.sentence();
    let folder = appliance.data_dir().display().to_string();
    assert!(
        said.contains(&folder) && said.contains(&server_user().name),
        "{said}"
    );
}

#[tokio::test]
async fn a_database_that_is_down_is_said_to_be_down_and_then_used_again() {
    let appliance = Appliance::new();
    let opened = open(&appliance.settings()).await.unwrap();
    let postgres = opened.postgres.unwrap();
    postgres.stop().unwrap();
    let down = mailboxes(&opened.db).await.unwrap_err();
    assert_eq!(down.code(), "database.no_connection", "{down:?}");
    assert!(
        down.sentence().contains("PostgreSQL did not answer"),
        "{}",
        down.sentence()
    );
    assert!(postgres.revive().unwrap());
    assert_eq!(mailboxes(&opened.db).await.unwrap(), 0);
}

#[test]
fn a_pid_file_that_names_another_program_does_not_keep_the_server_down() {
    let appliance = Appliance::new();
    let postgres = appliance.provide().unwrap();
    let pid_file = appliance.data_dir().join("postgres/data/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    postgres.stop().unwrap();
    // The number now belongs to a living process of the server's own user that is no PostgreSQL.
    let mut stranger = server_user()
        .command(Path::new("sleep"))
        .arg("300")
        .current_dir("/")
        .spawn()
        .unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", stranger.id())).unwrap();
    server_user().take(&pid_file).unwrap();
    let revived = postgres.revive();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(revived.unwrap());
}

#[test]
fn a_first_start_that_was_killed_halfway_is_made_good() {
    let appliance = Appliance::new();
    let half = appliance.data_dir().join("postgres/data.new");
    fs::create_dir_all(half.join("base")).unwrap();
    fs::write(half.join("PG_VERSION"), "15\n").unwrap();
    for folder in [appliance.data_dir().join("postgres"), half.clone()] {
        server_user().take(&folder).unwrap();
    }
    let postgres = appliance.provide().unwrap();
    assert!(PgConnection::establish(&postgres.owner_url()).is_ok());
    assert!(!half.exists());
}

#[test]
fn an_edited_sign_in_file_is_put_right_at_the_next_start() {
    let appliance = Appliance::new();
    let postgres = appliance.provide().unwrap();
    postgres.stop().unwrap();
    let hba = appliance.data_dir().join("postgres/data/pg_hba.conf");
    fs::write(&hba, "local all all trust\n").unwrap();
    assert!(postgres.revive().unwrap());
    assert!(!fs::read_to_string(&hba).unwrap().contains("trust"));
}

#[test]
fn a_data_folder_whose_socket_would_not_fit_is_refused_with_the_reason() {
    let long = Path::new("/tmp").join("a".repeat(90));
    let refused = PrivatePostgres::provide(&long, None).expect_err("the path is too long");
    assert!(
        matches!(refused, ApplianceError::PathTooLong { .. }),
        "{refused:?}"
    );
    assert!(refused.sentence().contains("107 bytes"));
    assert!(!long.exists());
}

#[test]
fn missing_server_programs_are_named() {
    let appliance = Appliance::new();
    let refused = PrivatePostgres::provide(appliance.data_dir(), Some(Path::new("/nowhere")));
    let said = refused.expect_err("there are no programs there").sentence();
    assert!(said.contains("Install postgresql"), "{said}");
}

#[tokio::test]
async fn a_site_s_own_postgresql_is_migrated_by_its_owner_and_checked_by_the_daemon() {
    let test = crate::harness::TestDb::empty();
    let mut settings = Settings::default();
    settings.database.url = Some(test.daemon_url());
    let behind = open(&settings)
        .await
        .err()
        .expect("nobody has run the migrations");
    assert!(
        matches!(
            behind,
            ApplianceError::Migrate(migrations::MigrateError::Behind(_))
        ),
        "{behind:?}"
    );
    settings.database.owner_url = Some(test.owner_url());
    assert!(!migrate(&settings).await.unwrap().is_empty());
    settings.database.owner_url = None;
    let opened = open(&settings).await.unwrap();
    assert!(opened.postgres.is_none());
    assert_eq!(mailboxes(&opened.db).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_work_goes_on_once_there_is_space() {
    let folder = tempfile::Builder::new().prefix("hf").tempdir().unwrap();
    let Some(_disk) = SmallDisk::at(folder.path(), "160m") else {
        return eprintln!("NOT TESTED: a small disk can be mounted by root alone");
    };
    let mut settings = Settings {
        data_dir: folder.path().to_owned(),
        ..Settings::default()
    };
    settings.database.pool_size = 2;
    let opened = open(&settings).await.unwrap();
    let postgres = opened.postgres.unwrap();
    let ballast = Ballast::but(folder.path(), 256 * 1024);
    let fill = || async {
        let filled: Result<usize, DbError> = opened
            .db
            .run(|conn| {
                Ok(diesel::sql_query(
                    "INSERT INTO policies (name, version, body)
                     SELECT gen_random_uuid()::text, n, to_jsonb(repeat(gen_random_uuid()::text, 20))
                       FROM generate_series(1, 2000) n",
                )
                .execute(conn)?)
            })
            .await;
        filled
    };
    let full = fill().await.expect_err("there is no room for this");
    assert_eq!(full.code(), "database.disk_full", "{full:?}");
    assert!(full.sentence().contains("Free space"), "{}", full.sentence());
    drop(ballast);
    let filled = fill().await;
    drop(opened.db);
    postgres.stop().unwrap();
    assert_eq!(filled.unwrap(), 2000);
}
