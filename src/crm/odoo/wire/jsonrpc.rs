//! `/jsonrpc` (until Odoo 22): service, method and positional arguments in an envelope; every answer has status
//! 200, and an exception is in the envelope.

use super::fault::Fault;
use crate::crm::odoo::call::Call;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Below the server's root.
pub(in crate::crm::odoo) const PATH: &str = "jsonrpc";

/// The argument of `create`.
const CREATES: &str = "vals_list";

/// Asks for the number that belongs to a login and its key; `false` is answered where they do not fit.
pub(in crate::crm::odoo) fn authenticate(database: &str, login: &str, key: &str) -> Value {
    envelope("common", "authenticate", json!([database, login, key, {}]))
}

/// The body of a call.
pub(in crate::crm::odoo) fn body(call: &Call, database: &str, number: i64, key: &str) -> Value {
    let mut positional: Vec<Value> = call.ids.iter().map(|ids| Value::from(ids.clone())).collect();
    let mut named = call.arguments.clone();
    // The one method whose argument must not be named.
    positional.extend(named.remove(CREATES));
    named.insert("context".to_owned(), call.context());
    let arguments = json!([database, number, key, call.model, call.method, positional, named]);
    envelope("object", "execute_kw", arguments)
}

fn envelope(service: &str, method: &str, arguments: Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": "call",
        "params": { "service": service, "method": method, "args": arguments },
    })
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Error>,
}

#[derive(Deserialize)]
struct Error {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    name: String,
}

/// The result of an answer, or its exception. `None` for what is no envelope.
pub(in crate::crm::odoo) fn open(body: &[u8]) -> Option<Result<&RawValue, Fault>> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    match (envelope.result, envelope.error) {
        (_, Some(error)) => Some(Err(Fault::named(
            error.data.as_ref().map_or("", |data| data.name.as_str()),
        ))),
        (Some(result), None) => Some(Ok(result)),
        (None, None) => None,
    }
}
