//! One PostgreSQL cluster for every test process of this user, started by the first and stopped when idle.
//!
//! nextest runs each test in a process of its own, so the cluster cannot belong to a process. It lives in a
//! folder of the temp folder; every test process holds a shared lock on `users.lock` for as long as it lives,
//! and a small shell loop stops the cluster and removes the folder once nobody has held it for a while.
//! Tests of several checkouts may share it: each schema has its own template database.
//!
//! Durability is off here: tests of crashes bring their own cluster. The superuser `harness` and trusted
//! sign-in exist here alone, behind a folder that only its owner can enter.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use holdfast::appliance::os_user::OsUser;
use holdfast::appliance::programs::Programs;
use holdfast::appliance::provision::ROLES_SQL;
use holdfast::foundation::db::migrate;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The running cluster, as this process sees it.
pub struct Cluster {
    socket_dir: PathBuf,
    template: String,
    /// Held until the process ends: somebody uses the cluster.
    _in_use: File,
}

/// The cluster, started if it does not run yet, with this checkout's schema in a template database.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::open)
}

impl Cluster {
    fn open() -> Self {
        let user = server_user();
        let root = std::env::temp_dir().join(format!("holdfast-it-{}", user.uid));
        let _ = DirBuilder::new().mode(0o700).create(&root);
        user.take(&root).unwrap();
        let starting = locked(&root.join("start.lock"), FlockOperation::LockExclusive);
        let in_use = locked(&root.join("users.lock"), FlockOperation::LockShared);
        let socket_dir = root.join("run");
        if connect(&socket_dir, "postgres").is_err() {
            start(&root, &socket_dir, &user);
        }
        let template = make_template(&socket_dir);
        drop(starting);
        Self {
            socket_dir,
            template,
            _in_use: in_use,
        }
    }

    /// A connection string for one role and database.
    pub fn url(&self, role: &str, database: &str) -> String {
        url(&self.socket_dir, role, database)
    }

    /// Where its socket is.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// Makes a database: an empty one, or a copy of the migrated template.
    pub fn create_database(&self, name: &str, migrated: bool) {
        let template = if migrated { &self.template } else { "template0" };
        let mut admin = connect(&self.socket_dir, "postgres").unwrap();
        create_database(&mut admin, name, template);
    }

    /// Removes a database, whoever is connected to it.
    pub fn drop_database(&self, name: &str) {
        let mut admin = connect(&self.socket_dir, "postgres").unwrap();
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .unwrap();
    }
}

/// The owner and the daemon get what database.sql gives them; a copied database does not inherit it.
fn create_database(admin: &mut PgConnection, name: &str, template: &str) {
    for statement in [
        format!("CREATE DATABASE {name} OWNER holdfast_owner TEMPLATE {template}"),
        format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"),
        format!("GRANT CONNECT ON DATABASE {name} TO holdfast_daemon"),
    ] {
        admin.batch_execute(&statement).unwrap();
    }
}

/// PostgreSQL refuses to run as root.
pub fn server_user() -> OsUser {
    let me = OsUser::current().unwrap();
    if !me.is_root() {
        return me;
    }
    let known = OsUser::lookup("holdfast").or_else(|| OsUser::lookup("postgres"));
    known.expect("as root, the tests need a user holdfast or postgres to run PostgreSQL as")
}

fn locked(path: &Path, how: FlockOperation) -> File {
    let file = File::options().create(true).append(true).open(path).unwrap();
    flock(&file, how).unwrap();
    file
}

pub fn url(socket_dir: &Path, role: &str, database: &str) -> String {
    format!(
        "host='{}' port=5432 user={role} dbname={database} sslmode=disable",
        socket_dir.display()
    )
}

fn connect(socket_dir: &Path, database: &str) -> ConnectionResult<PgConnection> {
    PgConnection::establish(&url(socket_dir, "harness", database))
}

fn start(root: &Path, socket_dir: &Path, user: &OsUser) {
    let programs = Programs::find(None, None).expect("the tests need PostgreSQL's server programs");
    let data = root.join("data");
    for leftover in [data.as_path(), socket_dir] {
        let _ = fs::remove_dir_all(leftover);
    }
    let mut initdb = user.command(&programs.path("initdb"));
    initdb.args([
        "--username=harness",
        "--auth=trust",
        "--no-sync",
        "--locale=C",
        "--encoding=UTF8",
        "-D",
    ]);
    succeed(initdb.arg(&data).current_dir(root));
    succeed(user.command(Path::new("mkdir")).arg(socket_dir));
    let settings = format!(
        "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c autovacuum=off -c max_connections=200 -c log_error_verbosity=terse -c log_checkpoints=off",
        socket_dir.display()
    );
    let mut pg_ctl = user.command(&programs.path("pg_ctl"));
    pg_ctl
        .current_dir(root)
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(root.join("log"))
        .arg("-o")
        .arg(settings);
    succeed(pg_ctl.args(["start", "--wait", "--silent"]));
    let mut admin = connect(socket_dir, "postgres").unwrap();
    admin.batch_execute(ROLES_SQL).unwrap();
    stop_when_idle(root, &programs, user);
}

/// The loop is a process of its own session, so that the end of a test run does not end it too early.
#[expect(
    clippy::zombie_processes,
    reason = "it outlives this process, and init waits for it"
)]
fn stop_when_idle(root: &Path, programs: &Programs, user: &OsUser) {
    let stop = format!(
        "while sleep 30; do flock --nonblock --conflict-exit-code 75 users.lock -c '\
         {pg_ctl} -D data -m immediate -w -s stop; rm -rf data run log; exit 0'; \
         test $? -eq 75 || exit 0; done",
        pg_ctl = programs.path("pg_ctl").display()
    );
    let mut watch = user.command(Path::new("setsid"));
    watch.current_dir(root).args(["sh", "-c", &stop]);
    watch.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Named by what is in migrations/, so that a changed migration makes a new template.
fn make_template(socket_dir: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut folders: Vec<_> = fs::read_dir(migrations)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    for folder in folders {
        folder.file_name().hash(&mut hasher);
        fs::read(folder.join("up.sql")).unwrap().hash(&mut hasher);
    }
    let name = format!("holdfast_template_{:016x}", hasher.finish());
    if connect(socket_dir, &name).is_err() {
        let mut admin = connect(socket_dir, "postgres").unwrap();
        // Made under another name and renamed when it is whole: a killed test leaves no half template.
        let draft = format!("{name}_draft");
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"))
            .unwrap();
        create_database(&mut admin, &draft, "template0");
        migrate::run(&url(socket_dir, "holdfast_owner", &draft)).unwrap();
        admin
            .batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}"))
            .unwrap();
    }
    name
}
