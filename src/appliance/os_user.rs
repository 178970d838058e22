//! The operating system's users: who PostgreSQL runs as, and how to start a program as that user.
//!
//! Looked up with `getent`, so that users of a directory service count as well as those of /etc/passwd.

use super::error::ApplianceError;
use rustix::process::{Uid, getuid};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// One user of the operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsUser {
    /// The name that peer authentication sees.
    pub name: String,
    /// The number of the user.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
}

impl OsUser {
    /// Who this process is.
    ///
    /// # Errors
    /// [`ApplianceError::NoSuchUser`] for a number without a name: peer authentication needs one.
    pub fn current() -> Result<Self, ApplianceError> {
        let uid = getuid().as_raw();
        Self::lookup(&uid.to_string()).ok_or(ApplianceError::NoSuchUser {
            user: uid.to_string(),
        })
    }

    /// Who owns a file or folder.
    ///
    /// # Errors
    /// The path cannot be read, or its owner has no name.
    pub fn owner_of(path: &Path) -> Result<Self, ApplianceError> {
        let meta = std::fs::metadata(path).map_err(ApplianceError::files(path))?;
        let uid = meta.uid().to_string();
        Self::lookup(&uid).ok_or(ApplianceError::NoSuchUser { user: uid })
    }

    /// By name or number; none when the system does not know it.
    pub fn lookup(key: &str) -> Option<Self> {
        let output = Command::new("getent")
            .args(["passwd", key])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        Self::from_passwd_line(std::str::from_utf8(&output.stdout).ok()?.lines().next()?)
    }

    /// passwd(5): name:password:uid:gid:gecos:directory:shell
    fn from_passwd_line(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self { name, uid, gid })
    }

    /// True for uid 0, as which PostgreSQL refuses to run.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// A command that will run as this user with a bare environment, so that no PG* variable of the caller
    /// changes what it does. Only root can become somebody else; for the current user nothing changes hands.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        if getuid() == Uid::ROOT && !self.is_root() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives a path to this user; does nothing unless we are root.
    ///
    /// # Errors
    /// The path does not exist, or its file system knows no owners.
    pub fn take(&self, path: &Path) -> Result<(), ApplianceError> {
        if getuid() != Uid::ROOT {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(ApplianceError::files(path))
    }

    /// Whether this user can enter a folder, parents included.
    pub fn can_enter(&self, folder: &Path) -> bool {
        let mut test = self.command(Path::new("test"));
        test.arg("-x").arg(folder).stderr(Stdio::null());
        // In a folder that the user cannot enter itself, even `test` would start with a complaint.
        test.current_dir("/")
            .status()
            .is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_gives_name_and_numbers() {
        let user = OsUser::from_passwd_line("holdfast:x:998:997:Holdfast:/var/lib/holdfast:/bin/false");
        assert_eq!(
            user,
            Some(OsUser {
                name: "holdfast".into(),
                uid: 998,
                gid: 997
            })
        );
        assert_eq!(OsUser::from_passwd_line("broken:x:nobody"), None);
    }
}
