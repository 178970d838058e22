//! The first page: is everything in step? Then the record types, what is wrong, and the mailboxes.

use super::concern::{self, Concern};
use super::layout::{Head, Moment, Section, page};
use super::stream::{self, Bar};
use crate::access::Resource;
use crate::record::kind::RecordKind;
use crate::sync::store::nodes::NodeStatus;
use crate::sync::{control, guard};
use crate::web::board::totals::{Totals, TotalsCache};
use crate::web::board::words::{self, counted, number, span};
use crate::web::board::{self, Filter, KindSummary, MailboxLine, Order, Page, ROWS, StreamState, Summary};
use crate::web::parts::Parts;
use crate::web::problem::Problem;
use crate::web::query::{ListQuery, address};
use crate::web::viewer::Viewer;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

/// What is wrong is told here in so many entries; the others stand on their own page.
const CONCERNS: usize = 4;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    head: Head,
    answer: String,
    tone: &'static str,
    beside: Vec<String>,
    kinds: Vec<KindLine>,
    concerns: Vec<Concern>,
    more_concerns: usize,
    list: List,
    empty: bool,
}

/// One record type.
struct KindLine {
    word: &'static str,
    in_step: String,
    /// Of 100.
    share: i64,
    reading: Option<String>,
    typical: String,
    slowest: String,
    linked: String,
    skipped: String,
    failed: i64,
}

/// The mailboxes.
struct List {
    chips: Vec<Chip>,
    orders: Vec<Chip>,
    code: Option<(String, String)>,
    filter: Filter,
    rows: Vec<Row>,
    said: String,
    previous: Option<String>,
    next: Option<String>,
}

/// A choice that is a link.
struct Chip {
    title: String,
    count: Option<String>,
    href: String,
    chosen: bool,
}

/// One mailbox.
struct Row {
    href: String,
    address: String,
    crm_username: Option<String>,
    state: StreamState,
    bars: Vec<(&'static str, Bar)>,
    last: Option<Moment>,
}

/// Serves it.
///
/// # Errors
/// [`Problem`].
pub async fn show(
    viewer: Viewer,
    parts: web::Data<Parts>,
    cache: web::Data<TotalsCache>,
    query: web::Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let granted = viewer.may_view(Resource::Appliance)?;
    let filter = query.filter();
    let (db, clock) = (&parts.db, &parts.clock);
    let summary = board::summary(db, clock, &granted).await?;
    let totals = cache.get(db, clock, &granted).await?;
    let failures = board::failures(db, &granted).await?;
    let rows = board::page(db, clock, &granted, filter.clone()).await?;
    let held = guard::control::totals(db, &granted).await?;
    let nodes = control::nodes(db, clock, &granted).await?;
    let now = clock.now();
    let mut concerns = concern::of_streams(&summary);
    concerns.extend(concern::of_all_held(&held));
    concerns.extend(concern::of_items(&failures, now));
    concerns.sort_by_key(|concern| !concern.needs_somebody());
    let needs_somebody = concerns.iter().any(Concern::needs_somebody);
    let tone = match words::tone(&summary) {
        "good" if needs_somebody => "attention",
        tone => tone,
    };
    let more_concerns = concerns.len().saturating_sub(CONCERNS);
    concerns.truncate(CONCERNS);
    let answer = words::answer(&summary);
    Ok(page(&OverviewPage {
        head: Head::inside(answer.trim_end_matches('.'), Section::Mailboxes, now),
        answer,
        tone,
        beside: beside(&summary, &totals, &nodes, concern::said_of_items(&failures)),
        kinds: kinds(&summary, &totals),
        concerns,
        more_concerns,
        empty: summary.all() == 0,
        list: list(&summary, filter, rows, now),
    })?)
}

/// The sentences under the answer.
fn beside(summary: &Summary, totals: &Totals, nodes: &[NodeStatus], failed: Option<String>) -> Vec<String> {
    let alive = nodes.iter().filter(|node| node.alive).count();
    let alive = match i64::try_from(alive).unwrap_or(0) {
        0 => "No daemon is at work.".to_owned(),
        count => format!("{} at work.", counted(count, "daemon is", "daemons are")),
    };
    let slowest = summary
        .slowest_ms()
        .map(|ms| format!("The slowest stream was {} behind.", span(ms.into())));
    let linked = totals.all().linked;
    let linked = (linked > 0).then(|| {
        format!(
            "{} kept the same on both sides.",
            counted(linked, "item is", "items are")
        )
    });
    slowest
        .into_iter()
        .chain(linked)
        .chain([alive])
        .chain(failed)
        .collect()
}

fn kinds(summary: &Summary, totals: &Totals) -> Vec<KindLine> {
    summary.kinds.iter().map(|kind| kind_line(kind, totals)).collect()
}

fn kind_line(kind: &KindSummary, totals: &Totals) -> KindLine {
    let count = totals.kind(kind.kind);
    let lag = |ms: Option<i32>| ms.map_or_else(|| "\u{2013}".to_owned(), |ms| span(ms.into()));
    let reading = (kind.read_total > 0).then(|| {
        format!(
            "first reading: {} of {}",
            number(kind.read),
            number(kind.read_total)
        )
    });
    KindLine {
        word: title(kind.kind),
        in_step: format!("{} of {}", number(kind.in_step), number(kind.streams)),
        share: share(kind),
        reading,
        typical: lag(kind.median_ms),
        slowest: lag(kind.slowest_ms),
        linked: number(count.linked),
        skipped: number(count.skipped),
        failed: count.failed,
    }
}

/// How much is in step, of 100: streams, and of those that are being read the part that is done.
fn share(kind: &KindSummary) -> i64 {
    let whole = kind.streams.max(1) * 100;
    let done = kind.in_step * 100;
    let reading = (kind.streams - kind.in_step).max(0) * 100;
    let part = if kind.read_total > 0 {
        reading * kind.read.min(kind.read_total) / kind.read_total
    } else {
        0
    };
    ((done + part) * 100 / whole).clamp(0, 100)
}

fn title(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar => "Calendar",
        RecordKind::Contacts => "Contacts",
        RecordKind::Tasks => "Tasks",
        RecordKind::Mail => "Mail",
    }
}

