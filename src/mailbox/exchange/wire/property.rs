//! Properties with values, as CreateItem and UpdateItem write them.
//!
//! Source: "SetItemField" and "DeleteItemField" in the EWS reference; the order of the children of an item is
//! fixed by types.xsd, so a list of properties is made in that order and written in it.

use super::path::Path;
use super::writer::Writer;

/// A property and the value that it shall have; `None` empties it.
pub struct Property {
    /// Which.
    pub path: Path,
    /// What.
    pub value: Option<Value>,
}

/// A value, by the shape of its element.
pub enum Value {
    /// Character data.
    Text(String),
    /// A plain-text body.
    Body(String),
    /// A time zone by its Windows name.
    Zone(String),
    /// Attendees: name and address.
    Attendees(Vec<(Option<String>, String)>),
}

impl Property {
    /// A property with a text; the empty text empties it.
    pub fn text(path: Path, text: &str) -> Self {
        Self {
            path,
            value: (!text.is_empty()).then(|| Value::Text(text.to_owned())),
        }
    }

    /// A property with a value of the protocol's own.
    pub fn word(uri: &'static str, word: impl Into<String>) -> Self {
        Self {
            path: Path::Field(uri),
            value: Some(Value::Text(word.into())),
        }
    }

    /// Writes one `SetItemField` or `DeleteItemField`; `item` is the item's element.
    pub fn write_update(&self, w: &mut Writer, item: &'static str) {
        match &self.value {
            Some(value) => w.element("t:SetItemField", &[], |w| {
                self.path.write(w);
                w.element(item, &[], |w| {
                    within(w, self.path, |w| write(w, self.path, value))
                });
            }),
            None => w.element("t:DeleteItemField", &[], |w| self.path.write(w)),
        }
    }
}

/// Writes the values of a new item; members of one dictionary, which stand side by side, share its element.
pub fn write_new(w: &mut Writer, properties: &[Property]) {
    let present: Vec<(Path, &Value)> = properties
        .iter()
        .filter_map(|property| Some((property.path, property.value.as_ref()?)))
        .collect();
    for group in present.chunk_by(|(left, _), (right, _)| groups(*left, *right)) {
        let Some((path, _)) = group.first() else { continue };
        within(w, *path, |w| {
            group.iter().for_each(|(path, value)| write(w, *path, value))
        });
    }
}

/// True where two neighbours share an element.
fn groups(left: Path, right: Path) -> bool {
    match (left, right) {
        (Path::Indexed(one, key), Path::Indexed(other, other_key)) => {
            dictionary(one) == dictionary(other) && (!is_address(one) || key == other_key)
        }
        _ => false,
    }
}

/// Writes what stands around a value.
fn within(w: &mut Writer, path: Path, inside: impl FnOnce(&mut Writer)) {
    match path {
        Path::Indexed(uri, key) => w.element(dictionary(uri), &[], |w| {
            if is_address(uri) {
                w.element("t:Entry", &[("Key", key)], inside);
            } else {
                inside(w);
            }
        }),
        _ => inside(w),
    }
}

fn is_address(uri: &str) -> bool {
    uri.starts_with("contacts:PhysicalAddress:")
}

fn dictionary(uri: &str) -> &'static str {
    match uri {
        "contacts:EmailAddress" => "t:EmailAddresses",
        "contacts:PhoneNumber" => "t:PhoneNumbers",
        _ => "t:PhysicalAddresses",
    }
}

fn write(w: &mut Writer, path: Path, value: &Value) {
    let uri = match path {
        Path::Indexed(uri, _) if is_address(uri) => uri,
        Path::Indexed(_, key) => {
            if let Value::Text(text) = value {
                w.leaf("t:Entry", &[("Key", key)], text);
            }
            return;
        }
        Path::Field(uri) => uri,
        extended => {
            w.element("t:ExtendedProperty", &[], |w| {
                extended.write(w);
                if let Value::Text(text) = value {
                    w.leaf("t:Value", &[], text);
                }
            });
            return;
        }
    };
    let name = format!("t:{}", uri.rsplit(':').next().unwrap_or_default());
    match value {
        Value::Text(text) => w.leaf(&name, &[], text),
        Value::Body(text) => w.leaf(&name, &[("BodyType", "Text")], text),
        Value::Zone(id) => w.empty(&name, &[("Id", id)]),
        Value::Attendees(attendees) => w.element(&name, &[], |w| {
            for (person, address) in attendees {
                w.element("t:Attendee", &[], |w| {
                    w.element("t:Mailbox", &[], |w| {
                        if let Some(person) = person {
                            w.leaf("t:Name", &[], person);
                        }
                        w.leaf("t:EmailAddress", &[], address);
                    });
                });
            }
        }),
    }
}
