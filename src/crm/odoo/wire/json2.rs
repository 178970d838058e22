//! `/json/2/MODEL/METHOD` (Odoo 19 and newer): named arguments in a JSON object, the result as it is.

use crate::crm::odoo::call::Call;
use serde_json::Value;

/// Below the server's root.
pub(in crate::crm::odoo) fn path(call: &Call) -> String {
    format!("json/2/{}/{}", call.model, call.method)
}

/// The body of a call.
pub(in crate::crm::odoo) fn body(call: &Call) -> Value {
    let mut body = call.arguments.clone();
    if let Some(ids) = &call.ids {
        body.insert("ids".to_owned(), Value::from(ids.clone()));
    }
    body.insert("context".to_owned(), call.context());
    Value::Object(body)
}
