//! Response shapes: which properties of an item or folder a client wants to see.
//!
//! Source: "Property sets and response shapes in EWS in Exchange".

use super::field::Field;
use super::item::{Kind, PropertyKey};
use super::read::path::{self, Path};
use super::read::value::boolean;
use super::refusal::Refusal;
use super::version::Version;
use super::xml::read::Element;

/// BaseShape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The id alone.
    IdOnly,
    /// What an Outlook-like list would show.
    Default,
    /// All first-class properties.
    AllProperties,
}

/// The form in which bodies are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// As stored.
    Best,
    /// HTML.
    Html,
    /// Plain text.
    Text,
}

/// The operation a shape is for; some never give certain properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// GetItem and attached items: everything.
    Get,
    /// FindItem: no bodies, recipients or attachments.
    Find,
    /// SyncFolderItems: neither Body nor Attachments.
    Sync,
}

/// What a client wants to see.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The base.
    pub base: Base,
    /// Whether the MIME text is wanted.
    pub mime: bool,
    /// The form of bodies.
    pub body: BodyForm,
    /// Additional properties of items.
    pub fields: Vec<Field>,
    /// Additional properties of folders, by local name.
    pub folder_fields: Vec<String>,
    /// Additional dictionary entries and headers.
    pub indexed: Vec<Path>,
    /// Additional extended properties with their types.
    pub extended: Vec<(PropertyKey, String)>,
    /// What for.
    pub purpose: Purpose,
    /// The schema.
    pub version: Version,
}

impl Shape {
    /// Ids alone, as most answers of writing operations have it.
    pub fn id_only(version: Version) -> Shape {
        Shape {
            base: Base::IdOnly,
            mime: false,
            body: BodyForm::Best,
            fields: Vec::new(),
            folder_fields: Vec::new(),
            indexed: Vec::new(),
            extended: Vec::new(),
            purpose: Purpose::Get,
            version,
        }
    }

    /// All first-class properties.
    pub fn all(version: Version) -> Shape {
        Shape {
            base: Base::AllProperties,
            ..Shape::id_only(version)
        }
    }

    /// An ItemShape or FolderShape element.
    ///
    /// # Errors
    /// It breaks the schema.
    pub fn read(element: &Element, purpose: Purpose, version: Version) -> Result<Shape, Refusal> {
        let mut shape = Shape {
            purpose,
            ..Shape::id_only(version)
        };
        let base = element
            .t_text("BaseShape")
            .ok_or_else(|| Refusal::missing("BaseShape"))?
            .trim();
        shape.base = match base {
            "IdOnly" => Base::IdOnly,
            "Default" => Base::Default,
            "AllProperties" => Base::AllProperties,
            other => return Err(Refusal::invalid_value("BaseShape", other)),
        };
        if let Some(text) = element.t_text("IncludeMimeContent") {
            shape.mime = boolean("IncludeMimeContent", text.trim())?;
        }
        shape.body = match element.t_text("BodyType").map(str::trim) {
            None | Some("Best") => BodyForm::Best,
            Some("HTML") => BodyForm::Html,
            Some("Text") => BodyForm::Text,
            Some(other) => return Err(Refusal::invalid_value("BodyType", other)),
        };
        for path in element
            .t("AdditionalProperties")
            .map(|more| more.children.as_slice())
            .unwrap_or_default()
        {
            match path::read(path, version)? {
                Path::Field(Field::MimeContent) => shape.mime = true,
                Path::Field(field) => shape.fields.push(field),
                Path::Folder(name) => shape.folder_fields.push(name),
                Path::Extended(key, kind) => shape.extended.push((key, kind)),
                path @ (Path::Entry(..) | Path::Header(_)) => shape.indexed.push(path),
                Path::Unkept(_) => {}
            }
        }
        // The change feed leaves the MIME text out as it does the body; a search refuses the question.
        shape.mime &= purpose != Purpose::Sync;
        if shape.mime && purpose != Purpose::Get {
            return Err(Refusal::new(
                "ErrorInvalidPropertyRequest",
                "Property is not valid for this operation.",
            )
            .with("FieldURI", Field::MimeContent.uri()));
        }
        Ok(shape)
    }

