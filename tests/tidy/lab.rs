//! The house and the lab share nothing: a misreading of a protocol that both had would pass every test.

use super::names::names;
use super::source::{Source, text};
use super::verdict::Verdict;

/// The lab imports nothing of the house, and the house's own code nothing of the lab.
pub fn house_and_lab_share_nothing(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        let foreign = if source.path.starts_with("tests/lab/") {
            "holdfast"
        } else if source.path.starts_with("src/") {
            "holdfast_lab"
        } else {
            continue;
        };
        // The binary's main.rs uses the library by its name.
        for name in names(source) {
            verdict.looked += 1;
            if name.segments.len() > 1 && name.segments[0] == foreign {
                verdict.found.push(format!(
                    "{}:{}: `{}` crosses between the house and the lab",
                    source.path,
                    name.line,
                    name.segments.join("::")
                ));
            }
        }
    }
    verdict
}

/// The manifests agree: a dependency either way would be the first step.
fn manifests(house: &str, lab: &str) -> Verdict {
    let mut verdict = Verdict::default();
    for (file, manifest, foreign) in [
        ("Cargo.toml", house, "holdfast-lab"),
        ("tests/lab/Cargo.toml", lab, "holdfast"),
    ] {
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let Some((name, _)) = line.split_once('=') else {
                continue;
            };
            verdict.looked += 1;
            // Tests may start the lab inside their own process.
            let counts =
                section == "[dependencies]" || file.contains("lab") && section.contains("dependencies");
            if counts && name.trim().trim_end_matches(".workspace") == foreign {
                verdict
                    .found
                    .push(format!("{file}: {section} must not name {foreign}"));
            }
        }
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::super::source::{everything, planted};
    use super::*;

    #[test]
    fn the_house_and_the_lab_share_no_code() {
        house_and_lab_share_nothing(&everything()).holds();
        manifests(&text("Cargo.toml"), &text("tests/lab/Cargo.toml")).holds();
    }

    #[test]
    fn a_shared_type_is_found() {
        let sources = planted(&[
            ("tests/lab/src/world.rs", "use holdfast::record::Event;"),
            ("src/cli/serve.rs", "fn f() { holdfast_lab::start() }"),
        ]);
        let verdict = house_and_lab_share_nothing(&sources);
        verdict.finds(&["tests/lab/src/world.rs:1"]);
        verdict.finds(&["src/cli/serve.rs:1"]);
        let verdict = manifests(
            "[dependencies]\nholdfast-lab = { path = \"tests/lab\" }\n",
            "[dev-dependencies]\nholdfast = { path = \"../..\" }\n",
        );
        verdict.finds(&["Cargo.toml", "holdfast-lab"]);
        verdict.finds(&["tests/lab/Cargo.toml", "holdfast"]);
    }
}
