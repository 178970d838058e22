//! The source files, read once for each test, and planted ones.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
pub struct Source {
    /// Path from the project's folder, with forward slashes.
    pub path: String,
    /// As it stands.
    pub text: String,
    ast: OnceCell<syn::File>,
}

impl Source {
    fn new(path: &str, text: String) -> Self {
        Self {
            path: path.to_owned(),
            text,
            ast: OnceCell::new(),
        }
    }

    /// As the compiler reads it; read when first asked for, since most rules look at words alone.
    pub fn ast(&self) -> &syn::File {
        self.ast.get_or_init(|| {
            syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{} is not Rust: {error}", self.path))
        })
    }

    /// The module that the file is, from the crate's root: `src/sync/plan.rs` is `["sync", "plan"]`. `None`
    /// for a file that is not of the library.
    pub fn module(&self) -> Option<Vec<String>> {
        let inner = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        if inner == "main" {
            return None;
        }
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        Some(module)
    }

    /// The room: the first folder or file under `src/`.
    pub fn room(&self) -> Option<&str> {
        let inner = self.path.strip_prefix("src/")?;
        let first = inner.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }
}

/// The files of the library and the binary.
pub fn house() -> Vec<Source> {
    read(&["src"])
}

/// Every Rust file of the project: the house, its tests, the lab.
pub fn everything() -> Vec<Source> {
    read(&["src", "tests"])
}

/// Files that exist only in a test of a rule.
pub fn planted(files: &[(&str, &str)]) -> Vec<Source> {
    files
        .iter()
        .map(|(path, text)| Source::new(path, (*text).to_owned()))
        .collect()
}

/// The text of a file of the project.
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The project's folder, as cargo tells it when it runs the test: a checkout that moved is found too.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into())
        .into()
}

fn read(folders: &[&str]) -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            Source::new(name, text)
        })
        .collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            // Built things and packages of other languages are not ours.
            if name != "target" && name != "node_modules" {
                collect(&path, into);
            }
        } else if name.ends_with(".rs") {
            into.push(path);
        }
    }
}
