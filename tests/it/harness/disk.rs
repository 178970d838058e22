//! A small disk that can be filled.

use super::eventually;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A file system of its own in a folder; gone when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one. It takes root; `None` where that is not to be had.
    pub fn at(folder: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=0711");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Killed processes need a moment to let go of it.
        let unmounted = || {
            let done = Command::new("umount").arg(&self.0).output();
            done.is_ok_and(|output| output.status.success()).then_some(())
        };
        if std::thread::panicking() {
            let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
        } else {
            eventually("the disk is let go of", Duration::from_secs(20), unmounted);
        }
    }
}

/// Something that fills a disk to the last bytes but so many; it is free again when dropped.
pub struct Ballast(PathBuf);

impl Ballast {
    /// Fills the disk that a folder is on.
    pub fn but(folder: &Path, left: u64) -> Self {
        let space = rustix::fs::statvfs(folder).unwrap();
        let free = (space.f_bavail * space.f_frsize).saturating_sub(left);
        let ballast = Self(folder.join("ballast"));
        let size = usize::try_from(free).unwrap();
        match fs::write(&ballast.0, vec![0; size]) {
            // Whoever writes beside us took some of it: what is on the disk, less what is to be left.
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                let file = fs::OpenOptions::new().write(true).open(&ballast.0).unwrap();
                let got = file.metadata().unwrap().len();
                file.set_len(got.saturating_sub(left)).unwrap();
            }
            written => written.unwrap(),
        }
        ballast
    }
}

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
