//! Attachments on their way from the mailbox into the CRM: in bounded pieces, never a whole file, never a disk.
//!
//! Off until a policy asks for them. The engine notes, in the transaction that commits a page, which items have
//! something attached ([`store`], table `transfers`); when its turn has read everything, it has each item's
//! attachments carried ([`apply`]). [`plan`] decides by name, size and first bytes whether one goes, and every one
//! that does not has a reason that `explain` shows.
//!
//! **One content, one file.** A first pass reads the attachment, counts it and computes a keyed hash of it under the
//! organisation's key ([`content`]). The hash is looked up in the table `contents`: where the CRM has the content, the
//! file is linked and nothing is sent. Where it has not, the hash is claimed there, a second pass sends the bytes, and
//! the file's id is written beside the hash. Reading twice is what an exact Content-Length costs, since Exchange knows
//! an attachment's size only more or less; what fits into a megabyte is kept from the first pass. The second pass is
//! hashed again, and the request is broken off before its last byte if the attachment is another by now.
//!
//! **After a crash.** A claim whose holder is gone may have a file behind it that nobody wrote down, so the CRM is
//! asked by the key that every file carries before anything is sent again. Links are safe to repeat.

pub mod apply;
pub mod content;
pub mod error;
pub mod model;
pub mod plan;
pub mod policy;
pub mod store;
