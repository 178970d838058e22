//! What an operation knows of its request: in whose name it runs, by which schema, and how ids in
//! it are turned into folders and items.

use super::directory::Principal;
use super::folder::{DistinguishedFolder, FolderKey};
use super::ids::{ItemKey, Target};
use super::mailbox::Stored;
use super::refusal::Refusal;
use super::series::{self, Role};
use super::version::Version;
use super::world::World;
use super::xml::read::Element;
use super::zone::{Rules, Zone};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// One request.
pub struct Context {
    /// The organisation.
    pub world: Arc<World>,
    /// In whose name.
    pub user: Principal,
    /// The schema asked for.
    pub version: Version,
    /// The zone of times without an offset, if the header names one.
    pub zone: Option<Zone>,
    /// Whether a batch is carried out only up to its middle (a fault).
    pub half: bool,
    /// Whether cursors count as unknown (a fault).
    pub cursors_lost: bool,
}

/// An item as it was found: a whole one, or an occurrence made out of its series.
#[derive(Clone)]
pub struct Found {
    /// Which stored item it is, or belongs to.
    pub key: ItemKey,
    /// The stored item; that of the series for an occurrence.
    pub stored: Stored,
    /// The item to show.
    pub item: Arc<super::item::Item>,
    /// The start that the rule gives, for an occurrence.
    pub original: Option<DateTime<Utc>>,
    /// Single, occurrence, exception or master; meaningful for calendar items.
    pub role: Role,
}

