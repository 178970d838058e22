//! Event and EventRelation: times that must agree, and the copies that invited users get.
//!
//! Object Reference, "Event": timed events carry UTC moments; all-day events carry a date whose
//! moment is midnight UTC and is never shifted to a zone; length is given by `DurationInMinutes`
//! or `EndDateTime`, equal if both. An all-day event ends at midnight of its last day.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::people::ids;
use super::{activity, event_series};
use crate::salesforce::changes::Changes;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::moment::{midnight, parse_date, parse_moment, stamp};
use crate::salesforce::store::{Fields, MASTER_EVENT, Row};
use crate::salesforce::transaction::Transaction;
use crate::salesforce::write::require;

const DAY: i64 = 1440;
/// The longest event, in minutes.
const LONGEST: i64 = 14 * DAY;
/// The most invitees of an event that is no series.
const MOST_INVITEES: usize = 1_000;
/// What an invited user may change in his copy.
const OWN_TO_A_COPY: &[&str] = &["ShowAs", "ReminderDateTime", "IsReminderSet", "Holdfast_Key__c"];

/// Checks times and relations.
pub fn before(tx: &Transaction, old: Option<&Row>, row: &mut Row, changes: &Changes) -> ApiResult<()> {
    if row.flag("IsChild") && changes.keys().any(|name| !OWN_TO_A_COPY.contains(name)) {
        let message = "An invitee's copy of an event can't be changed; change the event itself";
        return Err(ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &[]));
    }
    if old.is_none() && row.text("OwnerId") != tx.caller.id && !row.text("OwnerId").is_empty() {
        may_assign(tx, row)?;
    }
    if old.is_none() {
        event_series::before(row)?;
    }
    if old.is_none() || changes.keys().any(|name| is_time(name)) {
        times(tx, old, row, changes)?;
    }
    activity::relations(tx, row, changes, "EventWhoIds", "INVALID_EVENTWHOIDS")
}

/// An event in somebody else's calendar needs rights over that calendar.
fn may_assign(tx: &Transaction, row: &Row) -> ApiResult<()> {
    let event = crate::salesforce::schema::object("Event");
    let mut theirs = Row::new();
    theirs.set("OwnerId", row.text("OwnerId"));
    if event.is_some_and(|event| crate::salesforce::rights::may_edit(tx.state, tx.caller, event, &theirs)) {
        return Ok(());
    }
    let message = "insufficient access rights on cross-reference id";
    Err(ApiError::on(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        message,
        &["OwnerId"],
    ))
}

fn is_time(name: &str) -> bool {
    matches!(
        name,
        "IsAllDayEvent"
            | "ActivityDate"
            | "ActivityDateTime"
            | "StartDateTime"
            | "EndDateTime"
            | "DurationInMinutes"
    )
}

fn integrity(message: &str, fields: &[&str]) -> ApiError {
    ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, fields)
}

fn times(tx: &Transaction, old: Option<&Row>, row: &mut Row, changes: &Changes) -> ApiResult<()> {
    let given = |name: &str| changes.get(name).filter(|value| !value.is_null());
    let moment = |name: &str| given(name).and_then(Value::as_str).and_then(parse_moment);
    let all_day = row.flag("IsAllDayEvent");
    let date = given("ActivityDate")
        .and_then(Value::as_str)
        .and_then(parse_date)
        .map(midnight);
    let starts: Vec<DateTime<Utc>> = [moment("StartDateTime"), moment("ActivityDateTime")]
        .into_iter()
        .flatten()
        .map(|at| if all_day { midnight(at.date_naive()) } else { at })
        .chain(date.filter(|_| all_day))
        .collect();
    if starts.windows(2).any(|pair| pair.first() != pair.last()) {
        return Err(integrity(
            "StartDateTime, ActivityDateTime and ActivityDate must match",
            &["StartDateTime", "ActivityDateTime"],
        ));
    }
    let old_start = old.and_then(|old| parse_moment(old.text("StartDateTime")));
    let Some(start) = starts.first().copied().or(old_start) else {
        return require(["DurationInMinutes", "ActivityDateTime"].into_iter(), &Row::new());
    };
    let start = if all_day {
        midnight(start.date_naive())
    } else {
        start
    };
    let minutes = minutes(
        all_day,
        start,
        moment("EndDateTime"),
        given("DurationInMinutes"),
        old,
    )?;
    check_length(tx, minutes)?;
    fill(row, all_day, start, minutes, tx);
    Ok(())
}

