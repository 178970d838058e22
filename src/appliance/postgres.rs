//! The private PostgreSQL: found running, or started; looked after; stopped.
//!
//! It outlives the daemon on purpose. After `kill -9` of the daemon the next start finds the server running
//! and uses it; after `kill -9` of the server the next start, or [`PrivatePostgres::keep_running`], starts it
//! again and PostgreSQL recovers by itself. It runs in its own session (`pg_ctl` sees to that), as an
//! ordinary user, on a socket in a folder that only that user can enter.
//!
//! Layout under `data_dir/postgres`: `data` the cluster, `run` the socket, `log` the server's log,
//! `start.lock` held while one process looks at the server or starts it.

use super::error::ApplianceError;
use super::os_user::OsUser;
use super::programs::Programs;
use super::provision::{self, disk_is_full, last_lines};
use crate::foundation::clock::Clock;
use crate::foundation::db::answers;
use crate::foundation::explain::Explain;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::park_timeout;
use std::time::Duration;

/// The longest path of a socket (sys/un.h: 108 bytes with the final zero).
const LONGEST_SOCKET_PATH: usize = 107;

/// How often a running daemon looks whether its server is still there.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// How long the children of a killed server are waited for. They end by themselves within milliseconds, or
/// when their last statement is done.
const ORPHANS_PATIENCE: Duration = Duration::from_secs(30);

/// How long a living server may recover before we go on and let connecting say what is wrong.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(60);

/// How often we look meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// A private cluster that runs, or did a moment ago.
#[derive(Debug, Clone)]
pub struct PrivatePostgres {
    root: PathBuf,
    programs: Programs,
    user: OsUser,
}

impl PrivatePostgres {
    /// Provides the cluster: makes it if there is none, starts it if it does not run.
    ///
    /// Blocking: call it from a blocking thread.
    ///
    /// # Errors
    /// [`ApplianceError`], each with what to do about it.
    pub fn provide(data_dir: &Path, bin_dir: Option<&Path>) -> Result<Self, ApplianceError> {
        let root = data_dir.join("postgres");
        let socket = root.join("run/.s.PGSQL.5432");
        if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(ApplianceError::PathTooLong { path: socket });
        }
        make_folder(data_dir)?;
        let user = cluster_user(data_dir, &root)?;
        let programs = Programs::find(bin_dir, version_of(&root.join("data")))?;
        let postgres = Self { root, programs, user };
        postgres.make_folders(data_dir)?;
        let _lock = postgres.lock()?;
        if !postgres.root.join("data").exists() {
            provision::provision(&postgres.root, &postgres.programs, &postgres.user)?;
        }
        postgres.start_unless_running()?;
        Ok(postgres)
    }

    /// How the daemon connects: as the role that owns nothing.
    pub fn daemon_url(&self) -> String {
        self.url("holdfast_daemon")
    }

    /// How migrations connect.
    pub fn owner_url(&self) -> String {
        self.url("holdfast_owner")
    }

    /// Every parameter is spelt out, so that no PG* variable of the environment has a say.
    fn url(&self, role: &str) -> String {
        let host = self.root.join("run").display().to_string();
        let host = host.replace('\\', "\\\\").replace('\'', "\\'");
        format!("host='{host}' port=5432 dbname=holdfast user={role} connect_timeout=5 sslmode=disable")
    }

    /// Starts the server again if it is gone. Cheap when it is not.
    ///
    /// # Errors
    /// [`ApplianceError::DiskFull`] or [`ApplianceError::ProgramFailed`] with what the server said.
    pub fn revive(&self) -> Result<bool, ApplianceError> {
        if self.postmaster().is_some() {
            return Ok(false);
        }
        let _lock = self.lock()?;
        self.start_unless_running()
    }

    /// Looks after the server for as long as the daemon lives: starts it again whenever it is gone. Spawn it
    /// beside the daemon's other tasks, and drop it before [`stop`](Self::stop).
    pub async fn keep_running(self, clock: Clock) {
        loop {
            clock.sleep(WATCH_INTERVAL).await;
            let postgres = self.clone();
            match tokio::task::spawn_blocking(move || postgres.revive()).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::warn!("the private PostgreSQL was gone and has been started again"),
                Ok(Err(error)) => tracing::error!(code = error.code(), "{}", error.sentence()),
                Err(stopped) => tracing::error!(error = %stopped, "looking after PostgreSQL stopped"),
            }
        }
    }

    /// Stops the server in good order: connections are closed, everything is on disk.
    ///
    /// # Errors
    /// [`ApplianceError::ProgramFailed`] when it does not stop within a minute.
    pub fn stop(&self) -> Result<(), ApplianceError> {
        let _lock = self.lock()?;
        if self.postmaster().is_none() {
            return Ok(());
        }
        let mut stop = self.pg_ctl();
        stop.args(["stop", "--mode=fast", "--wait", "--timeout=60"]);
        provision::run("pg_ctl stop", &self.root, &mut stop, None).map(drop)
    }

    /// The server's process, if it is alive and really this cluster's.
    pub fn postmaster(&self) -> Option<u32> {
        let data = self.root.join("data");
        let first_line = fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let pid: u32 = first_line.lines().next()?.trim().parse().ok()?;
        works_in(pid, &data).then_some(pid)
    }

    fn start_unless_running(&self) -> Result<bool, ApplianceError> {
        if self.runs_already() {
            return Ok(false);
        }
        self.clear_the_way()?;
        provision::configure(&self.root, &self.root.join("run"), &self.user)?;
        let log = self.root.join("log/start.log");
        let _ = fs::remove_file(&log);
        let mut start = self.pg_ctl();
        start
            .arg("--log")
            .arg(&log)
            .args(["start", "--wait", "--timeout=300"]);
        match provision::run("pg_ctl start", &self.root, &mut start, None) {
            Ok(_) => Ok(true),
            // pg_ctl says no more than that it failed; the reason is in the server's own log.
            Err(ApplianceError::ProgramFailed { program, said }) => {
                let log = fs::read_to_string(&log).unwrap_or_default();
                let log = format!("{said}\n{log}\n{}", self.newest_log());
                if disk_is_full(&log) {
                    return Err(ApplianceError::DiskFull {
                        folder: self.root.clone(),
                    });
                }
                Err(ApplianceError::ProgramFailed {
                    program,
                    said: last_lines(&log),
                })
            }
            Err(other) => Err(other),
        }
    }

    /// Whether there is a server. One that lives is given time to let us in, as it does not while it recovers
    /// from the death of one of its processes; if it then still does not, connecting will say why.
    fn runs_already(&self) -> bool {
        let looks = RECOVERY_PATIENCE.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            if self.postmaster().is_none() {
                return false;
            }
            if answers(&self.daemon_url()) {
                return true;
            }
            // A blocking thread waits for a process that announces nothing.
            park_timeout(LOOK);
        }
        true
    }

    /// Clears the way for a start after a death.
    ///
    /// A postmaster that was killed leaves children behind for a moment; a second server beside them would
    /// ruin the cluster, so they are waited for. After that no process works in the cluster, and what a lock
    /// file says is stale, even where its number belongs to some other living process by now and would keep
    /// PostgreSQL from starting.
    fn clear_the_way(&self) -> Result<(), ApplianceError> {
        let data = self.root.join("data");
        let mut looks = ORPHANS_PATIENCE.as_millis() / LOOK.as_millis();
        while anybody_works_in(&data) {
            if looks == 0 {
                return Ok(());
            }
            looks -= 1;
            park_timeout(LOOK);
        }
        for stale in [
            data.join("postmaster.pid"),
            self.root.join("run/.s.PGSQL.5432.lock"),
        ] {
            if stale.exists() {
                fs::remove_file(&stale).map_err(ApplianceError::files(&stale))?;
            }
        }
        Ok(())
    }

    fn newest_log(&self) -> String {
        let entries = fs::read_dir(self.root.join("log"))
            .into_iter()
            .flatten()
            .flatten();
        let newest = entries.max_by_key(|entry| entry.metadata().and_then(|meta| meta.modified()).ok());
        let text = newest
            .and_then(|entry| fs::read_to_string(entry.path()).ok())
            .unwrap_or_default();
        last_lines(&text)
    }

    fn pg_ctl(&self) -> std::process::Command {
        let mut command = self.user.command(&self.programs.path("pg_ctl"));
        command
            .current_dir(&self.root)
            .arg("-D")
            .arg(self.root.join("data"))
            .arg("--silent");
        command
    }

    fn make_folders(&self, data_dir: &Path) -> Result<(), ApplianceError> {
        for folder in [self.root.clone(), self.root.join("run"), self.root.join("log")] {
            // Recursive, so that a folder that another process makes at this moment is no error.
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(ApplianceError::files(&folder))?;
            self.user.take(&folder)?;
        }
        if self.user.can_enter(&self.root) {
            Ok(())
        } else {
            Err(ApplianceError::Unreachable {
                user: self.user.name.clone(),
                folder: data_dir.to_owned(),
            })
        }
    }

    /// One process at a time looks at the server or starts it; the lock goes with the file handle.
    fn lock(&self) -> Result<File, ApplianceError> {
        let path = self.root.join("start.lock");
        let open = File::options().create(true).append(true).open(&path);
        let file = open.map_err(ApplianceError::files(&path))?;
        self.user.take(&path)?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|errno| ApplianceError::files(&path)(errno.into()))?;
        Ok(file)
    }
}

