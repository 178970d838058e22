//! Views and sort orders of FindItem and FindFolder.
//!
//! Source: "IndexedPageItemView", "SortOrder"; the limit from "EWS throttling in Exchange".

use super::context::Found;
use super::read::path::{self, Path};
use super::refusal::Refusal;
use super::search;
use super::version::Version;
use super::xml::read::Element;
use super::xml::write::Writer;
use std::cmp::Ordering;

/// EWSFindCountLimit: no page holds more.
pub const FIND_LIMIT: usize = 1_000;

/// Which part of the result is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// From an offset, counted from the beginning or back from the end.
    Indexed {
        /// Most entries; all when absent.
        most: Option<usize>,
        /// How many to pass over.
        offset: usize,
        /// Whether the offset counts from the end.
        from_end: bool,
    },
    /// From a fraction of the whole.
    Fractional {
        /// Most entries; all when absent.
        most: Option<usize>,
        /// Numerator.
        numerator: usize,
        /// Denominator, not zero.
        denominator: usize,
    },
}

impl Page {
    /// The page that a request asks for; everything when it has no view.
    ///
    /// # Errors
    /// A number is missing or impossible.
    pub fn read(request: &Element) -> Result<Page, Refusal> {
        let view = |name: &str| {
            request
                .m(&format!("Indexed{name}"))
                .or_else(|| request.m(&format!("Fractional{name}")))
        };
        let Some(view) = view("PageItemView").or_else(|| view("PageFolderView")) else {
            return Ok(Page::Indexed {
                most: most(request.m("ContactsView"))?,
                offset: 0,
                from_end: false,
            });
        };
        if view.name.starts_with("Fractional") {
            let numerator = number(view, "Numerator")?;
            let denominator = number(view, "Denominator")?;
            if denominator == 0 || numerator > denominator {
                return Err(Refusal::new(
                    "ErrorInvalidFractionalPagingParameters",
                    "The fractional paging parameters are not valid.",
                ));
            }
            return Ok(Page::Fractional {
                most: most(Some(view))?,
                numerator,
                denominator,
            });
        }
        let from_end = match view.attribute("BasePoint") {
            Some("Beginning") => false,
            Some("End") => true,
            Some(other) => return Err(Refusal::invalid_value("BasePoint", other)),
            None => return Err(Refusal::missing_attribute("BasePoint")),
        };
        Ok(Page::Indexed {
            most: most(Some(view))?,
            offset: number(view, "Offset")?,
            from_end,
        })
    }

    /// The range of entries to show out of `total`.
    pub fn range(self, total: usize) -> std::ops::Range<usize> {
        let (most, start) = match self {
            Page::Indexed {
                most,
                offset,
                from_end: false,
            } => (most, offset.min(total)),
            Page::Indexed {
                most,
                offset,
                from_end: true,
            } => {
                let end = total.saturating_sub(offset);
                let count = most.unwrap_or(FIND_LIMIT).min(FIND_LIMIT);
                return end.saturating_sub(count)..end;
            }
            Page::Fractional {
                most,
                numerator,
                denominator,
            } => (most, total * numerator / denominator),
        };
        let end = start + most.unwrap_or(FIND_LIMIT).min(FIND_LIMIT);
        start..end.min(total)
    }

    /// Opens RootFolder with the attributes that tell where the page stands.
    pub fn open(self, writer: &mut Writer, total: usize) {
        let range = self.range(total);
        let (total_text, next) = (total.to_string(), range.end.to_string());
        let last = match self {
            Page::Indexed { from_end: true, .. } => range.start == 0,
            _ => range.end >= total,
        };
        let last = if last { "true" } else { "false" };
        let denominator = total.max(1).to_string();
        let attributes: &[(&str, &str)] = match self {
            Page::Indexed { .. } => &[
                ("IndexedPagingOffset", &next),
                ("TotalItemsInView", &total_text),
                ("IncludesLastItemInRange", last),
            ],
            Page::Fractional { .. } => &[
                ("NumeratorOffset", &next),
                ("AbsoluteDenominator", &denominator),
                ("TotalItemsInView", &total_text),
                ("IncludesLastItemInRange", last),
            ],
        };
        writer.open_with("m:RootFolder", attributes);
    }
}

fn most(view: Option<&Element>) -> Result<Option<usize>, Refusal> {
    let Some(text) = view.and_then(|view| view.attribute("MaxEntriesReturned")) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(most) if most > 0 => Ok(Some(most)),
        _ => Err(Refusal::invalid_value("MaxEntriesReturned", text)),
    }
}

fn number(view: &Element, name: &str) -> Result<usize, Refusal> {
    let text = view
        .attribute(name)
        .ok_or_else(|| Refusal::missing_attribute(name))?;
    text.parse().map_err(|_| {
        Refusal::new(
            "ErrorInvalidIndexedPagingParameters",
            "Indexed paging parameters are not valid.",
        )
    })
}

/// A sort order: paths with whether they descend.
pub fn order(request: &Element, version: Version) -> Result<Vec<(Path, bool)>, Refusal> {
    let orders = request
        .m("SortOrder")
        .map(|order| order.children.as_slice())
        .unwrap_or_default();
    orders
        .iter()
        .map(|order| {
            let descending = match order.attribute("Order") {
                Some("Ascending") => false,
                Some("Descending") => true,
                Some(other) => return Err(Refusal::invalid_value("Order", other)),
                None => return Err(Refusal::missing_attribute("Order")),
            };
            Ok((path::child_path(order, version)?, descending))
        })
        .collect()
}

/// Sorts items; those that lack a property come first, as in the store.
pub fn sort(items: &mut [Found], orders: &[(Path, bool)]) {
    items.sort_by(|a, b| {
        for (path, descending) in orders {
            let (x, y) = (search::values(a, path), search::values(b, path));
            let ordering = match (x.first(), y.first()) {
                (Some(x), Some(y)) => x.compare(y).unwrap_or(Ordering::Equal),
                (x, y) => x.is_some().cmp(&y.is_some()),
            };
            let ordering = if *descending { ordering.reverse() } else { ordering };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    });
}
