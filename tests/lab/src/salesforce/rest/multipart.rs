//! Files as `multipart/form-data`: a JSON part with the fields and a binary part with the bytes
//! (REST API Developer Guide, "Insert or Update Blob Data"). Becomes the JSON form of the same request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::salesforce::error::{ApiResult, unreadable};
use crate::salesforce::rules::content;

/// The request as JSON: the first JSON part, with the binary part under its own name.
///
/// # Errors
/// JSON_PARSER_ERROR if the parts cannot be told apart.
pub fn to_json(content_type: &str, body: &[u8]) -> ApiResult<Value> {
    let boundary = content_type
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="));
    let boundary = boundary
        .map(|boundary| boundary.trim_matches('"'))
        .filter(|boundary| !boundary.is_empty());
    let boundary = boundary.ok_or_else(|| unreadable("Multipart message without boundary"))?;
    let mut entity = None;
    let mut blobs = Vec::new();
    for part in parts(body, boundary.as_bytes()) {
        let split = find(part, b"\r\n\r\n").ok_or_else(|| unreadable("Multipart part without headers"))?;
        let (head, rest) = part.split_at(split);
        let data = rest.get(4..).unwrap_or_default();
        let head = String::from_utf8_lossy(head).to_lowercase();
        if head.contains("application/json") && entity.is_none() {
            let value: Value = serde_json::from_slice(data).map_err(|error| unreadable(error.to_string()))?;
            entity = Some(value);
        } else {
            blobs.push((name_of(part), held(data)));
        }
    }
    let mut entity = entity.ok_or_else(|| unreadable("Multipart message without a JSON part"))?;
    if let Some(entity) = entity.as_object_mut() {
        for (name, data) in blobs {
            entity.insert(name, json!(data));
        }
    }
    Ok(entity)
}

/// Files longer than this are measured and not held.
const HELD: usize = 8 << 20;
const MEASURED: &str = "measured:";

/// A file as it is held: its bytes, or what was measured of them.
fn held(data: &[u8]) -> String {
    match data.len() {
        0..=HELD => STANDARD.encode(data),
        size => STANDARD.encode(format!("{MEASURED}{size}:{}", content::checksum(data))),
    }
}

/// Size and checksum of a file that is not held.
pub fn measured(data: &[u8]) -> Option<(usize, String)> {
    let text = std::str::from_utf8(data).ok()?.strip_prefix(MEASURED)?;
    let (size, checksum) = text.split_once(':')?;
    Some((size.parse().ok()?, checksum.to_owned()))
}

fn name_of(part: &[u8]) -> String {
    let head = find(part, b"\r\n\r\n")
        .and_then(|end| part.get(..end))
        .unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let name = head
        .split([';', '\n'])
        .find_map(|piece| piece.trim().strip_prefix("name="));
    name.map(|name| name.trim_matches(['"', '\r']).to_owned())
        .unwrap_or_default()
}

fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut marker = b"--".to_vec();
    marker.extend_from_slice(boundary);
    let mut parts = Vec::new();
    let Some(first) = find(body, &marker) else {
        return parts;
    };
    let mut rest = body.get(first + marker.len()..).unwrap_or_default();
    let mut delimiter = b"\r\n".to_vec();
    delimiter.extend_from_slice(&marker);
    while let Some(end) = find(rest, &delimiter) {
        let part = rest.get(..end).unwrap_or_default();
        parts.push(part.strip_prefix(b"\r\n").unwrap_or(part));
        rest = rest.get(end + delimiter.len()..).unwrap_or_default();
    }
    parts
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}
