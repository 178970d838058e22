//! What a field can be: its type, its length, who may write it and when.

/// One field.
#[derive(Clone, Copy)]
pub struct Field {
    /// API name.
    pub name: &'static str,
    /// Type and what goes with it.
    pub kind: Kind,
    /// Whether a create may set it.
    pub create: bool,
    /// Whether an update may set it.
    pub update: bool,
    /// Whether a create must set it.
    pub required: bool,
    /// The value a create gets if it sets none.
    pub default: Option<Default>,
    /// A custom external id, unique without regard to case.
    pub external_id: bool,
    /// Whether an upsert may look records up by it.
    pub id_lookup: bool,
}

/// A field's default.
#[derive(Clone, Copy)]
pub enum Default {
    /// A text or picklist value.
    Text(&'static str),
    /// A truth value.
    Flag(bool),
}

/// A field's type.
#[derive(Clone, Copy)]
pub enum Kind {
    /// The record's own id.
    Id,
    /// A reference to a record of one of `to`; `relation` is its name in dotted paths.
    Reference {
        to: &'static [&'static str],
        relation: &'static str,
    },
    /// Text of a limited length in UTF-16 units.
    Text(u32),
    /// Long text; cannot be filtered.
    LongText(u32),
    /// Text of some lines; can be filtered.
    TextArea(u32),
    /// An e-mail address.
    Email(u32),
    /// A telephone number.
    Phone(u32),
    /// A web address.
    Url(u32),
    /// A list of values; a restricted one refuses others.
    Picklist {
        values: &'static [&'static str],
        restricted: bool,
    },
    /// A text with suggestions.
    Combobox {
        values: &'static [&'static str],
        length: u32,
    },
    /// A truth value; never null.
    Boolean,
    /// A whole number.
    Int,
    /// An amount.
    Currency,
    /// A calendar date.
    Date,
    /// A moment.
    DateTime,
    /// Bytes; reads give a path.
    Base64,
    /// A list of ids kept in a junction object.
    JunctionIds,
}

/// The system fields of every object.
pub const SYSTEM: &[Field] = &[
    Field::new("Id", Kind::Id).read_only().with_id_lookup(),
    Field::new("IsDeleted", Kind::Boolean).read_only(),
    Field::new("CreatedDate", Kind::DateTime).read_only(),
    Field::reference("CreatedById", &["User"], "CreatedBy").read_only(),
    Field::new("LastModifiedDate", Kind::DateTime).read_only(),
    Field::reference("LastModifiedById", &["User"], "LastModifiedBy").read_only(),
    Field::new("SystemModstamp", Kind::DateTime).read_only(),
];

/// The owner of objects that have one.
pub const OWNER: &[Field] = &[Field::reference("OwnerId", &["User"], "Owner")];

impl Field {
    /// A field that create and update may set.
    pub const fn new(name: &'static str, kind: Kind) -> Field {
        Field {
            name,
            kind,
            create: true,
            update: true,
            required: false,
            default: None,
            external_id: false,
            id_lookup: false,
        }
    }

    /// A text field.
    pub const fn text(name: &'static str, length: u32) -> Field {
        Field::new(name, Kind::Text(length))
    }

    /// A truth value, false by default.
    pub const fn flag(name: &'static str) -> Field {
        Field::new(name, Kind::Boolean).or(Default::Flag(false))
    }

    /// A reference.
    pub const fn reference(name: &'static str, to: &'static [&'static str], relation: &'static str) -> Field {
        Field::new(name, Kind::Reference { to, relation })
    }

    /// A picklist that takes other values too.
    pub const fn picklist(name: &'static str, values: &'static [&'static str]) -> Field {
        Field::new(
            name,
            Kind::Picklist {
                values,
                restricted: false,
            },
        )
    }

    /// A picklist that takes its values only.
    pub const fn restricted(name: &'static str, values: &'static [&'static str]) -> Field {
        Field::new(
            name,
            Kind::Picklist {
                values,
                restricted: true,
            },
        )
    }

    /// Neither create nor update may set it.
    pub const fn read_only(mut self) -> Field {
        self.create = false;
        self.update = false;
        self
    }

    /// Only create may set it.
    pub const fn create_only(mut self) -> Field {
        self.update = false;
        self
    }

    /// Create must set it.
    pub const fn required(mut self) -> Field {
        self.required = true;
        self
    }

    /// The default.
    pub const fn or(mut self, default: Default) -> Field {
        self.default = Some(default);
        self
    }

    /// Upserts may look records up by it.
    pub const fn with_id_lookup(mut self) -> Field {
        self.id_lookup = true;
        self
    }

    /// A custom external id: text, unique without regard to case.
    pub const fn key(name: &'static str) -> Field {
        let mut field = Field::text(name, 64).with_id_lookup();
        field.external_id = true;
        field
    }

    /// Whether it is a custom field.
    pub fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The relationship name of a reference.
    pub fn relation(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Reference { relation, .. } => Some(relation),
            _ => None,
        }
    }

    /// The objects a reference may point at.
    pub fn targets(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Reference { to, .. } => to,
            _ => &[],
        }
    }

    /// The greatest length in UTF-16 units, 0 where it means nothing.
    pub fn length(&self) -> u32 {
        match self.kind {
            Kind::Text(n) | Kind::LongText(n) | Kind::TextArea(n) => n,
            Kind::Email(n) | Kind::Phone(n) | Kind::Url(n) => n,
            Kind::Combobox { length, .. } => length,
            Kind::Picklist { .. } => 255,
            Kind::Id | Kind::Reference { .. } => 18,
            _ => 0,
        }
    }

    /// Whether conditions and orders may name it.
    pub fn filterable(&self) -> bool {
        !matches!(self.kind, Kind::LongText(_) | Kind::Base64 | Kind::JunctionIds)
    }

    /// Whether the store keeps an index on it.
    pub fn indexed(&self) -> bool {
        let audit = matches!(self.name, "CreatedById" | "LastModifiedById");
        let reference = matches!(self.kind, Kind::Reference { .. }) && !audit;
        reference
            || self.external_id
            || matches!(self.kind, Kind::Email(_))
            || matches!(
                self.name,
                "SystemModstamp"
                    | "LastModifiedDate"
                    | "Username"
                    | "MessageIdentifier"
                    | "StartDateTime"
                    | "ActivityDate"
            )
    }

    /// The label people see.
    pub fn label(&self) -> String {
        let base = self
            .name
            .strip_suffix("__c")
            .unwrap_or(self.name)
            .replace('_', " ");
        let mut label = String::new();
        let mut last_lower = false;
        for letter in base.chars() {
            if letter.is_ascii_uppercase() && last_lower {
                label.push(' ');
            }
            last_lower = letter.is_ascii_lowercase();
            label.push(letter);
        }
        if matches!(self.kind, Kind::Reference { .. }) {
            label.replace(" Id", " ID")
        } else {
            label
        }
    }

    /// The type's name in a describe answer.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Id => "id",
            Kind::Reference { .. } => "reference",
            Kind::Text(_) => "string",
            Kind::LongText(_) | Kind::TextArea(_) => "textarea",
            Kind::Email(_) => "email",
            Kind::Phone(_) => "phone",
            Kind::Url(_) => "url",
            Kind::Picklist { .. } => "picklist",
            Kind::Combobox { .. } => "combobox",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Currency => "currency",
            Kind::Date => "date",
            Kind::DateTime => "datetime",
            Kind::Base64 => "base64",
            Kind::JunctionIds => "complexvalue",
        }
    }
}
