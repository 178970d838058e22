//! Holds one layer of settings against the list of what is known.

use super::error::{Place, Slip};
use super::known;
use std::collections::BTreeMap;
use std::path::Path;
use toml_edit::{Document, Item, TableLike, Value};

/// Where each setting, and each section, was last found. Later layers overwrite.
pub(super) type Places = BTreeMap<String, Place>;

/// Checks a file. What is wrong goes to `slips`, where things are goes to `places`.
pub(super) fn file(path: &Path, text: &str, places: &mut Places, slips: &mut Vec<Slip>) {
    let at = |offset: usize| Place::Line(path.to_owned(), line_of(text, offset));
    match Document::parse(text) {
        Ok(document) => {
            let mut walk = Walk {
                at: &at,
                places,
                slips,
            };
            walk.table(&[], document.as_table());
        }
        Err(error) => slips.push(Slip::Syntax {
            place: at(error.span().map_or(0, |span| span.start)),
            said: error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        }),
    }
}

/// Checks one environment variable and returns the path and value that it stands for.
pub(super) fn variable(
    name: &str,
    raw: &str,
    places: &mut Places,
    slips: &mut Vec<Slip>,
) -> Option<(String, Value)> {
    let place = Place::Variable(name.to_owned());
    let lower = name.strip_prefix("HOLDFAST__")?.to_lowercase();
    let path: Vec<&str> = lower.split("__").collect();
    let dotted = path.join(".");
    let Some(known) = known::find(&path) else {
        slips.push(Slip::Unknown {
            place,
            name: dotted,
            nearest: known::nearest(&path),
        });
        return None;
    };
    let value = known.expect.read(raw);
    if !known.expect.takes(&value) {
        let (expected, found) = (known.expect.words(), known.expect.shown(&value));
        slips.push(Slip::Value {
            place,
            name: dotted,
            expected,
            found,
        });
        return None;
    }
    for end in 1..=path.len() {
        let part: Vec<&str> = path.iter().take(end).copied().collect();
        places.entry(part.join(".")).or_insert_with(|| place.clone());
    }
    Some((dotted, value))
}

/// What the layers together must have: the required keys of each named section, of which `kind_of` tells the
/// kind, and pairs.
pub(super) fn whole(places: &Places, kind_of: &dyn Fn(&str) -> Option<String>, slips: &mut Vec<Slip>) {
    for (named, key, known) in known::required_keys() {
        let prefix = format!("{named}.");
        let sections = places
            .iter()
            .filter(|(name, _)| name.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('.')));
        for (section, place) in sections {
            let concerned = known
                .of_kind
                .is_none_or(|kind| kind_of(section).as_deref() == Some(kind));
            if concerned && !places.contains_key(&format!("{section}.{key}")) {
                slips.push(Slip::Missing {
                    place: place.clone(),
                    section: section.clone(),
                    key: key.to_owned(),
                    expected: known.expect.words(),
                });
            }
        }
    }
    for (one, other) in [("certificate_file", "key_file"), ("key_file", "certificate_file")] {
        if let (Some(place), false) = (
            places.get(&format!("web.{one}")),
            places.contains_key(&format!("web.{other}")),
        ) {
            slips.push(Slip::Missing {
                place: place.clone(),
                section: "web".into(),
                key: other.into(),
                expected: format!("a path in quotes, because {one} is set"),
            });
        }
    }
}

struct Walk<'a> {
    at: &'a dyn Fn(usize) -> Place,
    places: &'a mut Places,
    slips: &'a mut Vec<Slip>,
}

impl Walk<'_> {
    fn table(&mut self, above: &[&str], table: &dyn TableLike) {
        for (key, item) in table.iter() {
            let key_span = table.key(key).and_then(toml_edit::Key::span);
            let offset = key_span.or_else(|| item.span()).map_or(0, |span| span.start);
            let path: Vec<&str> = above.iter().copied().chain([key]).collect();
            self.entry(&path, item, (self.at)(offset));
        }
    }

    fn entry(&mut self, path: &[&str], item: &Item, place: Place) {
        let name = path.join(".");
        if let (Some(known), Some(value)) = (known::find(path), item.as_value()) {
            if !known.expect.takes(value) {
                let (expected, found) = (known.expect.words(), known.expect.shown(value));
                self.slips.push(Slip::Value {
                    place: place.clone(),
                    name: name.clone(),
                    expected,
                    found,
                });
            }
            self.places.insert(name, place);
        } else if let (true, Some(table)) = (known::is_section(path), item.as_table_like()) {
            self.places.insert(name, place);
            self.table(path, table);
        } else if let Some(known) = known::find(path) {
            self.slips.push(Slip::Value {
                place,
                name,
                expected: known.expect.words(),
                found: None,
            });
        } else if known::is_section(path) {
            let expected = format!("a section [{name}]");
            self.slips.push(Slip::Value {
                place,
                name,
                expected,
                found: None,
            });
        } else if let [_, wrong] = path
            && item.is_table_like()
            && !known::is_name(wrong)
        {
            self.slips.push(Slip::Name { place, name });
        } else {
            self.slips.push(Slip::Unknown {
                place,
                name,
                nearest: known::nearest(path),
            });
        }
    }
}

/// The line of a byte, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
