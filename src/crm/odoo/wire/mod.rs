//! The shapes of the calls, one file each.

pub(super) mod datas;
pub(super) mod fault;
pub(super) mod json2;
pub(super) mod jsonrpc;
pub(super) mod load;
pub(super) mod value;
pub(super) mod version;