/// The data folder itself. When root makes it, others may pass through it to their own part; each part
/// guards itself.
fn make_folder(data_dir: &Path) -> Result<(), ApplianceError> {
    if data_dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(data_dir).map_err(ApplianceError::files(data_dir))?;
    let mode = if OsUser::current()?.is_root() {
        0o711
    } else {
        0o700
    };
    fs::set_permissions(data_dir, Permissions::from_mode(mode)).map_err(ApplianceError::files(data_dir))
}

/// Who the server runs as: whoever made the cluster; else we ourselves; and when we are root, the data
/// folder's owner, a user `holdfast` or a user `postgres`.
fn cluster_user(data_dir: &Path, root: &Path) -> Result<OsUser, ApplianceError> {
    let data = root.join("data");
    let me = OsUser::current()?;
    if !me.is_root() {
        return Ok(me);
    }
    if data.exists() {
        return OsUser::owner_of(&data);
    }
    let owner = OsUser::owner_of(data_dir)?;
    if !owner.is_root() {
        return Ok(owner);
    }
    let known = OsUser::lookup("holdfast").or_else(|| OsUser::lookup("postgres"));
    known.ok_or(ApplianceError::NobodyToRunAs)
}

/// The major version that made the cluster, from its file PG_VERSION.
fn version_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// PostgreSQL's processes all have the cluster as their working folder, and nobody else has.
fn works_in(pid: u32, data: &Path) -> bool {
    match (fs::read_link(format!("/proc/{pid}/cwd")), fs::canonicalize(data)) {
        (Ok(cwd), Ok(data)) => cwd == data,
        _ => false,
    }
}

fn anybody_works_in(data: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .any(|pid: u32| works_in(pid, data))
}
