//! The lab's Exchange.

pub mod directory;
pub mod event;
pub mod field;
pub mod folder;
pub mod ids;
pub mod item;
pub mod mailbox;
pub mod mutation;
pub mod recurrence;
pub mod value;
pub mod version;
pub mod zone;
