//! Who acts without being asked for a right: the list of the callers of `granted_to_system`. A new one is a
//! decision, and is made here.

use std::fs;
use std::path::{Path, PathBuf};

/// File and reason of every caller.
const CALLERS: [(&str, &str); 0] = [];

#[test]
fn the_system_acts_on_its_own_behalf_only_where_this_list_says_so() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut callers: Vec<String> = files(&root.join("src"))
        .into_iter()
        .filter(|path| !path.starts_with(root.join("src/access")))
        .filter(|path| fs::read_to_string(path).unwrap().contains("granted_to_system("))
        .map(|path| path.strip_prefix(root).unwrap().display().to_string())
        .collect();
    callers.sort();
    let listed: Vec<String> = CALLERS.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(callers, listed);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
