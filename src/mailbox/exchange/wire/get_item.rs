//! The GetItem operation: exactly the properties that a record has, no more.
//!
//! Source: "GetItem operation", "ItemShape" and "BodyType" in the EWS reference.

use super::item::{self, RawItem};
use super::path::{Path, additional};
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;

/// How much of each item is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything that a record has.
    Whole,
    /// Without what has to be converted: body and attachments. For an item whose body nobody can read.
    WithoutBody,
    /// Everything, and the rule of a series.
    Series,
}

const COMMON: &[Path] = &[
    Path::Field("item:Subject"),
    Path::Field("item:Sensitivity"),
    Path::Field("item:Categories"),
    Path::Field("item:ParentFolderId"),
    Path::Field("item:LastModifiedTime"),
    Path::Stamp,
];

const CALENDAR: &[Path] = &[
    Path::Field("item:ReminderIsSet"),
    Path::Field("item:ReminderMinutesBeforeStart"),
    Path::Field("item:HasAttachments"),
    Path::Field("calendar:Start"),
    Path::Field("calendar:End"),
    Path::Field("calendar:IsAllDayEvent"),
    Path::Field("calendar:LegacyFreeBusyStatus"),
    Path::Field("calendar:Location"),
    Path::Field("calendar:IsMeeting"),
    Path::Field("calendar:IsCancelled"),
    Path::Field("calendar:CalendarItemType"),
    Path::Field("calendar:MyResponseType"),
    Path::Field("calendar:Organizer"),
    Path::Field("calendar:RequiredAttendees"),
    Path::Field("calendar:OptionalAttendees"),
    Path::Field("calendar:Resources"),
    Path::Field("calendar:StartTimeZone"),
    Path::Field("calendar:EndTimeZone"),
    Path::Field("calendar:OriginalStart"),
    Path::MeetingId,
];

/// What a master has besides. Asked for where it is wanted only: on some items Exchange answers a question
/// for the rule with ErrorCorruptData.
const SERIES: &[Path] = &[
    Path::Field("calendar:Recurrence"),
    Path::Field("calendar:ModifiedOccurrences"),
    Path::Field("calendar:DeletedOccurrences"),
];

/// How a request names an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// By its id.
    Item(ItemId),
    /// As the n-th date of a series, from 1, deleted ones included ("OccurrenceItemId").
    Nth {
        /// The master.
        series: ItemId,
        /// Its place.
        number: usize,
    },
}

impl Name {
    fn write(&self, w: &mut Writer) {
        match self {
            Self::Item(item) => w.empty("t:ItemId", &[("Id", &item.0)]),
            Self::Nth { series, number } => w.empty(
                "t:OccurrenceItemId",
                &[
                    ("RecurringMasterId", &series.0),
                    ("InstanceIndex", &number.to_string()),
                ],
            ),
        }
    }
}

const CONTACTS: &[Path] = &[
    Path::Field("contacts:GivenName"),
    Path::Field("contacts:Surname"),
    Path::Field("contacts:CompanyName"),
    Path::Field("contacts:JobTitle"),
    Path::Field("contacts:Department"),
    Path::Indexed("contacts:EmailAddress", "EmailAddress1"),
    Path::Indexed("contacts:PhoneNumber", "BusinessPhone"),
    Path::Indexed("contacts:PhoneNumber", "HomePhone"),
    Path::Indexed("contacts:PhoneNumber", "MobilePhone"),
    Path::Indexed("contacts:PhoneNumber", "BusinessFax"),
    Path::Indexed("contacts:PhysicalAddress:Street", "Business"),
    Path::Indexed("contacts:PhysicalAddress:City", "Business"),
    Path::Indexed("contacts:PhysicalAddress:State", "Business"),
    Path::Indexed("contacts:PhysicalAddress:CountryOrRegion", "Business"),
    Path::Indexed("contacts:PhysicalAddress:PostalCode", "Business"),
];

const TASKS: &[Path] = &[
    Path::Field("item:HasAttachments"),
    Path::Field("item:Importance"),
    Path::Field("item:ReminderIsSet"),
    Path::Field("item:ReminderDueBy"),
    Path::Field("task:DueDate"),
    Path::Field("task:Status"),
    Path::Field("task:IsRecurring"),
];

const MAIL: &[Path] = &[
    Path::Field("item:ItemClass"),
    Path::Field("item:DateTimeReceived"),
    Path::Field("item:DateTimeSent"),
    Path::Field("item:IsDraft"),
    Path::Field("message:InternetMessageId"),
    Path::Field("message:From"),
    Path::Field("message:Sender"),
    Path::Field("message:ToRecipients"),
    Path::Field("message:CcRecipients"),
    Path::Field("message:BccRecipients"),
    Path::Field("item:InReplyTo"),
    Path::Field("message:References"),
    Path::ContentClass,
];

/// Asks for items; the answer has a message for each.
pub fn request(w: &mut Writer, kind: RecordKind, extent: Extent, items: &[Name]) {
    let own = match kind {
        RecordKind::Calendar => CALENDAR,
        RecordKind::Contacts => CONTACTS,
        RecordKind::Tasks => TASKS,
        RecordKind::Mail => MAIL,
    };
    // Mail is passed on as it was written; for the rest the CRM holds plain text.
    let body_type = if kind == RecordKind::Mail { "Best" } else { "Text" };
    w.element("m:GetItem", &[], |w| {
        w.element("m:ItemShape", &[], |w| {
            w.leaf("t:BaseShape", &[], "IdOnly");
            w.leaf("t:BodyType", &[], body_type);
            w.element("t:AdditionalProperties", &[], |w| {
                COMMON.iter().chain(own).for_each(|path| path.write(w));
                if extent == Extent::Series {
                    SERIES.iter().for_each(|path| path.write(w));
                }
                if extent != Extent::WithoutBody {
                    Path::Field("item:Body").write(w);
                    if kind == RecordKind::Mail {
                        Path::Field("item:Attachments").write(w);
                    }
                }
            });
        });
        w.element("m:ItemIds", &[], |w| items.iter().for_each(|item| item.write(w)));
    });
}

/// The list of the items asked for.
pub fn ids(w: &mut Writer, items: &[ItemId]) {
    w.element("m:ItemIds", &[], |w| {
        items
            .iter()
            .for_each(|item| w.empty("t:ItemId", &[("Id", &item.0)]));
    });
}

/// Asks for a stamp and a date of birth, to choose among copies.
pub fn stamp_shape(w: &mut Writer) {
    w.element("m:ItemShape", &[], |w| {
        w.leaf("t:BaseShape", &[], "IdOnly");
        additional(w, &[Path::Field("item:DateTimeCreated"), Path::Stamp]);
    });
}

/// Asks in which zone calendar items were made, and whose they are.
pub fn zones(w: &mut Writer, items: &[ItemId]) {
    w.element("m:GetItem", &[], |w| {
        w.element("m:ItemShape", &[], |w| {
            w.leaf("t:BaseShape", &[], "IdOnly");
            additional(
                w,
                &[
                    Path::Field("calendar:Start"),
                    Path::Field("calendar:IsMeeting"),
                    Path::Field("calendar:MyResponseType"),
                    Path::Field("calendar:StartTimeZone"),
                ],
            );
        });
        ids(w, items);
    });
}

/// Reads one response message: its one item.
///
/// # Errors
/// The answer is damaged.
pub fn read(items: &mut Vec<RawItem>, element: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    match element.key() {
        (Ns::Messages, "Items") => items.extend(item::read_all(doc)?),
        _ => doc.skip()?,
    }
    Ok(())
}
