//! Fingerprints: did this field change since both sides were last in step?
//!
//! A fingerprint is the first six bytes of HMAC-SHA256 under the mailbox's own key. Without the key it says
//! nothing of the value (a table of likely subjects cannot be tried against it), and two mailboxes that hold
//! the same value have different ones. Six bytes: a change goes unnoticed with a chance of one in 2^48, and
//! a link stays small. They tell *which* field changed on *which* side without keeping any value.

use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use crate::record::normalise::value;
use ring::hmac;

/// Bytes kept of each HMAC.
pub const PRINT_BYTES: usize = 6;

/// One field's fingerprint. All zero stands for an empty field, so that "one side is empty" can be told.
pub type Print = [u8; PRINT_BYTES];

/// The fingerprint of an empty field.
pub const EMPTY: Print = [0; PRINT_BYTES];

/// The fingerprints of a record's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prints {
    fields: FieldSet,
    prints: Vec<Print>,
}

impl Prints {
    /// No fields: what mail has, which is never compared.
    pub fn none() -> Self {
        Self::default()
    }

    /// From pairs; of a field that occurs twice the last counts.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Field, Print)>) -> Self {
        let mut sorted = std::collections::BTreeMap::new();
        sorted.extend(pairs);
        Self {
            fields: FieldSet::of(&sorted.keys().copied().collect::<Vec<_>>()),
            prints: sorted.into_values().collect(),
        }
    }

    /// Fingerprints these fields of a record that is in common form. `attendees` as in
    /// [`crate::record::normalise::value`].
    pub fn of(record: &Record, fields: FieldSet, key: &hmac::Key, attendees: &[Content<String>]) -> Self {
        let print = |field: Field| {
            let bytes = value(record, field, attendees);
            if bytes.expose().is_empty() {
                return EMPTY;
            }
            let mut context = hmac::Context::with_key(key);
            context.update(&[field as u8]);
            context.update(bytes.expose());
            let tag = context.sign();
            let mut out = EMPTY;
            out.copy_from_slice(tag.as_ref().split_at(PRINT_BYTES).0);
            // One value in 2^48 would look empty; give it another print.
            if out == EMPTY { [1; PRINT_BYTES] } else { out }
        };
        Self {
            fields,
            prints: fields.iter().map(print).collect(),
        }
    }

    /// The same as a side holds them that takes over these fields alone: the others are empty there.
    pub fn taken_over(&self, takes: FieldSet) -> Self {
        Self::from_pairs(
            self.pairs()
                .map(|(field, print)| (field, if takes.has(field) { print } else { EMPTY })),
        )
    }

    /// The same without these fields.
    pub fn without(&self, fields: FieldSet) -> Self {
        Self::from_pairs(self.pairs().filter(|(field, _)| !fields.has(*field)))
    }

    /// Which fields are fingerprinted.
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// A field's print; that of an empty field where it is not in the set.
    pub fn get(&self, field: Field) -> Print {
        if !self.fields.has(field) {
            return EMPTY;
        }
        let at = self.fields.iter().take_while(|other| *other != field).count();
        self.prints.get(at).copied().unwrap_or(EMPTY)
    }

    /// All pairs, in the order of the fields' numbers.
    pub fn pairs(&self) -> impl Iterator<Item = (Field, Print)> + '_ {
        self.fields.iter().zip(self.prints.iter().copied())
    }

    /// Fields whose prints differ between the two, over the fields that both have.
    pub fn differing(&self, other: &Self) -> FieldSet {
        self.fields
            .and(other.fields)
            .iter()
            .filter(|field| self.get(*field) != other.get(*field))
            .fold(FieldSet::NONE, FieldSet::with)
    }

    /// The stored form: for each field its number and its print, seven bytes. Of what goes one way, nothing at all is
    /// the same as nothing said.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pairs()
            .filter(|(field, held)| *held != EMPTY || !FieldSet::ONE_WAY.has(*field))
            .flat_map(|(field, print)| std::iter::once(field as u8).chain(print))
            .collect()
    }

    /// The inverse of [`to_bytes`](Self::to_bytes). A number that this version does not know is left out.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_pairs(bytes.chunks_exact(PRINT_BYTES + 1).filter_map(|chunk| {
            let (number, print) = chunk.split_first()?;
            let field = Field::ALL.into_iter().find(|field| *field as u8 == *number)?;
            Some((field, print.try_into().ok()?))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::task::Task;

    fn key(seed: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[seed; 32])
    }

    fn task(subject: &str) -> Record {
        Record::Task(Task {
            subject: subject.into(),
            ..Task::default()
        })
    }

    const FIELDS: FieldSet = FieldSet::of(&[Field::Subject, Field::Body, Field::Status]);

    #[test]
    fn only_the_changed_field_differs() {
        let before = Prints::of(&task("one"), FIELDS, &key(1), &[]);
        let after = Prints::of(&task("two"), FIELDS, &key(1), &[]);
        assert_eq!(before.differing(&after), FieldSet::of(&[Field::Subject]));
    }

    #[test]
    fn two_mailboxes_print_the_same_value_differently() {
        let ours = Prints::of(&task("one"), FIELDS, &key(1), &[]);
        let theirs = Prints::of(&task("one"), FIELDS, &key(2), &[]);
        assert_ne!(ours.get(Field::Subject), theirs.get(Field::Subject));
    }

    #[test]
    fn an_empty_field_is_known_to_be_empty() {
        let prints = Prints::of(&task("one"), FIELDS, &key(1), &[]);
        assert_eq!(prints.get(Field::Body), EMPTY);
        assert_ne!(prints.get(Field::Subject), EMPTY);
    }

    #[test]
    fn the_stored_form_comes_back_as_it_was() {
        let prints = Prints::of(&task("one"), FIELDS, &key(1), &[]);
        assert_eq!(Prints::from_bytes(&prints.to_bytes()), prints);
    }
}
