//! sObject Basic Information, sObject Rows, sObject Rows by External ID, sObject Blob Get.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, Body};
use super::call::Call;
use super::wrong_method;
use crate::salesforce::changes;
use crate::salesforce::error::{ApiError, ApiResult, not_found};
use crate::salesforce::id;
use crate::salesforce::moment::parse_moment;
use crate::salesforce::rights;
use crate::salesforce::schema::{Field, Kind, Object};
use crate::salesforce::soql::bind::{Columns, Leaf};
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::write;

/// POST sobjects/T
pub fn create(call: &mut Call, object: &'static Object, ask: &Ask) -> ApiResult<Answer> {
    let body = ask.object()?;
    let id = write::insert(call.tx()?, object, &body)?;
    Ok(created(
        call,
        object,
        &id,
        json!({"id": id, "success": true, "errors": []}),
    ))
}

fn created(call: &Call, object: &Object, id: &str, body: Value) -> Answer {
    let location = format!("/services/data/{}/sobjects/{}/{id}", call.version, object.name);
    Answer {
        status: 201,
        body: Body::Json(body),
        location: Some(location),
    }
}

/// GET, PATCH, DELETE sobjects/T/ID
pub fn by_id(call: &mut Call, object: &'static Object, record: &str, ask: &Ask) -> ApiResult<Answer> {
    match ask.method.as_str() {
        "GET" => read(call, object, record, ask),
        "PATCH" => {
            let body = ask.object()?;
            unmodified(call, object, record, ask)?;
            write::update(call.tx()?, object, record, &body).map_err(as_row)?;
            Ok(Answer::empty(204))
        }
        "DELETE" => {
            write::delete(call.tx()?, object, record).map_err(as_row)?;
            Ok(Answer::empty(204))
        }
        _ => Err(wrong_method(ask, "HEAD,GET,PATCH,DELETE")),
    }
}

/// A row that a URL names and that is not there is a resource that does not exist.
fn as_row(error: ApiError) -> ApiError {
    match error.code {
        "INVALID_CROSS_REFERENCE_KEY" if error.fields.as_deref() == Some(&[]) => not_found(),
        "MALFORMED_ID" if error.fields.as_deref() == Some(&["Id".to_owned()]) => error.status(404),
        _ => error,
    }
}

/// The visible live row that a URL names.
fn visible<'a>(call: &'a Call, object: &'static Object, record: &str) -> ApiResult<&'a Row> {
    if !rights::object_rights(call.state(), call.caller, object).read {
        return Err(not_found());
    }
    let id = id::normalize(record)
        .filter(|id| id.starts_with(object.prefix))
        .ok_or_else(|| {
            let message = format!("Provided external ID field does not exist or is not accessible: {record}");
            ApiError::new("NOT_FOUND", message)
        })?;
    let row = call.state().row(object.name, &id).ok_or_else(not_found)?;
    if !rights::may_read(call.state(), call.caller, object, row) {
        return Err(not_found());
    }
    // A row in the recycle bin reads like one that never was; only changing it says that it is deleted.
    if row.flag("IsDeleted") {
        Err(not_found())
    } else {
        Ok(row)
    }
}

fn read(call: &Call, object: &'static Object, record: &str, ask: &Ask) -> ApiResult<Answer> {
    let row = visible(call, object, record)?;
    let since = ask
        .headers
        .get("if-modified-since")
        .and_then(|date| http_date(date));
    let modified = parse_moment(row.text("SystemModstamp"));
    if since
        .zip(modified)
        .is_some_and(|(since, modified)| modified <= since)
    {
        return Ok(Answer::empty(304));
    }
    let columns = match ask.query.get("fields") {
        Some(list) => chosen(call, object, list.split(','))?,
        None => all(call, object),
    };
    Ok(Answer::json(call.evaluator().show(
        &call.version,
        object,
        &columns,
        row,
    )))
}

