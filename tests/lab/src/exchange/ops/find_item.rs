//! FindItem: items of folders by restriction, order and page; or the part of a calendar that lies in a window,
//! with series taken apart.

use super::{children, choice};
use crate::exchange::context::{Context, Found};
use crate::exchange::field::Field;
use crate::exchange::folder::FolderKey;
use crate::exchange::ids::ItemKey;
use crate::exchange::item::Kind;
use crate::exchange::messages::Messages;
use crate::exchange::paging::{self, FIND_LIMIT, Page};
use crate::exchange::read::value::instant;
use crate::exchange::refusal::Refusal;
use crate::exchange::render;
use crate::exchange::restriction::{self, Restriction};
use crate::exchange::series;
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;
use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = request
        .m("ItemShape")
        .ok_or_else(|| Refusal::missing("ItemShape"))?;
    let shape = Shape::read(shape, Purpose::Find, cx.version)?;
    let traversal = choice(request, "Traversal", &["Shallow", "SoftDeleted", "Associated"])?;
    let restriction = match request.m("Restriction") {
        Some(element) => Some(restriction::read(element, cx.version)?),
        None => None,
    };
    let orders = paging::order(request, cx.version)?;
    let view = request.m("CalendarView");
    if view.is_some() && (restriction.is_some() || !orders.is_empty()) {
        return Err(Refusal::new(
            "ErrorInvalidOperation",
            "A calendar view takes neither a restriction nor a sort order.",
        ));
    }
    let page = Page::read(request)?;
    let mut messages = Messages::new("FindItem");
    for id in children(request, "ParentFolderIds")? {
        let folder = cx.folder(id);
        if let Some(view) = view {
            let found = folder.and_then(|(mailbox, folder)| in_window(cx, mailbox, folder, view));
            messages.each(found, |writer, (found, last)| {
                window(writer, cx, &found, last, &shape)
            });
            continue;
        }
        let found = folder.map(|(mailbox, folder)| match traversal {
            "Shallow" => all(cx, mailbox, folder, restriction.as_ref()),
            _ => Vec::new(),
        });
        messages.each(found, |writer, mut found| {
            if !orders.is_empty() {
                paging::sort(&mut found, &orders);
            }
            page.open(writer, found.len());
            write(
                writer,
                cx,
                found.get(page.range(found.len())).unwrap_or_default(),
                &shape,
            );
            writer.close("m:RootFolder");
        });
    }
    Ok(messages.finish())
}

fn write(writer: &mut Writer, cx: &Context, found: &[Found], shape: &Shape) {
    writer.open("t:Items");
    for one in found {
        render::item(writer, cx, one, shape);
    }
    writer.close("t:Items");
}

/// Newest first, as the store gives them.
fn all(cx: &Context, mailbox: usize, folder: FolderKey, restriction: Option<&Restriction>) -> Vec<Found> {
    let Some(read) = cx.world.read(mailbox) else {
        return Vec::new();
    };
    let Some(folder) = read.folders.get(&folder) else {
        return Vec::new();
    };
    folder
        .by_time
        .iter()
        .filter_map(|entry| {
            let serial = entry.0.1;
            Some(Found::whole(
                ItemKey { mailbox, serial },
                read.items.get(&serial)?.clone(),
            ))
        })
        .filter(|found| restriction.is_none_or(|restriction| restriction.matches(found)))
        .collect()
}

fn window(writer: &mut Writer, cx: &Context, found: &[Found], last: bool, shape: &Shape) {
    let total = found.len().to_string();
    let last = if last { "true" } else { "false" };
    writer.open_with(
        "m:RootFolder",
        &[("TotalItemsInView", &total), ("IncludesLastItemInRange", last)],
    );
    write(writer, cx, found, shape);
    writer.close("m:RootFolder");
}

fn in_window(
    cx: &Context,
    mailbox: usize,
    folder: FolderKey,
    view: &Element,
) -> Result<(Vec<Found>, bool), Refusal> {
    let date = |name: &str| {
        let text = view
            .attribute(name)
            .ok_or_else(|| Refusal::missing_attribute(name))?;
        instant(name, text, cx.rules())
    };
    let (from, until) = (date("StartDate")?, date("EndDate")?);
    if until < from {
        return Err(Refusal::new(
            "ErrorCalendarEndDateIsEarlierThanStartDate",
            "EndDate is earlier than StartDate.",
        ));
    }
    if until - from > Duration::days(2 * 366) {
        return Err(Refusal::new(
            "ErrorCalendarViewRangeTooBig",
            "The specified view range exceeds the maximum range of two years.",
        ));
    }
    let most: Option<usize> = view
        .attribute("MaxEntriesReturned")
        .and_then(|text| text.parse().ok());
    let calendar = cx
        .world
        .read(mailbox)
        .and_then(|read| Some(read.folders.get(&folder)?.info.is_class("IPF.Appointment")));
    if calendar != Some(true) {
        return Err(Refusal::new(
            "ErrorCalendarFolderIsInvalidForCalendarView",
            "The folder is no calendar folder.",
        ));
    }
    let mut found = touching(cx, mailbox, folder, from, until);
    found.sort_by_key(|one| (one.item.time(Field::Start), one.key));
    let last = most.is_none_or(|most| found.len() <= most);
    found.truncate(most.unwrap_or(usize::MAX));
    if found.len() > FIND_LIMIT {
        return Err(Refusal::new(
            "ErrorExceededFindCountLimit",
            "You have exceeded the maximum number of objects that can be returned for the find operation. Use paging to reduce the result size and try your request again.",
        )
        .with("PolicyLimit", FIND_LIMIT.to_string()));
    }
    Ok((found, last))
}

fn touching(
    cx: &Context,
    mailbox: usize,
    folder: FolderKey,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for one in all(cx, mailbox, folder, None) {
        if one.item.kind != Kind::CalendarItem {
            continue;
        }
        if series::rule(&one.item).is_some() {
            for (original, item, role) in series::expand(&one.item, from, until) {
                found.push(Found {
                    item: Arc::new(item),
                    original: Some(original),
                    role,
                    ..one.clone()
                });
            }
        } else if let (Some(start), Some(end)) = (one.item.time(Field::Start), one.item.time(Field::End))
            && series::touches(start, end, from, until)
        {
            found.push(one);
        }
    }
    found
}
