//! Query, QueryAll, the further pages of both, Search and Parameterized Search.

use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::call::Call;
use crate::salesforce::error::{ApiError, ApiResult, unreadable};
use crate::salesforce::locators::Locator;
use crate::salesforce::rights;
use crate::salesforce::soql::bind::{Binder, Bound};
use crate::salesforce::soql::find::{self, Group, Search};
use crate::salesforce::soql::parse::parse;
use crate::salesforce::store::Row;

/// GET query and queryAll
pub fn query(call: &Call, ask: &Ask, deleted: bool) -> ApiResult<Answer> {
    let text = ask.required("q")?;
    let parsed = parse(text)?;
    let bound = Binder {
        text,
        state: call.state(),
        caller: call.caller,
    }
    .query(&parsed)?;
    let ids = call.evaluator().ids(&bound, deleted);
    if bound.count {
        return Ok(Answer::json(
            json!({"totalSize": ids.len(), "done": true, "records": []}),
        ));
    }
    if !bound.aggregates.is_empty() {
        let record = call.evaluator().aggregate(&bound, &ids);
        return Ok(Answer::json(
            json!({"totalSize": 1, "done": true, "records": [record]}),
        ));
    }
    let resource = if deleted { "queryAll" } else { "query" };
    let locator = Locator {
        user: call.caller.id.clone(),
        ids,
        bound,
        resource,
        page: call.batch_size,
        made: call.now,
    };
    let answer = page(call, &locator, 0, None);
    Ok(answer)
}

/// One page; further ones hang on the locator's name, made on the first page if there are more.
fn page(call: &Call, locator: &Locator, from: usize, name: Option<&str>) -> Answer {
    let evaluator = call.evaluator();
    let table = call.state().table(locator.bound.object.name);
    let columns = &locator.bound.columns;
    let show = |row: &Row| evaluator.show(&call.version, locator.bound.object, columns, row);
    let ids = locator.ids.iter().skip(from).take(locator.page);
    let records: Vec<Value> = ids.filter_map(|id| table.get(id)).map(|row| show(row)).collect();
    let next = from + locator.page;
    let done = next >= locator.ids.len();
    let mut body = json!({"totalSize": locator.ids.len(), "done": done, "records": records});
    if !done {
        let name = name.map_or_else(|| call.world.locators.keep(locator), str::to_owned);
        let url = format!(
            "/services/data/{}/{}/{name}-{next}",
            call.version, locator.resource
        );
        if let Some(body) = body.as_object_mut() {
            body.insert("nextRecordsUrl".to_owned(), json!(url));
        }
    }
    Answer::json(body)
}

/// GET query/LOCATOR
pub fn more(call: &Call, given: &str) -> ApiResult<Answer> {
    let unknown = || ApiError::new("INVALID_QUERY_LOCATOR", "invalid query locator");
    let (name, from) = given.rsplit_once('-').ok_or_else(unknown)?;
    let from: usize = from.parse().map_err(|_| unknown())?;
    let locator = call
        .world
        .locators
        .find(name, &call.caller.id, call.now)
        .ok_or_else(unknown)?;
    Ok(page(call, &locator, from, Some(name)))
}

/// GET search?q=FIND {..}
pub fn search(call: &Call, ask: &Ask) -> ApiResult<Answer> {
    let text = ask.required("q")?;
    let binder = Binder {
        text,
        state: call.state(),
        caller: call.caller,
    };
    let search = find::parse_search(&binder, text)?;
    Ok(Answer::json(json!({"searchRecords": found(call, &search)})))
}

fn found(call: &Call, search: &Search) -> Vec<Value> {
    let evaluator = call.evaluator();
    let mut records = Vec::new();
    for bound in &search.returning {
        let table = call.state().table(bound.object.name);
        let ids = evaluator.ids(bound, false);
        let hits = ids.iter().filter_map(|id| table.get(id)).filter(|row| {
            find::hit(bound.object, row, search.group, &search.terms)
                && rights::may_read(call.state(), call.caller, bound.object, row)
        });
        records.extend(hits.map(|row| evaluator.show(&call.version, bound.object, &bound.columns, row)));
    }
    // A search prefers what changed last, and cuts the rest.
    records.truncate(search.limit);
    records
}

/// GET and POST parameterizedSearch
pub fn parameterized(call: &Call, ask: &Ask) -> ApiResult<Answer> {
    let (text, group, sobjects, limit) = if ask.method == http::Method::POST {
        let body = ask.object()?;
        let text = body
            .get("q")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let group = body.get("in").and_then(Value::as_str).unwrap_or("ALL").to_owned();
        let limit = body.get("overallLimit").and_then(Value::as_u64).unwrap_or(2000);
        (text, group, objects_of(&body), limit as usize)
    } else {
        let group = ask.query.get("in").cloned().unwrap_or_else(|| "ALL".to_owned());
        let fields = ask
            .query
            .get("fields")
            .cloned()
            .unwrap_or_else(|| "Id".to_owned());
        let names = ask.query.get("sobject").cloned().unwrap_or_default();
        let sobjects = names
            .split(',')
            .map(|name| (name.trim().to_owned(), fields.clone()))
            .collect();
        (ask.required("q")?.to_owned(), group, sobjects, 2000)
    };
    if text.is_empty() || sobjects.is_empty() {
        return Err(unreadable("q and sobjects are required"));
    }
    let mut returning: Vec<Bound> = Vec::new();
    for (name, fields) in sobjects {
        let soql = format!("SELECT {fields} FROM {name}");
        let binder = Binder {
            text: &soql,
            state: call.state(),
            caller: call.caller,
        };
        returning.push(binder.query(&parse(&soql)?)?);
    }
    let group = match group.to_ascii_uppercase().as_str() {
        "EMAIL" => Group::Email,
        "NAME" => Group::Name,
        "PHONE" => Group::Phone,
        _ => Group::All,
    };
    let search = Search {
        terms: find::terms(&text),
        group,
        returning,
        limit,
    };
    Ok(Answer::json(json!({"searchRecords": found(call, &search)})))
}

/// The objects of a POSTed search with their field lists.
fn objects_of(body: &serde_json::Map<String, Value>) -> Vec<(String, String)> {
    let texts = |list: Option<&Value>| -> Vec<String> {
        let list = list.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let common = texts(body.get("fields"));
    let list = body
        .get("sobjects")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let objects = list.filter_map(|sobject| {
        let name = sobject
            .get("name")
            .and_then(Value::as_str)
            .or_else(|| sobject.as_str())?;
        let own = texts(sobject.get("fields"));
        let fields = if own.is_empty() { common.clone() } else { own };
        let fields = if fields.is_empty() {
            "Id".to_owned()
        } else {
            fields.join(", ")
        };
        let condition = sobject.get("where").and_then(Value::as_str);
        let name = condition.map_or_else(
            || name.to_owned(),
            |condition| format!("{name} WHERE {condition}"),
        );
        Some((name, fields))
    });
    objects.collect()
}
