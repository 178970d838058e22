//! From both sides' changes to pairs: joins what changed with what is linked, and finds the counterparts of
//! what is not (by stamp, by address, by likeness). Reads, and writes nothing.

mod ahead;
mod alike;
mod counterparts;
mod crm;
mod due;
mod kept;
mod left;
mod lost;
mod mailbox;
mod moved;
mod occurrence;
mod pending;
mod read;
mod series;
mod work;

pub use ahead::{ahead, reached_on};
pub use crm::{crm_changes, crm_page};
pub use due::{due_items, key_of, page_with_due, read_due};
pub use kept::as_kept;
pub use left::left_alone;
pub use lost::anchors;
pub use mailbox::mailbox_page;
pub use pending::Pending;
pub(in crate::sync) use read::read_items;
pub use series::{Expansion, due_series, ended, rulings, span};
pub use work::{ChangedSeries, EndedSeries, Gathered, SeriesNews, Work, mark_earlier, transfers};
