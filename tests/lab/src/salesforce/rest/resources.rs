//! Versions, Resources by Version, Limits.

use serde_json::{Map, Value, json};

use super::ask::Answer;
use super::call::Call;
use crate::salesforce::app;

/// The newest version of the API this org knows.
pub const NEWEST: u32 = 68;
/// The oldest version that is not retired.
pub const OLDEST: u32 = 31;

/// GET /services/data/, without a token and not counted.
pub fn versions() -> Value {
    let list = (OLDEST..=NEWEST).map(|number| {
        json!({
            "label": label(number),
            "url": format!("/services/data/v{number}.0"),
            "version": format!("{number}.0"),
        })
    });
    list.collect()
}

/// Three releases a year; version 60 was Spring '24.
fn label(number: u32) -> String {
    let seasons = ["Spring", "Summer", "Winter"];
    let since = number + 3 * 20 - 60;
    let season = seasons.get((since % 3) as usize).copied().unwrap_or_default();
    let year = 4 + since / 3 + u32::from(since % 3 == 2);
    format!("{season} '{year:02}")
}

/// GET /services/data/vNN.0
pub fn list(call: &Call) -> Answer {
    let root = format!("/services/data/{}", call.version);
    let mut resources = Map::new();
    for name in [
        "sobjects",
        "query",
        "queryAll",
        "search",
        "parameterizedSearch",
        "composite",
        "limits",
        "tooling",
        "recent",
    ] {
        resources.insert(name.to_owned(), json!(format!("{root}/{name}")));
    }
    let organization = app::organization_id(call.state().settings.refreshes);
    let identity = format!("{}/id/{organization}/{}", call.base, call.caller.id);
    resources.insert("identity".to_owned(), json!(identity));
    Answer::json(Value::Object(resources))
}

/// GET limits
pub fn limits(call: &Call) -> Answer {
    let limit = call.state().settings.daily_limit;
    let used = call.world.calls_used();
    let pair = |max: u64, remaining: u64| json!({"Max": max, "Remaining": remaining});
    Answer::json(json!({
        "DailyApiRequests": pair(limit, limit.saturating_sub(used)),
        "DailyBulkV2QueryJobs": pair(10_000, 10_000),
        "DataStorageMB": pair(10_240, 9_000),
        "FileStorageMB": pair(10_240, 9_000),
        "HourlyAsyncReportRuns": pair(1_200, 1_200),
        "ConcurrentAsyncGetReportInstances": pair(200, 200),
    }))
}
