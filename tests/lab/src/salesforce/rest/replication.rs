//! sObject Get Updated and Get Deleted: ids changed in a window, to the minute.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::call::Call;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::moment::{parse_moment, stamp};
use crate::salesforce::rights;
use crate::salesforce::schema::Object;
use crate::salesforce::store::{Fields, Row};

/// How far back updates can be asked for.
const UPDATED_DAYS: i64 = 30;
/// How far back deletions can be asked for.
const DELETED_DAYS: i64 = 15;

struct Window {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

fn window(call: &Call, ask: &Ask, days: i64) -> ApiResult<Window> {
    let at = |name: &str| {
        let text = ask.required(name)?;
        // An unescaped plus sign arrives as a space.
        let at = parse_moment(&text.replace(' ', "+"));
        let at = at.and_then(|at| at.duration_trunc(TimeDelta::minutes(1)).ok());
        at.ok_or_else(|| ApiError::new("INVALID_REPLICATION_DATE", format!("{name} is no date: {text}")))
    };
    let (start, end) = (at("start")?, at("end")?);
    if end - start < TimeDelta::minutes(1) {
        let message = "endDate has to be greater than startDate by at least a minute";
        return Err(ApiError::new("INVALID_REPLICATION_DATE", message));
    }
    if start < call.now - TimeDelta::days(days) {
        let message = format!("startDate cannot be more than {days} days ago");
        return Err(ApiError::new("INVALID_REPLICATION_DATE", message));
    }
    Ok(Window { start, end })
}

fn rows<'a>(call: &'a Call, object: &'static Object, window: &Window) -> impl Iterator<Item = &'a Row> {
    let table = call.state().table(object.name);
    let end = stamp(window.end);
    table
        .range("SystemModstamp", Some(&stamp(window.start)), Some(&end))
        .filter_map(move |id| table.get(id))
        .filter(move |row| row.text("SystemModstamp") < end.as_str())
        .map(AsRef::as_ref)
        .filter(move |row| rights::may_read(call.state(), call.caller, object, row))
}

fn covered(call: &Call, window: &Window) -> String {
    let now = call.now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(call.now);
    stamp(window.end.min(now))
}

/// GET sobjects/T/updated
pub fn updated(call: &Call, object: &'static Object, ask: &Ask) -> ApiResult<Answer> {
    let window = window(call, ask, UPDATED_DAYS)?;
    let rows = rows(call, object, &window).filter(|row| !row.flag("IsDeleted"));
    let ids: Vec<Value> = rows.map(|row| json!(row.text("Id"))).collect();
    Ok(Answer::json(
        json!({"ids": ids, "latestDateCovered": covered(call, &window)}),
    ))
}

/// GET sobjects/T/deleted
pub fn deleted(call: &Call, object: &'static Object, ask: &Ask) -> ApiResult<Answer> {
    let window = window(call, ask, DELETED_DAYS)?;
    let rows = rows(call, object, &window).filter(|row| row.flag("IsDeleted"));
    let records: Vec<Value> = rows
        .map(|row| json!({"id": row.text("Id"), "deletedDate": row.text("SystemModstamp")}))
        .collect();
    Ok(Answer::json(json!({
        "deletedRecords": records,
        "earliestDateAvailable": stamp(call.now - TimeDelta::days(DELETED_DAYS)),
        "latestDateCovered": covered(call, &window),
    })))
}
