//! Files: a ContentVersion makes a ContentDocument, and a ContentDocumentLink hangs that on a record.
//!
//! The document belongs to no record at first: storing and linking are two calls, so that one document can hang on
//! ten mails, and a broken-off transfer can be told by its key. The key stands in the version's Description, which
//! every org has and which can be filtered by ("ContentVersion", Object Reference); a user finds by it what he
//! stored himself. Links are for internal users alone: a portal's customers do not see what hangs on their records.

use super::client::{Call, Client, misfit};
use super::codes;
use super::soql::{self, literal};
use super::users::Users;
use super::wire::collections::{self, Fields, Saved};
use super::wire::multipart::Multipart;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, ExternalKey, FileId, NewFile, NewFileBody};
use crate::crm::port::FileBody;
use crate::foundation::content::Content;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// What a multipart request takes ("Insert or Update Blob Data").
pub(super) const LARGEST: u64 = 2 << 30;

const LONGEST_PATH: usize = 500;
const LONGEST_TITLE: usize = 255;
const LONGEST_URL: usize = 1300;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionRow {
    content_document_id: String,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// A query of links must name their record or their document and nothing more ("ContentDocumentLink", Object
/// Reference), so that whose file it is, is read and not asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LinkRow {
    id: String,
    content_document: Option<DocumentRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DocumentRow {
    latest_published_version: Option<DescriptionRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescriptionRow {
    description: Option<String>,
}

impl LinkRow {
    fn is_ours(&self) -> bool {
        let document = self.content_document.as_ref();
        let version = document.and_then(|document| document.latest_published_version.as_ref());
        let description = version.and_then(|version| version.description.as_deref());
        description.is_some_and(|text| text.starts_with(MARK))
    }
}

/// Stores files.
pub(super) struct Files {
    client: Arc<Client>,
    users: Arc<Users>,
}

impl Files {
    pub(super) fn new(client: Arc<Client>, users: Arc<Users>) -> Self {
        Self { client, users }
    }

    /// See [`Crm::find_file`](crate::crm::port::Crm::find_file).
    pub(super) async fn find(&self, user: &CrmUser, key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        let condition = format!(
            "Description = {} AND IsLatest = true ORDER BY CreatedDate, Id LIMIT 1",
            literal(&mark(key))
        );
        self.document(user, &condition).await
    }

    async fn document(&self, user: &CrmUser, condition: &str) -> Result<Option<FileId>, CrmError> {
        let query = soql::encoded(&format!(
            "SELECT ContentDocumentId FROM ContentVersion WHERE {condition}"
        ));
        let rows: Vec<VersionRow> = self.client.queries(&user.username, &[query]).await?;
        Ok(rows.into_iter().next().map(|row| FileId(row.content_document_id)))
    }

    /// See [`Crm::store_file`](crate::crm::port::Crm::store_file).
    pub(super) async fn store(
        &self,
        user: &CrmUser,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        let mut columns = Fields::new();
        columns.insert("Description".to_owned(), Value::from(mark(&file.key)));
        columns.insert("Title".to_owned(), text(&file.name, LONGEST_TITLE));
        if !self.client.acts_as_user() {
            let owner = self.users.id(user).await?;
            columns.insert("OwnerId".to_owned(), Value::from(owner.0));
        }
        let answer = match file.body {
            NewFileBody::Bytes(length) => {
                columns.insert("PathOnClient".to_owned(), text(&file.name, LONGEST_PATH));
                let mut multipart = Multipart::new(&columns, length, body).map_err(|_| misfit())?;
                let kind = multipart.kind().ok_or_else(misfit)?;
                self.client
                    .upload(&user.username, "sobjects/ContentVersion", kind, &mut multipart)
                    .await?
            }
            NewFileBody::Link(url) => {
                columns.insert("ContentUrl".to_owned(), text(&url, LONGEST_URL));
                let body = serde_json::to_vec(&columns).map_err(|_| misfit())?;
                let call = Call::new(Method::POST, "sobjects/ContentVersion", body).once();
                self.client.send(&user.username, call).await?
            }
        };
        let made: Made = answer.json()?;
        let condition = format!("Id = {}", literal(&made.id));
        self.document(user, &condition).await?.ok_or(CrmError::Gone)
    }

    /// See [`Crm::link_file`](crate::crm::port::Crm::link_file).
    pub(super) async fn link(&self, user: &CrmUser, record: &CrmId, file: &FileId) -> Result<(), CrmError> {
        let columns = [
            ("ContentDocumentId", file.0.as_str()),
            ("LinkedEntityId", record.0.as_str()),
            ("ShareType", "V"),
            ("Visibility", "InternalUsers"),
        ];
        let columns: Fields = columns
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        // A repeated link answers that it is there, which is what was wanted.
        let saved: Vec<Saved> = self
            .client
            .save(
                &user.username,
                Method::POST,
                "ContentDocumentLink",
                &[&columns],
                true,
            )
            .await?;
        let saved = saved.into_iter().next().ok_or_else(misfit)?;
        match saved.errors.into_iter().next() {
            None if saved.success => Ok(()),
            None => Err(misfit()),
            Some(fault) if fault.code() == "DUPLICATE_VALUE" => Ok(()),
            Some(fault) => Err(codes::of_record(&fault)),
        }
    }

    /// See [`Crm::take_files_off`](crate::crm::port::Crm::take_files_off). The documents stay with whoever stored them.
    pub(super) async fn take_off(&self, user: &CrmUser, record: &CrmId) -> Result<(), CrmError> {
        let query = soql::encoded(&format!(
            "SELECT Id, ContentDocument.LatestPublishedVersion.Description FROM ContentDocumentLink \
             WHERE LinkedEntityId = {}",
            literal(&record.0)
        ));
        let rows: Vec<LinkRow> = self.client.queries(&user.username, &[query]).await?;
        let ours: Vec<&str> = rows
            .iter()
            .filter(|row| row.is_ours())
            .map(|row| row.id.as_str())
            .collect();
        for some in ours.chunks(collections::MOST_ROWS) {
            let saved = self.client.delete(&user.username, some.iter().copied()).await?;
            for fault in saved.into_iter().flat_map(|saved| saved.errors) {
                match codes::of_record(&fault) {
                    CrmError::Gone => {}
                    error => return Err(error),
                }
            }
        }
        Ok(())
    }
}

const MARK: &str = "Holdfast ";

fn mark(key: &ExternalKey) -> String {
    format!("{MARK}{}", key.0)
}

/// A text that Salesforce counts as so many characters; the end of a name says what the file is, and stays.
fn text(value: &Content<String>, most: usize) -> Value {
    let value = value.expose().trim();
    let value = if value.is_empty() { "attachment" } else { value };
    if value.encode_utf16().count() <= most {
        return Value::from(value);
    }
    let end = value.rsplit_once('.').map_or("", |(_, end)| end);
    let end = if end.len() > 16 { "" } else { end };
    let room = most.saturating_sub(end.encode_utf16().count() + 1);
    let mut units = 0;
    let start: String = value
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= room
        })
        .collect();
    Value::from(format!("{start}.{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_keeps_its_end_and_fits() {
        let name = Content::new(format!("{}.pdf", "é😀".repeat(300)));
        let cut = text(&name, LONGEST_TITLE);
        let cut = cut.as_str().unwrap_or_default();
        assert!(cut.ends_with(".pdf") && cut.encode_utf16().count() <= LONGEST_TITLE);
        assert_eq!(text(&Content::from("a.txt"), 255), "a.txt");
    }
}