    /// Whether a property of an item of this kind is to be shown.
    pub fn wants(&self, kind: Kind, field: Field) -> bool {
        match field {
            Field::ItemId => return true,
            Field::MimeContent => return self.mime,
            Field::ExtendedProperties => return !self.extended.is_empty(),
            _ => {}
        }
        if field.since() > self.version || self.is_withheld(field) {
            return false;
        }
        self.fields.contains(&field)
            || match self.base {
                Base::IdOnly => false,
                Base::Default => is_default(kind, field),
                Base::AllProperties => !is_only_on_request(field),
            }
    }

    fn is_withheld(&self, field: Field) -> bool {
        let body = matches!(
            field,
            Field::Body
                | Field::Attachments
                | Field::UniqueBody
                | Field::NormalizedBody
                | Field::TextBody
                | Field::Notes
        );
        match self.purpose {
            Purpose::Get => false,
            Purpose::Sync => body,
            Purpose::Find => {
                body || matches!(
                    field,
                    Field::ToRecipients
                        | Field::CcRecipients
                        | Field::BccRecipients
                        | Field::ReplyTo
                        | Field::InternetMessageHeaders
                        | Field::RequiredAttendees
                        | Field::OptionalAttendees
                        | Field::Resources
                        | Field::ResponseObjects
                        | Field::Recurrence
                        | Field::TaskRecurrence
                        | Field::FirstOccurrence
                        | Field::LastOccurrence
                        | Field::ModifiedOccurrences
                        | Field::DeletedOccurrences
                        | Field::Members
                )
            }
        }
    }
}

/// Properties that AllProperties leaves out.
fn is_only_on_request(field: Field) -> bool {
    matches!(
        field,
        Field::UniqueBody
            | Field::NormalizedBody
            | Field::TextBody
            | Field::Preview
            | Field::StoreEntryId
            | Field::InstanceKey
            | Field::Alias
            | Field::Notes
    )
}

fn is_default(kind: Kind, field: Field) -> bool {
    use Field::{
        Attachments, BccRecipients, Body, CalendarItemType, CcRecipients, CompanyName, CompleteName,
        ContactFileAs, DateTimeCreated, DateTimeSent, DisplayName, DueDate, EmailAddresses, End, From,
        HasAttachments, ImAddresses, IsDeliveryReceiptRequested, IsRead, IsReadReceiptRequested, IsRecurring,
        JobTitle, LegacyFreeBusyStatus, Location, OptionalAttendees, Organizer, PercentComplete,
        PhoneNumbers, PhysicalAddresses, RequiredAttendees, Resources, ResponseObjects, Sender, Sensitivity,
        Size, Start, StartDate, Status, Subject, ToRecipients,
    };
    if matches!(field, Subject | Attachments | HasAttachments | ResponseObjects) {
        return true;
    }
    match kind {
        Kind::CalendarItem | Kind::MeetingRequest => matches!(
            field,
            Start
                | End
                | Location
                | LegacyFreeBusyStatus
                | CalendarItemType
                | IsRecurring
                | Organizer
                | Body
                | RequiredAttendees
                | OptionalAttendees
                | Resources
        ),
        Kind::Contact => matches!(
            field,
            ContactFileAs
                | DisplayName
                | CompleteName
                | CompanyName
                | EmailAddresses
                | PhysicalAddresses
                | PhoneNumbers
                | ImAddresses
                | JobTitle
        ),
        Kind::DistributionList => matches!(field, DisplayName | ContactFileAs),
        Kind::Task => matches!(field, DueDate | PercentComplete | StartDate | Status | Body),
        _ => matches!(
            field,
            Sensitivity
                | Body
                | Size
                | DateTimeSent
                | DateTimeCreated
                | Sender
                | From
                | ToRecipients
                | CcRecipients
                | BccRecipients
                | IsRead
                | IsReadReceiptRequested
                | IsDeliveryReceiptRequested
        ),
    }
}