impl Context {
    /// The entries of a batch that are carried out.
    pub fn batch<'a, T>(&self, entries: &'a [T]) -> &'a [T] {
        let count = if self.half {
            entries.len() / 2
        } else {
            entries.len()
        };
        entries.get(..count).unwrap_or(entries)
    }

    /// The user's own mailbox.
    ///
    /// # Errors
    /// The user has none: a service account that forgot to impersonate.
    pub fn own_mailbox(&self) -> Result<usize, Refusal> {
        self.user.mailbox.ok_or_else(|| {
            Refusal::new(
                "ErrorMissingEmailAddress",
                "When making a request as an account that does not have a mailbox, you must specify the mailbox primary SMTP address for any distinguished folder Ids.",
            )
        })
    }

    fn check_mailbox(&self, mailbox: usize) -> Result<(), Refusal> {
        if self.user.mailbox == Some(mailbox) {
            Ok(())
        } else {
            Err(Refusal::access_denied())
        }
    }

    /// What an id points to, if the user may see it.
    ///
    /// # Errors
    /// The id is malformed or belongs to somebody else.
    pub fn target(&self, id: &str) -> Result<Target, Refusal> {
        let target = self
            .world
            .ids
            .decode(id, self.world.count())
            .ok_or_else(Refusal::malformed_id)?;
        let mailbox = match target {
            Target::Folder(mailbox, _) => mailbox,
            Target::Item(key) | Target::Occurrence(key, _) | Target::Attachment(key, _) => key.mailbox,
        };
        self.check_mailbox(mailbox)?;
        Ok(target)
    }

    /// The folder that a FolderId or DistinguishedFolderId element means.
    ///
    /// # Errors
    /// It is malformed, somebody else's, or gone.
    pub fn folder(&self, id: &Element) -> Result<(usize, FolderKey), Refusal> {
        let value = id
            .attribute("Id")
            .ok_or_else(|| Refusal::missing_attribute("Id"))?;
        let (mailbox, folder) = match id.name.as_str() {
            "FolderId" => match self.target(value)? {
                Target::Folder(mailbox, folder) => (mailbox, folder),
                _ => {
                    return Err(Refusal::new(
                        "ErrorInvalidFolderId",
                        "The specified folder ID is not valid.",
                    ));
                }
            },
            "DistinguishedFolderId" => self.distinguished(id, value)?,
            other => return Err(Refusal::schema(format!("Invalid child element '{other}'."))),
        };
        let known = self
            .world
            .read(mailbox)
            .is_some_and(|read| read.folders.contains_key(&folder));
        if known {
            Ok((mailbox, folder))
        } else {
            Err(Refusal::folder_not_found())
        }
    }

    fn distinguished(&self, id: &Element, name: &str) -> Result<(usize, FolderKey), Refusal> {
        let mailbox = match id.t("Mailbox").and_then(|mailbox| mailbox.t_text("EmailAddress")) {
            Some(address) => {
                let owner = self
                    .world
                    .directory
                    .by_smtp(address.trim())
                    .and_then(|owner| owner.mailbox);
                let mailbox = owner.ok_or_else(|| {
                    Refusal::new(
                        "ErrorNonExistentMailbox",
                        "The SMTP address has no mailbox associated with it.",
                    )
                })?;
                self.check_mailbox(mailbox)?;
                mailbox
            }
            None => self.own_mailbox()?,
        };
        match DistinguishedFolder::from_wire_name(name) {
            Some(folder) => Ok((mailbox, folder.into())),
            None => Err(Refusal::folder_not_found()),
        }
    }

    /// The folder that the only child of a TargetFolderId element means.
    ///
    /// # Errors
    /// As [`Context::folder`].
    pub fn target_folder(&self, element: &Element) -> Result<(usize, FolderKey), Refusal> {
        self.folder(
            element
                .children
                .first()
                .ok_or_else(|| Refusal::missing("FolderId"))?,
        )
    }

    /// The item that an ItemId, OccurrenceItemId or RecurringMasterItemId element means.
    ///
    /// # Errors
    /// It is malformed, somebody else's, or gone.
    pub fn item(&self, id: &Element) -> Result<Found, Refusal> {
        let attribute = |name: &str| id.attribute(name).ok_or_else(|| Refusal::missing_attribute(name));
        match id.name.as_str() {
            "ItemId" => match self.target(attribute("Id")?)? {
                Target::Item(key) => self.whole(key),
                Target::Occurrence(key, original) => self.occurrence(key, original),
                _ => Err(Refusal::new(
                    "ErrorInvalidId",
                    "The specified Id is not an item Id.",
                )),
            },
            "OccurrenceItemId" => {
                let Target::Item(key) = self.target(attribute("RecurringMasterId")?)? else {
                    return Err(Refusal::malformed_id());
                };
                let index = attribute("InstanceIndex")?;
                let index: usize = index
                    .parse()
                    .map_err(|_| Refusal::invalid_value("InstanceIndex", index))?;
                let stored = self.world.stored(key).ok_or_else(Refusal::item_not_found)?;
                self.occurrence(key, series::nth(&stored.item, index)?)
            }
            "RecurringMasterItemId" => match self.target(attribute("OccurrenceId")?)? {
                Target::Occurrence(key, _) => self.whole(key),
                _ => Err(Refusal::new(
                    "ErrorCalendarIsNotOccurrence",
                    "The specified Id is not an occurrence.",
                )),
            },
            other => Err(Refusal::schema(format!("Invalid child element '{other}'."))),
        }
    }

    /// A whole item.
    ///
    /// # Errors
    /// It is gone.
    pub fn whole(&self, key: ItemKey) -> Result<Found, Refusal> {
        let stored = self.world.stored(key).ok_or_else(Refusal::item_not_found)?;
        Ok(Found::whole(key, stored))
    }

    fn occurrence(&self, key: ItemKey, original: DateTime<Utc>) -> Result<Found, Refusal> {
        let stored = self.world.stored(key).ok_or_else(Refusal::item_not_found)?;
        Found::occurrence(key, stored, original)
    }

    /// The rules of times without an offset that no property of the item places.
    pub fn rules(&self) -> Rules {
        self.zone
            .as_ref()
            .and_then(Zone::rules)
            .unwrap_or(Rules::Named(chrono_tz::Tz::UTC))
    }
}

impl Found {
    /// A stored item as itself.
    pub fn whole(key: ItemKey, stored: Stored) -> Found {
        let item = stored.item.clone();
        let role = series::role(&item);
        Found {
            key,
            stored,
            item,
            original: None,
            role,
        }
    }

    /// An occurrence of a stored series.
    ///
    /// # Errors
    /// It was deleted, or the series has no such occurrence.
    pub fn occurrence(key: ItemKey, stored: Stored, original: DateTime<Utc>) -> Result<Found, Refusal> {
        let (item, role) = series::occurrence(&stored.item, original)?;
        Ok(Found {
            key,
            stored,
            item: Arc::new(item),
            original: Some(original),
            role,
        })
    }

    /// What its id points to.
    pub fn target(&self) -> Target {
        match self.original {
            Some(original) => Target::Occurrence(self.key, original),
            None => Target::Item(self.key),
        }
    }
}
