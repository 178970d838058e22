//! The org's objects and fields, from the vendor's Object Reference, as far as a mail and calendar
//! connector meets them.
//!
//! [`field`] says what a field can be; [`people`], [`sales`], [`activity`], [`email`],
//! [`content`] and [`permissions`] list the objects. Everything is `'static`: rows use the field names as keys.

mod activity;
mod content;
mod email;
pub mod field;
mod people;
mod permissions;
mod sales;

pub use field::{Field, Kind};

/// One object type.
pub struct Object {
    /// API name.
    pub name: &'static str,
    /// Label in the plural.
    pub plural: &'static str,
    /// First three characters of its ids.
    pub prefix: &'static str,
    /// Its own fields; the system fields come on top, see [`Object::fields`].
    own: &'static [Field],
    /// Child relationships: name, child object, the child's field.
    pub children: &'static [Child],
    /// Whether it has an owner.
    pub owned: bool,
    /// Whether rows can be made, changed and deleted over the API.
    pub writable: Writable,
    /// Whether SOSL finds it.
    pub searchable: bool,
}

/// What the API lets anybody do with an object's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable {
    /// Make, change, delete.
    All,
    /// Read only.
    Never,
}

/// A child relationship for subqueries.
pub struct Child {
    /// The relationship's name, as in `(SELECT Id FROM EventRelations)`.
    pub name: &'static str,
    /// The child object.
    pub object: &'static str,
    /// The child's field that names the parent.
    pub field: &'static str,
}

impl Object {
    /// Every field, system fields first.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        let owner = if self.owned { field::OWNER } else { &[] };
        field::SYSTEM.iter().chain(owner).chain(self.own)
    }

    /// The field of this name in any case.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The reference field behind a relationship name such as `Account` or `Who`.
    pub fn relationship(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| {
            field
                .relation()
                .is_some_and(|relation| relation.eq_ignore_ascii_case(name))
        })
    }

    /// The child relationship of this name.
    pub fn child(&self, name: &str) -> Option<&'static Child> {
        self.children
            .iter()
            .find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// The field that names a record to people.
    pub fn name_field(&self) -> Option<&'static str> {
        match self.name {
            "Case" => Some("CaseNumber"),
            "Task" | "Event" | "EmailMessage" => Some("Subject"),
            "ContentVersion" | "ContentDocument" => Some("Title"),
            _ => self
                .own
                .iter()
                .map(|field| field.name)
                .find(|name| *name == "Name"),
        }
    }
}

/// Every object, in a fixed order.
pub fn objects() -> impl Iterator<Item = &'static Object> {
    people::OBJECTS
        .iter()
        .chain(sales::OBJECTS)
        .chain(activity::OBJECTS)
        .chain(email::OBJECTS)
        .chain(content::OBJECTS)
        .chain(permissions::OBJECTS)
}

/// The object of this name in any case.
pub fn object(name: &str) -> Option<&'static Object> {
    objects().find(|object| object.name.eq_ignore_ascii_case(name))
}

/// The object that an id belongs to.
pub fn object_of_id(id: &str) -> Option<&'static Object> {
    let prefix = id.get(..3)?;
    objects().find(|object| object.prefix == prefix)
}
