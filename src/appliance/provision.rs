//! Makes the private cluster, once: initdb, the two roles, the database.
//!
//! All of it happens in a folder `data.new` that is renamed to `data` at the end, so that a process killed in
//! the middle leaves nothing that looks like a cluster. The roles and the database are made in PostgreSQL's
//! single-user mode (PostgreSQL documentation, page "postgres"): at no moment does a server listen that a
//! superuser could sign in to.

use super::error::ApplianceError;
use super::os_user::OsUser;
use super::programs::Programs;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The two roles of a Holdfast database, for the private cluster and for an administrator's own.
pub const ROLES_SQL: &str = include_str!("roles.sql");
/// The database and who may connect to it.
pub const DATABASE_SQL: &str = include_str!("database.sql");

const POSTGRESQL_CONF: &str = include_str!("postgresql.conf");

/// Makes the cluster under `root` as `user`. The folder `root/data` must not exist yet.
pub(super) fn provision(root: &Path, programs: &Programs, user: &OsUser) -> Result<(), ApplianceError> {
    let fresh = root.join("data.new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(ApplianceError::files(&fresh))?;
    }
    let mut initdb = user.command(&programs.path("initdb"));
    initdb.current_dir(root).arg("-D").arg(&fresh);
    initdb.args([
        "--username=postgres",
        "--auth=reject",
        "--data-checksums",
        "--encoding=UTF8",
    ]);
    initdb.args(["--locale=C", "--no-instructions"]);
    run("initdb", root, &mut initdb, None)?;

    let mut single = user.command(&programs.path("postgres"));
    single
        .current_dir(root)
        .args(["--single", "-D"])
        .arg(&fresh)
        .arg("postgres");
    let script: String = statements(ROLES_SQL).chain(statements(DATABASE_SQL)).collect();
    let output = run("postgres --single", root, &mut single, Some(&script))?;
    // Single-user mode goes on after a failed statement and ends with success all the same.
    let said = tail(&output);
    if said.contains("ERROR:") || said.contains("FATAL:") {
        return Err(ApplianceError::ProgramFailed {
            program: "postgres --single",
            said,
        });
    }
    let data = root.join("data");
    fs::rename(&fresh, &data).map_err(ApplianceError::files(&data))?;
    fs::File::open(root)
        .and_then(|folder| folder.sync_all())
        .map_err(ApplianceError::files(root))
}

/// Writes the files that say how the server runs and who may sign in. Done before each start, so that a
/// new version of Holdfast brings its settings along and an edited pg_hba.conf does not open a door.
pub(super) fn configure(root: &Path, socket_dir: &Path, user: &OsUser) -> Result<(), ApplianceError> {
    let socket_dir = socket_dir.display().to_string().replace('\'', "''");
    let mut conf = format!("{POSTGRESQL_CONF}unix_socket_directories = '{socket_dir}'\n");
    if root.join("postgresql.local.conf").exists() {
        conf += "include '../postgresql.local.conf'\n";
    }
    let hba = "# Written by Holdfast. The socket, the two roles, and the system says who calls.\n\
               local holdfast holdfast_owner,holdfast_daemon peer map=holdfast\n";
    // Root can become the cluster's user anyway; naming it lets the command line be used by root.
    let mut names = vec![user.name.clone(), "root".to_owned(), OsUser::current()?.name];
    names.sort();
    names.dedup();
    let mut ident = String::from("# Written by Holdfast. Which user of the system may be which role.\n");
    for name in names {
        let name = name.replace('"', "\"\"");
        ident += &format!("holdfast \"{name}\" holdfast_owner\nholdfast \"{name}\" holdfast_daemon\n");
    }
    for (name, text) in [
        ("postgresql.conf", conf.as_str()),
        ("pg_hba.conf", hba),
        ("pg_ident.conf", &ident),
    ] {
        replace(&root.join("data").join(name), text, user)?;
    }
    Ok(())
}

/// Writes beside and renames, so that a server that starts at this moment reads the old or the new text.
fn replace(path: &Path, text: &str, user: &OsUser) -> Result<(), ApplianceError> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, text).map_err(ApplianceError::files(path))?;
    user.take(&fresh)?;
    fs::rename(&fresh, path).map_err(ApplianceError::files(path))
}

/// One statement a line, as single-user mode reads them; comments and line breaks go.
fn statements(sql: &str) -> impl Iterator<Item = String> {
    let flat: Vec<&str> = sql
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("--"))
        .collect();
    let flat = flat.join(" ");
    let each: Vec<String> = flat
        .split(';')
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .map(line)
        .collect();
    each.into_iter()
}

fn line(statement: &str) -> String {
    format!("{statement};\n")
}

/// Runs one of PostgreSQL's programs to its end and turns a bad one into a sentence.
pub(super) fn run(
    program: &'static str,
    root: &Path,
    command: &mut Command,
    input: Option<&str>,
) -> Result<Output, ApplianceError> {
    let cannot = |source| ApplianceError::CannotRun { program, source };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(cannot)?;
    if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
        pipe.write_all(text.as_bytes()).map_err(cannot)?;
    }
    let output = child.wait_with_output().map_err(cannot)?;
    if output.status.success() {
        return Ok(output);
    }
    let said = tail(&output);
    if disk_is_full(&said) {
        return Err(ApplianceError::DiskFull {
            folder: root.to_owned(),
        });
    }
    Err(ApplianceError::ProgramFailed { program, said })
}

/// The system's word for a full disk or quota, in the messages of PostgreSQL's programs (LC_ALL is C).
pub(super) fn disk_is_full(said: &str) -> bool {
    said.contains("No space left on device") || said.contains("Disk quota exceeded")
}

/// The last lines of what a program said, joined.
fn tail(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    last_lines(&said)
}

/// The last five lines of a text that are not empty.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines
        .get(lines.len().saturating_sub(5)..)
        .unwrap_or_default()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_becomes_one_line() {
        let lines: Vec<String> = statements("-- why\nCREATE ROLE a\n    LOGIN;\nCREATE ROLE b;\n").collect();
        assert_eq!(lines, ["CREATE ROLE a LOGIN;\n", "CREATE ROLE b;\n"]);
    }

    #[test]
    fn only_the_last_lines_of_a_long_complaint_are_kept() {
        assert_eq!(last_lines("1\n2\n\n3\n4\n5\n6\n"), "2; 3; 4; 5; 6");
    }
}
