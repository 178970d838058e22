//! Describe Global, sObject Basic Information, sObject Describe: what the caller may do with which field.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::ask::{Answer, Ask, Body};
use super::call::Call;
use super::records::http_date;
use crate::salesforce::error::{ApiError, ApiResult, not_found};
use crate::salesforce::id;
use crate::salesforce::rights;
use crate::salesforce::schema::{self, Field, Kind, Object, Writable};
use crate::salesforce::settings::FieldRights;
use crate::salesforce::store::Fields;

/// What a user without rights of his own is told of an object, by version and object. It follows from the schema alone,
/// so that every org of the process has the same: every process that comes up asks for four of them, and each is a
/// thousand values.
static PLAIN: LazyLock<Mutex<Descriptions>> = LazyLock::new(Mutex::default);

type Descriptions = HashMap<(String, &'static str), Arc<RawValue>>;

/// GET sobjects
pub fn global(call: &Call) -> Answer {
    let visible =
        schema::objects().filter(|object| rights::object_rights(call.state(), call.caller, object).read);
    let sobjects: Vec<Value> = visible.map(|object| summary(call, object)).collect();
    Answer::json(json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects}))
}

/// GET sobjects/T
pub fn basic(call: &Call, object: &'static Object) -> Answer {
    let rows = call
        .state()
        .table(object.name)
        .rows()
        .filter(|row| !row.flag("IsDeleted") && row.text("LastModifiedById") == call.caller.id);
    let recent: Vec<Value> = rows
        .take(5)
        .map(|row| {
            let id = row.text("Id");
            let url = format!("/services/data/{}/sobjects/{}/{id}", call.version, object.name);
            json!({"attributes": {"type": object.name, "url": url}, "Id": id})
        })
        .collect();
    Answer::json(json!({"objectDescribe": summary(call, object), "recentItems": recent}))
}

/// GET sobjects/T/listviews/ID/describe; "List View Describe", REST API guide.
pub fn list_view(call: &Call, object: &'static Object, wanted: &str) -> ApiResult<Answer> {
    let wanted = id::normalize(wanted).ok_or_else(not_found)?;
    let views = &call.state().settings.list_views;
    let query = views
        .get(&wanted)
        .filter(|_| object.name == "Contact")
        .ok_or_else(not_found)?;
    let scope = query.contains("USING SCOPE mine").then_some("mine");
    Ok(Answer::json(json!({
        "columns": [],
        "id": wanted,
        "orderBy": [],
        "query": query,
        "relatedEntityId": null,
        "scope": scope,
        "scopeEntityId": null,
        "sobjectType": object.name,
        "whereCondition": null,
    })))
}

/// GET sobjects/T/describe
pub fn object(call: &Call, object: &'static Object, ask: &Ask) -> ApiResult<Answer> {
    if !rights::object_rights(call.state(), call.caller, object).read {
        return Err(not_found());
    }
    let since = ask
        .headers
        .get("if-modified-since")
        .and_then(|date| http_date(date));
    if since.is_some_and(|since| since >= call.world.settings_changed()) {
        return Ok(Answer::empty(304));
    }
    let plain = !rights::are_limited(call.state(), call.caller, object);
    let key = (call.version.clone(), object.name);
    let held = || PLAIN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = plain.then(|| held().get(&key).cloned()).flatten();
    let text = match known {
        Some(text) => text,
        None => {
            let text = to_raw_value(&whole(call, object));
            let text = text.map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()))?;
            Arc::from(text)
        }
    };
    if plain {
        held().insert(key, Arc::clone(&text));
    }
    Ok(Answer {
        body: Body::Text(text),
        ..Answer::empty(200)
    })
}

fn whole(call: &Call, object: &'static Object) -> Value {
    let fields: Vec<Value> = object
        .fields()
        .filter_map(|field| {
            let rights = rights::field_rights(call.state(), call.caller, object, field);
            rights.read.then(|| described(field, rights, object))
        })
        .collect();
    let children: Vec<Value> = object
        .children
        .iter()
        .map(|child| {
            json!({
                "cascadeDelete": false, "childSObject": child.object, "deprecatedAndHidden": false,
                "field": child.field, "relationshipName": child.name, "restrictedDelete": false,
            })
        })
        .collect();
    let mut body = summary(call, object);
    if let Some(body) = body.as_object_mut() {
        body.insert("fields".to_owned(), json!(fields));
        body.insert("childRelationships".to_owned(), json!(children));
        body.insert("recordTypeInfos".to_owned(), json!([]));
    }
    body
}

