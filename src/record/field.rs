//! The parts of a record that are compared and merged one by one, and sets of them.

use super::kind::RecordKind;

/// A part of a record. Its number is stored beside its fingerprint: never renumber, only add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    /// Title of an event, a task.
    Subject = 0,
    /// Description, notes.
    Body = 1,
    /// Where a meeting is.
    Location = 2,
    /// Start, end, all-day: one field, since half of it makes no sense.
    When = 3,
    /// Free or busy.
    ShowAs = 4,
    /// Private or not.
    Privacy = 5,
    /// Reminder.
    Reminder = 6,
    /// The attendees whom the CRM knows.
    Attendees = 7,
    /// Given name.
    GivenName = 8,
    /// Family name.
    FamilyName = 9,
    /// Employer.
    Company = 10,
    /// Position.
    JobTitle = 11,
    /// Department.
    Department = 12,
    /// Mail address.
    Email = 13,
    /// Business telephone.
    BusinessPhone = 14,
    /// Home telephone.
    HomePhone = 15,
    /// Mobile telephone.
    MobilePhone = 16,
    /// Fax.
    Fax = 17,
    /// Postal address, as one field.
    Address = 18,
    /// Due day.
    Due = 19,
    /// State of a task.
    Status = 20,
    /// Urgency.
    Priority = 21,
    /// Given and family name as one, for a side that keeps them so.
    FullName = 24,
    /// What those attendees answered. One way: who was asked answers the mailbox, and the CRM is told.
    Responses = 25,
}

impl Field {
    /// Every field, in the order of their numbers.
    pub const ALL: [Self; 24] = [
        Self::Subject,
        Self::Body,
        Self::Location,
        Self::When,
        Self::ShowAs,
        Self::Privacy,
        Self::Reminder,
        Self::Attendees,
        Self::GivenName,
        Self::FamilyName,
        Self::Company,
        Self::JobTitle,
        Self::Department,
        Self::Email,
        Self::BusinessPhone,
        Self::HomePhone,
        Self::MobilePhone,
        Self::Fax,
        Self::Address,
        Self::Due,
        Self::Status,
        Self::Priority,
        Self::FullName,
        Self::Responses,
    ];

    /// One more than the highest number.
    pub const PLACES: usize = Self::Responses as usize + 1;

    /// The word in `explain` and in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Body => "body",
            Self::Location => "location",
            Self::When => "when",
            Self::ShowAs => "show as",
            Self::Privacy => "privacy",
            Self::Reminder => "reminder",
            Self::Attendees => "attendees",
            Self::GivenName => "given name",
            Self::FamilyName => "family name",
            Self::Company => "company",
            Self::JobTitle => "job title",
            Self::Department => "department",
            Self::Email => "email",
            Self::BusinessPhone => "business phone",
            Self::HomePhone => "home phone",
            Self::MobilePhone => "mobile phone",
            Self::Fax => "fax",
            Self::Address => "address",
            Self::Due => "due",
            Self::Status => "status",
            Self::Priority => "priority",
            Self::FullName => "full name",
            Self::Responses => "responses",
        }
    }
}

/// A set of fields; one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct FieldSet(u32);

impl FieldSet {
    /// The empty set.
    pub const NONE: Self = Self(0);

    /// Fields that go from the mailbox to the CRM and never back: what the CRM says of them is not compared.
    pub const ONE_WAY: Self = Self::of(&[Field::Responses]);

    /// The set of these fields.
    pub const fn of(fields: &[Field]) -> Self {
        // A constant function has no iterators: it takes the slice apart from the front.
        let mut bits = 0;
        let mut rest = fields;
        while let [field, more @ ..] = rest {
            bits |= 1 << *field as u8;
            rest = more;
        }
        Self(bits)
    }

    /// Every field that a record of this kind has. Mail is never merged, so it has none.
    pub const fn of_kind(kind: RecordKind) -> Self {
        use Field::*;
        match kind {
            RecordKind::Calendar => Self::of(&[
                Subject, Body, Location, When, ShowAs, Privacy, Reminder, Attendees, Responses,
            ]),
            RecordKind::Contacts => Self::of(&[
                GivenName,
                FamilyName,
                Company,
                JobTitle,
                Department,
                Email,
                BusinessPhone,
                HomePhone,
                MobilePhone,
                Fax,
                Address,
                Body,
                FullName,
            ]),
            RecordKind::Tasks => Self::of(&[Subject, Body, Due, Status, Priority, Reminder]),
            RecordKind::Mail => Self::NONE,
        }
    }

    /// True when the field is in the set.
    pub const fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// True when no field is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with this field.
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | 1 << field as u8)
    }

    /// The set without this field.
    pub const fn without(self, field: Field) -> Self {
        Self(self.0 & !(1 << field as u8))
    }

    /// Fields in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Fields in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Fields of this set that are not in the other.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The fields, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(move |field| self.has(*field))
    }

    /// How many.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}
