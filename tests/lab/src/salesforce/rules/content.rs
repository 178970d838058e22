//! Files: a version makes or extends a document, links hang documents on records.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::Value;

use super::people::ids;
use crate::salesforce::error::{ApiError, ApiResult, read_only};
use crate::salesforce::rest::multipart;
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

/// Size, checksum and type of a version.
pub fn version(row: &mut Row) -> ApiResult<()> {
    let path = row.text("PathOnClient").to_owned();
    if !row.text("ContentUrl").is_empty() {
        return link_version(row);
    }
    if path.is_empty() {
        let message = "Required fields are missing: [PathOnClient]";
        return Err(ApiError::on("REQUIRED_FIELD_MISSING", message, &["PathOnClient"]));
    }
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    if row.text("Title").is_empty() {
        let title = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        row.set("Title", title);
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
        .unwrap_or_default();
    row.set(
        "FileType",
        if extension.is_empty() {
            "UNKNOWN".to_owned()
        } else {
            extension.to_uppercase()
        },
    );
    row.set("FileExtension", extension);
    let data = STANDARD.decode(row.text("VersionData")).unwrap_or_default();
    let (size, checksum) = multipart::measured(&data).unwrap_or_else(|| (data.len(), checksum(&data)));
    row.set("ContentSize", size as i64);
    row.set("Checksum", checksum);
    row.set("IsLatest", true);
    Ok(())
}

/// A link has no bytes, and is told by its type.
fn link_version(row: &mut Row) -> ApiResult<()> {
    row.set("FileType", "LINK");
    row.set("ContentSize", 0);
    row.set("IsLatest", true);
    Ok(())
}

/// The MD5 checksum of a file.
pub fn checksum(data: &[u8]) -> String {
    Md5::digest(data)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The document behind a version, and the links it starts with.
pub fn after_version(tx: &mut Transaction, id: &str, old: Option<&Row>) -> ApiResult<()> {
    let Some(row) = tx.state.row("ContentVersion", id).cloned() else {
        return Ok(());
    };
    if old.is_some() {
        return Ok(());
    }
    let mut document = Row::new();
    for field in ["Title", "FileType", "FileExtension", "ContentSize", "OwnerId"] {
        document.set(field, row.get(field).cloned().unwrap_or(Value::Null));
    }
    document.set("LatestPublishedVersionId", id);
    let existing = row.text("ContentDocumentId").to_owned();
    if !existing.is_empty() {
        let earlier = ids(tx, "ContentVersion", "ContentDocumentId", &existing);
        for version in earlier.iter().filter(|version| *version != id) {
            tx.amend("ContentVersion", version, |row| row.set("IsLatest", false))?;
        }
        let number = earlier.len().to_string();
        tx.amend("ContentVersion", id, |row| row.set("VersionNumber", number))?;
        return tx.amend("ContentDocument", &existing, |row| row.extend(document));
    }
    let document = tx.create_named("ContentDocument", document)?;
    tx.amend("ContentVersion", id, |row| {
        row.set("ContentDocumentId", document.as_str());
        row.set("VersionNumber", "1");
    })?;
    publish(tx, &document, row.text("OwnerId"), "I")?;
    let location = row.text("FirstPublishLocationId");
    if !location.is_empty() && location != row.text("OwnerId") {
        publish(tx, &document, location, "V")?;
    }
    Ok(())
}

fn publish(tx: &mut Transaction, document: &str, entity: &str, share: &str) -> ApiResult<()> {
    let mut link = Row::new();
    link.set("ContentDocumentId", document);
    link.set("LinkedEntityId", entity);
    link.set("ShareType", share);
    link.set("Visibility", "AllUsers");
    link_allowed(tx, &link)?;
    let id = tx.create_named("ContentDocumentLink", link)?;
    after_link(tx, &id)
}

/// One link for each document and record; e-mails take files only while drafts or client-managed.
pub fn link(tx: &Transaction, row: &mut Row) -> ApiResult<()> {
    let mut links = tx
        .state
        .table("ContentDocumentLink")
        .live_where("ContentDocumentId", row.text("ContentDocumentId"));
    if links.any(|other| other.text("LinkedEntityId") == row.text("LinkedEntityId")) {
        let message = "Document with ID: is already linked with the entity";
        return Err(ApiError::on("DUPLICATE_VALUE", message, &[]));
    }
    link_allowed(tx, row)
}

fn link_allowed(tx: &Transaction, row: &Row) -> ApiResult<()> {
    match tx.state.row("EmailMessage", row.text("LinkedEntityId")) {
        Some(email) if email.text("Status") != "5" && !email.flag("IsClientManaged") => Err(read_only()),
        _ => Ok(()),
    }
}

/// An e-mail with a file has an attachment.
pub fn after_link(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    let entity = tx
        .state
        .row("ContentDocumentLink", id)
        .map(|row| row.text("LinkedEntityId").to_owned());
    match entity {
        Some(email) if email.starts_with("02s") => {
            tx.amend("EmailMessage", &email, |row| row.set("HasAttachment", true))
        }
        _ => Ok(()),
    }
}

/// Versions and links go with their document.
pub fn delete(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    for object in ["ContentVersion", "ContentDocumentLink"] {
        for row in ids(tx, object, "ContentDocumentId", id) {
            tx.recycle(object, &row)?;
        }
    }
    Ok(())
}
