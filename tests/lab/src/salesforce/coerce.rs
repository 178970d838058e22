//! JSON values into field values: types, trimming, lengths, picklists, addresses, moments.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult, unreadable};
use super::id;
use super::moment::{parse_date, parse_moment, stamp};
use super::schema::{Field, Kind};

/// The value as the store keeps it; null for what the org treats as empty.
///
/// # Errors
/// The value does not fit the field's type, length or list.
pub fn coerce(field: &Field, value: &Value) -> ApiResult<Value> {
    if value.is_null() {
        return Ok(if matches!(field.kind, Kind::Boolean) {
            json!(false)
        } else {
            Value::Null
        });
    }
    match field.kind {
        Kind::Id | Kind::Reference { .. } => reference(field, value),
        Kind::Boolean => boolean(value),
        Kind::Int => whole(value),
        Kind::Currency => number(value),
        Kind::Date => date(value),
        Kind::DateTime => moment(value),
        Kind::Base64 => bytes(value),
        Kind::JunctionIds => junction(field, value),
        _ => text(field, value),
    }
}

fn mismatch(kind: &str, value: &Value) -> ApiError {
    let (token, shown) = match value {
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Number(number) => ("VALUE_NUMBER_INT", number.to_string()),
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
        Value::Null => ("VALUE_NULL", "null".to_owned()),
    };
    unreadable(format!(
        "Cannot deserialize instance of {kind} from {token} value {shown} or request may be missing a required field at [line:1, column:1]"
    ))
}

fn reference(field: &Field, value: &Value) -> ApiResult<Value> {
    let Value::String(text) = value else {
        return Err(mismatch("reference", value));
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    id::normalize(text).map(Value::String).ok_or_else(|| {
        let message = format!("{}: id value of incorrect type: {text}", field.label());
        ApiError::on("MALFORMED_ID", message, &[field.name])
    })
}

fn boolean(value: &Value) -> ApiResult<Value> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::String(text) if text == "true" => Ok(json!(true)),
        Value::String(text) if text == "false" => Ok(json!(false)),
        _ => Err(mismatch("boolean", value)),
    }
}

fn whole(value: &Value) -> ApiResult<Value> {
    let number = match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .map(|number| json!(number))
        .ok_or_else(|| mismatch("int", value))
}

fn number(value: &Value) -> ApiResult<Value> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .map(|number| json!(number))
        .ok_or_else(|| mismatch("double", value))
}

fn date(value: &Value) -> ApiResult<Value> {
    let Value::String(text) = value else {
        return Err(mismatch("date", value));
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let date = parse_date(text).or_else(|| parse_moment(text).map(|at| at.date_naive()));
    date.map(|date| json!(date.to_string()))
        .ok_or_else(|| mismatch("date", value))
}

fn moment(value: &Value) -> ApiResult<Value> {
    let Value::String(text) = value else {
        return Err(mismatch("datetime", value));
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    parse_moment(text)
        .map(|at| json!(stamp(at)))
        .ok_or_else(|| mismatch("datetime", value))
}

fn bytes(value: &Value) -> ApiResult<Value> {
    let Value::String(text) = value else {
        return Err(mismatch("base64", value));
    };
    match STANDARD.decode(text) {
        Ok(_) => Ok(value.clone()),
        Err(_) => Err(mismatch("base64", &json!("..."))),
    }
}

fn junction(field: &Field, value: &Value) -> ApiResult<Value> {
    let Value::Array(list) = value else {
        return Err(mismatch("JunctionIdList", value));
    };
    let mut ids: Vec<Value> = Vec::new();
    for element in list {
        let id = reference(field, element)?;
        if !id.is_null() && !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Value::Array(ids))
}

/// Surrounding white space goes, an empty text is null, and the length counts UTF-16 units.
fn text(field: &Field, value: &Value) -> ApiResult<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(mismatch("string", value)),
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let length = text.encode_utf16().count();
    if length > field.length() as usize {
        let message = format!(
            "{}: data value too large: {text} (max length={})",
            field.label(),
            field.length()
        );
        return Err(ApiError::on("STRING_TOO_LONG", message, &[field.name]));
    }
    match field.kind {
        Kind::Email(_) if !is_address(text) => {
            let message = format!("{}: invalid email address: {text}", field.label());
            return Err(ApiError::on("INVALID_EMAIL_ADDRESS", message, &[field.name]));
        }
        Kind::Picklist {
            values,
            restricted: true,
        } => return listed(field, values, text),
        _ => {}
    }
    Ok(json!(text))
}

fn listed(field: &Field, values: &[&str], text: &str) -> ApiResult<Value> {
    values
        .iter()
        .find(|value| value.eq_ignore_ascii_case(text))
        .map(|value| json!(value))
        .ok_or_else(|| {
            let message = format!(
                "{}: bad value for restricted picklist field: {text}",
                field.label()
            );
            ApiError::on("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[field.name])
        })
}

/// The vendor's check is stricter than RFC 5322: ASCII, one `@`, a domain with a dot.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*/=?^_+-`{|}~.".contains(&byte));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_ok = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    local_ok && domain_ok
}