fn summary(call: &Call, object: &'static Object) -> Value {
    let rights = rights::object_rights(call.state(), call.caller, object);
    let writable = object.writable == Writable::All;
    let url = format!("/services/data/{}/sobjects/{}", call.version, object.name);
    json!({
        "name": object.name,
        "label": object.name,
        "labelPlural": object.plural,
        "keyPrefix": object.prefix,
        "createable": writable && rights.create,
        "updateable": writable && rights.edit,
        "deletable": writable && rights.delete,
        "undeletable": writable && rights.delete,
        "queryable": true,
        "retrieveable": true,
        "searchable": object.searchable,
        "replicateable": true,
        "triggerable": writable,
        "mergeable": matches!(object.name, "Account" | "Contact" | "Lead"),
        "custom": false,
        "customSetting": false,
        "deprecatedAndHidden": false,
        "activateable": false,
        "feedEnabled": false,
        "layoutable": true,
        "urls": {
            "sobject": url,
            "describe": format!("{url}/describe"),
            "rowTemplate": format!("{url}/{{ID}}"),
        },
    })
}

fn described(field: &Field, rights: FieldRights, object: &Object) -> Value {
    let values: &[&str] = match field.kind {
        Kind::Picklist { values, .. } | Kind::Combobox { values, .. } => values,
        _ => &[],
    };
    let default = field.default.map(|default| match default {
        schema::field::Default::Text(text) => json!(text),
        schema::field::Default::Flag(flag) => json!(flag),
    });
    let picklist: Vec<Value> = values
        .iter()
        .map(|value| {
            let chosen = default.as_ref().and_then(Value::as_str) == Some(value);
            json!({"active": true, "defaultValue": chosen, "label": value, "validFor": null, "value": value})
        })
        .collect();
    let numeric = matches!(field.kind, Kind::Int | Kind::Currency);
    let always = matches!(field.kind, Kind::Boolean | Kind::Id);
    json!({
        "name": field.name,
        "label": field.label(),
        "type": field.type_name(),
        "soapType": soap_type(field.kind),
        "length": field.length(),
        "byteLength": field.length() * 3,
        "digits": if matches!(field.kind, Kind::Int) { 8 } else { 0 },
        "precision": if numeric { 18 } else { 0 },
        "scale": if matches!(field.kind, Kind::Currency) { 2 } else { 0 },
        "createable": field.create && rights.edit,
        "updateable": field.update && rights.edit,
        "nillable": !field.required && !always,
        "defaultedOnCreate": field.default.is_some() || always,
        "defaultValue": default,
        "custom": field.custom(),
        "externalId": field.external_id,
        "unique": field.external_id,
        "caseSensitive": false,
        "idLookup": field.id_lookup,
        "nameField": object.name_field() == Some(field.name),
        "filterable": field.filterable(),
        "sortable": field.filterable(),
        "groupable": field.filterable(),
        "calculated": false,
        "autoNumber": field.name == "CaseNumber",
        "permissionable": field.create || field.update,
        "restrictedPicklist": matches!(field.kind, Kind::Picklist { restricted: true, .. }),
        "picklistValues": picklist,
        "referenceTo": field.targets(),
        "relationshipName": field.relation(),
        "polymorphicForeignKey": field.targets().len() > 1,
        "namePointing": field.targets().len() > 1,
        "deprecatedAndHidden": false,
        "htmlFormatted": false,
    })
}

fn soap_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference { .. } => "tns:ID",
        Kind::Boolean => "xsd:boolean",
        Kind::Int => "xsd:int",
        Kind::Currency => "xsd:double",
        Kind::Date => "xsd:date",
        Kind::DateTime => "xsd:dateTime",
        Kind::Base64 => "xsd:base64Binary",
        Kind::JunctionIds => "urn:JunctionIdListNames",
        _ => "xsd:string",
    }
}
