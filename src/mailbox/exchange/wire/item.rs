//! An item as an answer tells of it: what all kinds have in common. What one kind has alone is read by
//! `message`, `appointment`, `contact` and `task` beside this file.
//!
//! Source: "Item" in the EWS reference.

use super::appointment::RawAppointment;
use super::attachment::{self, RawAttachment};
use super::contact::RawContact;
use super::message::RawMessage;
use super::path;
use super::scalar::{binary, flag, instant, strings};
use super::sync_folder_items::item_id;
use super::task::RawTask;
use super::xml::{Document, Ns, XmlError};
use super::zone::RawZone;
use crate::mailbox::model::ItemRef;
use chrono::{DateTime, Utc};

/// An item. What was not asked for, or is not there, is empty.
#[derive(Default)]
pub struct RawItem {
    /// The element's name, such as `CalendarItem`: what Exchange takes it for.
    pub element: String,
    /// Identifier and version.
    pub item: Option<ItemRef>,
    /// The folder that it is in.
    pub parent: String,
    /// The item class, such as `IPM.Note`.
    pub class: String,
    /// Title.
    pub subject: String,
    /// `Normal`, `Personal`, `Private`, `Confidential`.
    pub sensitivity: String,
    /// Body.
    pub body: String,
    /// True where the body is HTML.
    pub body_is_html: bool,
    /// Categories.
    pub categories: Vec<String>,
    /// `Low`, `Normal`, `High`.
    pub importance: String,
    /// Whether there is a reminder.
    pub reminder_is_set: bool,
    /// Minutes before the start.
    pub reminder_minutes: Option<u32>,
    /// The instant of the reminder, for tasks.
    pub reminder_at: Option<DateTime<Utc>>,
    /// What is attached, without its bytes.
    pub attachments: Vec<RawAttachment>,
    /// True where something is attached that the body does not show.
    pub has_attachments: bool,
    /// When it was changed last.
    pub modified: Option<DateTime<Utc>>,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// Our stamp.
    pub stamp: Option<String>,
    /// CleanGlobalObjectId.
    pub meeting_id: Option<Vec<u8>>,
    /// The MIME header Content-Class.
    pub content_class: String,
    /// What mail alone has.
    pub message: RawMessage,
    /// What a calendar item alone has.
    pub appointment: RawAppointment,
    /// What a contact alone has.
    pub contact: RawContact,
    /// What a task alone has.
    pub task: RawTask,
}

/// Reads the children of an `Items` element.
///
/// # Errors
/// The answer is damaged.
pub fn read_all(doc: &mut Document<'_>) -> Result<Vec<RawItem>, XmlError> {
    let mut items = Vec::new();
    while let Some(element) = doc.child()? {
        let mut item = RawItem {
            element: element.key().1.to_owned(),
            ..RawItem::default()
        };
        item.read(doc)?;
        items.push(item);
    }
    Ok(items)
}

impl RawItem {
    fn read(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        while let Some(element) = doc.child()? {
            let (Ns::Types, name) = element.key() else {
                doc.skip()?;
                continue;
            };
            match name {
                "ItemId" => {
                    self.item = item_id(&element);
                    doc.skip()?;
                }
                "ParentFolderId" => {
                    self.parent = element.attribute("Id").unwrap_or_default();
                    doc.skip()?;
                }
                "StartTimeZone" => {
                    self.appointment.zone = RawZone::read(&element, doc)?;
                }
                "EndTimeZone" => {
                    self.appointment.end_zone = RawZone::read(&element, doc)?;
                }
                "Body" => {
                    self.body_is_html = element.attribute("BodyType").as_deref() == Some("HTML");
                    self.body = doc.text()?;
                }
                _ => self.read_named(name, doc)?,
            }
        }
        Ok(())
    }

    fn read_named(&mut self, name: &str, doc: &mut Document<'_>) -> Result<(), XmlError> {
        match name {
            "ItemClass" => self.class = doc.text()?,
            "Subject" => self.subject = doc.text()?,
            "Sensitivity" => self.sensitivity = doc.text()?,
            "Categories" => self.categories = strings(doc)?,
            "Importance" => self.importance = doc.text()?,
            "ReminderIsSet" => self.reminder_is_set = flag(doc)?,
            "ReminderMinutesBeforeStart" => self.reminder_minutes = doc.text()?.trim().parse().ok(),
            "ReminderDueBy" => self.reminder_at = instant(doc)?,
            "Attachments" => self.attachments = attachment::read_all(doc)?,
            "HasAttachments" => self.has_attachments = flag(doc)?,
            "LastModifiedTime" => self.modified = instant(doc)?,
            "DateTimeCreated" => self.created = instant(doc)?,
            "ExtendedProperty" => self.extended(doc)?,
            _ => {
                let known = self.message.read(name, doc)?
                    || self.appointment.read(name, doc)?
                    || self.contact.read(name, doc)?
                    || self.task.read(name, doc)?;
                if !known {
                    doc.skip()?;
                }
            }
        }
        Ok(())
    }

    fn extended(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        let (mut name, mut number, mut value) = (None, None, String::new());
        while let Some(element) = doc.child()? {
            match element.key() {
                (Ns::Types, "ExtendedFieldURI") => {
                    name = element.attribute("PropertyName");
                    number = element.attribute("PropertyId");
                    doc.skip()?;
                }
                (Ns::Types, "Value") => value = doc.text()?,
                _ => doc.skip()?,
            }
        }
        match (name.as_deref(), number.as_deref()) {
            (Some(path::STAMP_NAME), _) => self.stamp = Some(value),
            (Some(name), _) if name.eq_ignore_ascii_case(path::CONTENT_CLASS) => self.content_class = value,
            (None, Some(path::CLEAN_GLOBAL_OBJECT_ID)) => self.meeting_id = binary(&value),
            _ => {}
        }
        Ok(())
    }
}
