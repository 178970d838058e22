//! `composite/sobjects` ("sObject Collections", REST API guide): up to 200 records a call, each with its own
//! fate, answered in order.

use super::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most records in one call.
pub(in crate::crm::salesforce) const MOST_ROWS: usize = 200;

/// The most bytes of one request. Salesforce takes 50 MB; half of it leaves room for escaping.
pub(in crate::crm::salesforce) const MOST_BYTES: usize = 24 << 20;

/// A record as it is sent: fields by API name.
pub(in crate::crm::salesforce) type Fields = Map<String, Value>;

#[derive(Serialize)]
struct Request<'a> {
    #[serde(rename = "allOrNone")]
    all_or_none: bool,
    records: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    attributes: Attributes<'a>,
    #[serde(flatten)]
    fields: &'a Fields,
}

#[derive(Serialize)]
struct Attributes<'a> {
    #[serde(rename = "type")]
    object: &'a str,
}

/// The body of an insert or an update of these records, each on its own.
pub(in crate::crm::salesforce) fn body<'a>(
    object: &str,
    rows: impl Iterator<Item = &'a Fields>,
) -> serde_json::Result<Vec<u8>> {
    let records = rows.map(|fields| Row {
        attributes: Attributes { object },
        fields,
    });
    serde_json::to_vec(&Request {
        all_or_none: false,
        records: records.collect(),
    })
}

/// The path of a deletion.
pub(in crate::crm::salesforce) fn delete_path<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.collect();
    format!("composite/sobjects?ids={}&allOrNone=false", ids.join(","))
}

/// What became of one record.
#[derive(Deserialize)]
pub(in crate::crm::salesforce) struct Saved {
    #[serde(default)]
    pub(in crate::crm::salesforce) id: Option<String>,
    pub(in crate::crm::salesforce) success: bool,
    #[serde(default = "Vec::new")]
    pub(in crate::crm::salesforce) errors: Vec<Fault>,
}
