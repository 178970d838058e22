//! What lies behind a mailbox: failures, items that were left alone, turns that did something. The room has SQL
//! alone; [`super::model`] has its types.

pub(super) mod store;
