//! The calls that the connector makes, one file each, named after the page of the vendor's documentation.
//! Only shapes are here: what is sent, what comes back. Meaning is in `convert` and `codes`.

pub(super) mod collections;
pub(super) mod composite;
pub(super) mod describe;
pub(super) mod fault;
pub(super) mod multipart;
pub(super) mod query;
pub(super) mod token;
pub(super) mod versions;