fn minutes(
    all_day: bool,
    start: DateTime<Utc>,
    end: Option<DateTime<Utc>>,
    duration: Option<&Value>,
    old: Option<&Row>,
) -> ApiResult<i64> {
    let by_end = end.map(|end| {
        if all_day {
            (midnight(end.date_naive()) - start).num_minutes() + DAY
        } else {
            (end - start).num_minutes()
        }
    });
    let by_duration = duration.and_then(Value::as_i64).map(|given| {
        // All-day events last whole days.
        if all_day {
            ((given + DAY - 1) / DAY).max(1) * DAY
        } else {
            given
        }
    });
    let kept = old
        .filter(|old| old.flag("IsAllDayEvent") == all_day)
        .and_then(|old| old.number("DurationInMinutes"));
    match (by_end, by_duration) {
        (Some(a), Some(b)) if a != b => {
            let message = "DurationInMinutes and EndDateTime must give the same length";
            Err(integrity(message, &["DurationInMinutes", "EndDateTime"]))
        }
        (Some(minutes), _) | (None, Some(minutes)) => Ok(minutes),
        (None, None) => match kept {
            Some(minutes) => Ok(minutes),
            None if all_day => Ok(DAY),
            None => require(["DurationInMinutes"].into_iter(), &Row::new()).map(|()| 0),
        },
    }
}

fn check_length(tx: &Transaction, minutes: i64) -> ApiResult<()> {
    if minutes < 0 {
        return Err(integrity("The event must end after it starts", &["EndDateTime"]));
    }
    if minutes > LONGEST {
        return Err(integrity(
            "An event can't last longer than 14 days",
            &["DurationInMinutes"],
        ));
    }
    if minutes > DAY && !tx.state.settings.multiday_events {
        return Err(integrity(
            "An event can't last longer than 24 hours",
            &["DurationInMinutes"],
        ));
    }
    Ok(())
}

fn fill(row: &mut Row, all_day: bool, start: DateTime<Utc>, minutes: i64, tx: &Transaction) {
    let end = if all_day {
        start + TimeDelta::minutes(minutes - DAY)
    } else {
        start + TimeDelta::minutes(minutes)
    };
    let local = |at: DateTime<Utc>| {
        if all_day {
            at.date_naive()
        } else {
            at.with_timezone(&tx.caller.zone).date_naive()
        }
    };
    row.set("StartDateTime", stamp(start));
    row.set("ActivityDateTime", stamp(start));
    row.set("ActivityDate", local(start).to_string());
    row.set("EndDateTime", stamp(end));
    row.set("EndDate", local(end).to_string());
    row.set("DurationInMinutes", minutes);
}

/// Relations follow, and so do the copies of invited users.
pub fn after(tx: &mut Transaction, id: &str, old: Option<&Row>, changes: &Changes) -> ApiResult<()> {
    let Some(row) = tx.state.row("Event", id).cloned() else {
        return Ok(());
    };
    if row.flag("IsChild") {
        return Ok(());
    }
    activity::relate(tx, "Event", id)?;
    if old.is_some() {
        for copy in ids(tx, "Event", MASTER_EVENT, id) {
            tx.amend("Event", &copy, |copy| follow(copy, &row))?;
        }
    }
    event_series::after(tx, &row, old, changes)
}

