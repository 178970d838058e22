//! Where PostgreSQL's programs are. Debian keeps each major version apart in /usr/lib/postgresql/N/bin.

use super::error::ApplianceError;
use std::path::{Path, PathBuf};

/// The folder that Debian and its relatives install server versions under.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The programs of one PostgreSQL version.
#[derive(Debug, Clone)]
pub struct Programs {
    bin: PathBuf,
}

impl Programs {
    /// Finds them: the folder that the settings name, else the newest installed version, or, for a cluster
    /// that exists, the version that made it (another major version cannot read its files).
    ///
    /// # Errors
    /// [`ApplianceError::NoPostgres`] with the version that would be needed.
    pub fn find(bin_dir: Option<&Path>, made_by: Option<u32>) -> Result<Self, ApplianceError> {
        let missing = || ApplianceError::NoPostgres { version: made_by };
        let bin = match bin_dir {
            Some(folder) => folder.to_owned(),
            None => Self::newest(Path::new(DEBIAN), made_by).ok_or_else(missing)?,
        };
        let programs = Self { bin };
        if ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|name| programs.path(name).is_file())
        {
            Ok(programs)
        } else {
            Err(missing())
        }
    }

    fn newest(under: &Path, made_by: Option<u32>) -> Option<PathBuf> {
        let versions = std::fs::read_dir(under).ok()?.flatten().filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("postgres").is_file().then_some((version, bin))
        });
        versions
            .filter(|(version, _)| made_by.is_none_or(|wanted| wanted == *version))
            .max_by_key(|(version, _)| *version)
            .map(|(_, bin)| bin)
    }

    /// The full path of one program, such as `initdb`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}
