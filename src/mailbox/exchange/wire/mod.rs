//! EWS on the wire: one file per operation, each naming the page of Microsoft's reference that it follows.
//!
//! [`xml`] reads and [`writer`] writes; [`envelope`] and [`answer`] are what all operations share; [`path`],
//! [`property`], [`folder`] and [`item`] (with one file for each kind) are the parts that several use. These
//! files know XML and Exchange's words; what they mean to us is said in `convert`.

pub mod answer;
pub mod appointment;
pub mod attachment;
pub mod contact;
pub mod create_item;
pub mod delete_item;
pub mod envelope;
pub mod expand_dl;
pub mod find_folder;
pub mod find_item;
pub mod folder;
pub mod frames;
pub mod get_attachment;
pub mod get_folder;
pub mod get_item;
pub mod item;
pub mod message;
pub mod octets;
pub mod path;
pub mod property;
pub mod recurrence;
pub mod scalar;
pub mod streaming_events;
pub mod subscribe;
pub mod sync_folder_items;
pub mod task;
pub mod update_item;
pub mod version;
pub mod writer;
pub mod xml;
pub mod zone;