/// What a copy shows of its master.
fn follow(copy: &mut Row, master: &Row) {
    const SHARED: &[&str] = &[
        "Subject",
        "Location",
        "Description",
        "IsAllDayEvent",
        "StartDateTime",
        "ActivityDateTime",
        "ActivityDate",
        "EndDateTime",
        "EndDate",
        "DurationInMinutes",
        "IsPrivate",
        "WhoId",
        "WhatId",
        "AccountId",
        "Type",
    ];
    for field in SHARED {
        copy.set(field, master.get(field).cloned().unwrap_or(Value::Null));
    }
}

/// Whom a relation makes an invitee. "A non-recurring event can have up to 1,000 invitees" ("EventRelation", Object
/// Reference).
pub fn relation(tx: &Transaction, old: Option<&Row>, row: &mut Row) -> ApiResult<()> {
    let master = tx.state.row("Event", row.text("EventId"));
    if master.is_some_and(|event| event.flag("IsChild")) {
        return Err(integrity(
            "Relations belong to the event itself, not to an invitee's copy",
            &["EventId"],
        ));
    }
    activity::relation_flags(row)?;
    let what = row.flag("IsWhat");
    if !row.flag("IsParent") {
        row.set("IsInvitee", !what);
    }
    if old.is_none() && row.flag("IsInvitee") && invitees(tx, row.text("EventId")) >= MOST_INVITEES {
        let message = "An event can't have more than 1,000 invitees";
        return Err(ApiError::on("LIMIT_EXCEEDED", message, &["RelationId"]));
    }
    let answered_before = old.map_or("New", |old| old.text("Status"));
    let answer = row.text("Status");
    if !answer.is_empty() && answer != "New" && answer != answered_before {
        row.set("RespondedDate", stamp(tx.now));
    }
    Ok(())
}

fn invitees(tx: &Transaction, event: &str) -> usize {
    let rows = tx.state.table("EventRelation").live_where("EventId", event);
    rows.filter(|row| row.flag("IsInvitee")).count()
}

/// An invited user gets a copy of the event in his calendar.
pub fn after_relation(tx: &mut Transaction, id: &str, old: Option<&Row>) -> ApiResult<()> {
    let Some(relation) = tx.state.row("EventRelation", id).cloned() else {
        return Ok(());
    };
    if old.is_some() || !relation.flag("IsInvitee") {
        return Ok(());
    }
    let event = relation.text("EventId").to_owned();
    let Some(master) = tx.state.row("Event", &event).cloned() else {
        return Ok(());
    };
    tx.amend("Event", &event, |row| {
        row.set("IsGroupEvent", true);
        row.set("GroupEventType", "1");
    })?;
    let user = relation.text("RelationId");
    if !user.starts_with("005") || user == master.text("OwnerId") {
        return Ok(());
    }
    let mut copy = Row::new();
    follow(&mut copy, &master);
    copy.set("OwnerId", user);
    copy.set("IsChild", true);
    copy.set("IsGroupEvent", true);
    copy.set("GroupEventType", "1");
    copy.set("ShowAs", "Busy");
    copy.set("EventSubtype", "Event");
    copy.set(MASTER_EVENT, event);
    for flag in ["IsArchived", "IsRecurrence", "IsRecurrence2", "IsReminderSet"] {
        copy.set(flag, false);
    }
    tx.create_named("Event", copy)?;
    Ok(())
}

/// Copies and relations go with the event.
pub fn delete(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    event_series::delete(tx, id)?;
    for copy in ids(tx, "Event", MASTER_EVENT, id) {
        tx.recycle("Event", &copy)?;
    }
    activity::delete_relations(tx, "Event", id)
}

/// Who is no longer invited loses the copy.
pub fn delete_relation(tx: &mut Transaction, relation: &Row) -> ApiResult<()> {
    for copy in ids(tx, "Event", MASTER_EVENT, relation.text("EventId")) {
        let theirs = tx
            .state
            .row("Event", &copy)
            .is_some_and(|row| row.text("OwnerId") == relation.text("RelationId"));
        if theirs {
            tx.recycle("Event", &copy)?;
        }
    }
    Ok(())
}