/// `If-Unmodified-Since` guards a change, to the second.
fn unmodified(call: &Call, object: &'static Object, record: &str, ask: &Ask) -> ApiResult<()> {
    let Some(since) = ask
        .headers
        .get("if-unmodified-since")
        .and_then(|date| http_date(date))
    else {
        return Ok(());
    };
    let modified = parse_moment(visible(call, object, record)?.text("SystemModstamp"));
    if modified.is_some_and(|modified| modified > since) {
        let message = "The record was modified after the date given";
        return Err(ApiError::new("PRECONDITION_FAILED", message).status(412));
    }
    Ok(())
}

/// A date as HTTP headers write it (RFC 9110, section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::parse_from_rfc2822(text)
        .ok()
        .map(|at| at.to_utc())
}

/// Every field the caller may read.
pub(super) fn all(call: &Call, object: &'static Object) -> Columns {
    let readable = |field: &&Field| rights::field_rights(call.state(), call.caller, object, field).read;
    Columns {
        leaves: object.fields().filter(readable).map(Leaf::Field).collect(),
        ..Columns::default()
    }
}

/// The fields of a list, by name.
pub(super) fn chosen<'a>(
    call: &Call,
    object: &'static Object,
    names: impl Iterator<Item = &'a str>,
) -> ApiResult<Columns> {
    let mut columns = Columns::default();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let field = object
            .field(name)
            .filter(|field| rights::field_rights(call.state(), call.caller, object, field).read);
        let field = field.ok_or_else(|| {
            ApiError::new(
                "INVALID_FIELD",
                format!("No such column '{name}' on sobject of type {}", object.name),
            )
        })?;
        columns.leaves.push(Leaf::Field(field));
    }
    Ok(columns)
}

/// GET, PATCH, DELETE, POST sobjects/T/Field/value
pub fn by_key(
    call: &mut Call,
    object: &'static Object,
    field: &str,
    value: &str,
    ask: &Ask,
) -> ApiResult<Answer> {
    let key = lookup_field(object, field)?;
    match ask.method.as_str() {
        "PATCH" | "POST" if key.name == "Id" && ask.method == http::Method::POST => create(call, object, ask),
        "PATCH" => upsert(call, object, key, value, ask),
        "GET" | "DELETE" => {
            let found = changes::matches(call.state(), object, key, value);
            match found.as_slice() {
                [id] => by_id(call, object, id, ask),
                [] => Err(not_found()),
                several => Ok(choices(call, object, several)),
            }
        }
        _ => Err(wrong_method(ask, "HEAD,GET,PATCH,DELETE")),
    }
}

/// The field that an upsert may go by.
pub(super) fn lookup_field(object: &'static Object, name: &str) -> ApiResult<&'static Field> {
    object.field(name).filter(|field| field.id_lookup).ok_or_else(|| {
        let message = format!("Provided external ID field does not exist or is not accessible: {name}");
        ApiError::new("NOT_FOUND", message)
    })
}

fn choices(call: &Call, object: &Object, ids: &[String]) -> Answer {
    let urls = ids
        .iter()
        .map(|id| format!("/services/data/{}/sobjects/{}/{id}", call.version, object.name));
    Answer::with(300, json!(urls.collect::<Vec<_>>()))
}

fn upsert(
    call: &mut Call,
    object: &'static Object,
    key: &'static Field,
    value: &str,
    ask: &Ask,
) -> ApiResult<Answer> {
    let several = changes::matches(call.state(), object, key, value);
    if several.len() > 1 {
        return Ok(choices(call, object, &several));
    }
    let body = ask.object()?;
    let update_only = ask.says("updateOnly");
    let (id, new) = write::upsert(call.tx()?, object, key, value, &body, update_only).map_err(as_row)?;
    let body = json!({"id": id, "success": true, "errors": [], "created": new});
    Ok(if new {
        created(call, object, &id, body)
    } else {
        Answer::json(body)
    })
}

/// GET sobjects/ContentVersion/ID/VersionData
pub fn bytes(call: &Call, object: &'static Object, record: &str) -> ApiResult<Answer> {
    let row = visible(call, object, record)?;
    let blob = object
        .fields()
        .find(|field| matches!(field.kind, Kind::Base64))
        .ok_or_else(not_found)?;
    let data = STANDARD.decode(row.text(blob.name)).unwrap_or_default();
    Ok(Answer {
        status: 200,
        body: Body::Bytes(Bytes::from(data)),
        location: None,
    })
}