fn list(summary: &Summary, filter: Filter, page: Page, now: DateTime<Utc>) -> List {
    let first = (filter.page - 1) * ROWS + 1;
    let last = first + i64::try_from(page.rows.len()).unwrap_or(0) - 1;
    let turn = |page: i64| {
        address(&Filter {
            page,
            ..filter.clone()
        })
    };
    List {
        chips: chips(summary, &filter),
        orders: Order::ALL
            .into_iter()
            .map(|order| Chip {
                title: order_title(order).to_owned(),
                count: None,
                href: changed(&filter, |filter| filter.order = order),
                chosen: filter.order == order,
            })
            .collect(),
        code: filter
            .code
            .clone()
            .map(|code| (code, changed(&filter, |filter| filter.code = None))),
        said: if page.rows.is_empty() {
            String::new()
        } else {
            format!(
                "{}\u{2013}{} of {}",
                number(first),
                number(last),
                number(page.total)
            )
        },
        previous: (filter.page > 1).then(|| turn(filter.page - 1)),
        next: (last < page.total && !page.rows.is_empty()).then(|| turn(filter.page + 1)),
        rows: page.rows.into_iter().map(|line| row(line, now)).collect(),
        filter,
    }
}

/// The address of the first page with one thing changed in the filter.
fn changed(filter: &Filter, change: impl FnOnce(&mut Filter)) -> String {
    let mut filter = Filter {
        page: 1,
        ..filter.clone()
    };
    change(&mut filter);
    address(&filter)
}

fn chips(summary: &Summary, filter: &Filter) -> Vec<Chip> {
    let all = Chip {
        title: "All".to_owned(),
        count: Some(number(summary.all())),
        href: changed(filter, |filter| filter.state = None),
        chosen: filter.state.is_none(),
    };
    let of_state = |state: &StreamState| {
        let count = summary.count(*state);
        (count > 0 || filter.state == Some(*state)).then(|| Chip {
            title: state.title().to_owned(),
            count: Some(number(count)),
            href: changed(filter, |filter| filter.state = Some(*state)),
            chosen: filter.state == Some(*state),
        })
    };
    std::iter::once(all)
        .chain(StreamState::ALL.iter().rev().filter_map(of_state))
        .collect()
}

fn order_title(order: Order) -> &'static str {
    match order {
        Order::Worst => "Worst first",
        Order::Slowest => "Slowest first",
        Order::Address => "By address",
    }
}

fn row(line: MailboxLine, now: DateTime<Utc>) -> Row {
    let last = line.streams.iter().filter_map(|stream| stream.last_turn_at).max();
    Row {
        href: format!("/mailboxes/{}", line.id),
        // Most have the same name on both sides; then once is enough.
        crm_username: Some(line.crm_username).filter(|name| *name != line.address),
        bars: line
            .streams
            .iter()
            .map(|of| (title(of.kind), stream::bar(of)))
            .collect(),
        address: line.address,
        state: line.state,
        last: last.map(|at| Moment::new(at, now)),
    }
}
