//! Files: an `ir.attachment`, and copies of it that hang on records.
//!
//! In Odoo an attachment hangs on one record only. So what is stored first hangs on none, where its author alone sees
//! it, and hanging it on a record is a copy that Odoo makes by itself: no byte is sent again, and its file store keeps
//! equal contents once. A mail's copy hangs where `message_post` would hang it: on the record in whose chatter the
//! mail is, and among the mail's own attachments.
//!
//! The key stands in the description, which every Odoo has. By it a broken-off transfer is found, and the copy that
//! hangs on a record already. Two turns that copy at one moment both look again: the oldest copy stays.

use super::call::Call;
use super::client::{Client, misfit};
use super::convert::Form;
use super::domain::Domain;
use super::upload::File;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, ExternalKey, FileId, NewFile, NewFileBody};
use crate::crm::port::FileBody;
use crate::foundation::content::Content;
use crate::record::kind::RecordKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// A request of Odoo's takes 128 MiB (`web.max_file_upload_size`, `DEFAULT_MAX_CONTENT_LENGTH` of `odoo.http`), which
/// must hold the base64 and what is around it.
pub(super) const LARGEST: u64 = ((128 << 20) - (64 << 10)) / 4 * 3;

const ATTACHMENT: &str = "ir.attachment";
/// What `url` takes.
const LONGEST_URL: usize = 1024;
/// Copies of one file on one record that are looked at; there should be one.
const MOST_COPIES: usize = 20;

/// So many times that many copies are taken off a record; an answer that never gets shorter is none.
const MOST_ROUNDS: usize = 100;

#[derive(Deserialize)]
struct FileRow {
    id: i64,
    #[serde(default, deserialize_with = "value::string")]
    description: Option<String>,
}

/// In whose chatter a mail is.
#[derive(Deserialize)]
struct ChatterRow {
    #[serde(default, deserialize_with = "value::string")]
    model: Option<String>,
    #[serde(default)]
    res_id: Value,
}

/// The record that a copy hangs on.
struct Place {
    model: String,
    id: i64,
}

/// Stores files.
pub(super) struct Files {
    client: Arc<Client>,
}

impl Files {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// See [`Crm::find_file`](crate::crm::port::Crm::find_file).
    pub(super) async fn find(&self, user: &CrmUser, key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        let domain = Domain::default()
            .and("description", "=", mark(key))
            .and("res_model", "=", false);
        let found = self.search(&user.username, domain).await?;
        Ok(found.first().map(|id| FileId(id.to_string())))
    }

    /// See [`Crm::store_file`](crate::crm::port::Crm::store_file).
    pub(super) async fn store(
        &self,
        user: &CrmUser,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        let mut values = Map::new();
        let name = file.name.expose().trim();
        let name = if name.is_empty() { "attachment" } else { name };
        values.insert("name".to_owned(), json!(name));
        values.insert("description".to_owned(), json!(mark(&file.key)));
        let answer = match file.body {
            NewFileBody::Bytes(bytes) => {
                // No name can hold what was drawn just now.
                let mark = Uuid::new_v4().simple().to_string();
                values.insert("datas".to_owned(), json!(mark));
                let file = File {
                    mark: &mark,
                    bytes,
                    body,
                };
                self.client.upload(&user.username, &create(values), file).await?
            }
            NewFileBody::Link(url) => {
                values.insert("type".to_owned(), json!("url"));
                values.insert("url".to_owned(), json!(whole(&url)?));
                self.client.call(&user.username, &create(values)).await?
            }
        };
        let id = made(&answer.json()?).ok_or_else(misfit)?;
        Ok(FileId(id.to_string()))
    }

    /// See [`Crm::link_file`](crate::crm::port::Crm::link_file).
    pub(super) async fn link(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        record: &CrmId,
        file: &FileId,
    ) -> Result<(), CrmError> {
        let login = user.username.as_str();
        let form = Form::of_id(kind, record);
        let record = form.number(record).ok_or(CrmError::Gone)?;
        let file: i64 = file.0.parse().map_err(|_| CrmError::Gone)?;
        let place = self.place(login, form, record).await?;
        // Unlike a search, reading tells a file that is not for this user from one that is gone.
        let read = Call::on(ATTACHMENT, "read", vec![file]).with("fields", json!(["description"]));
        let rows: Vec<FileRow> = self.client.ask(login, &read).await?;
        let mark = rows.into_iter().next().ok_or(CrmError::Gone)?.description;
        // Whoever took the mark away made it a file of his own.
        let mark = mark.ok_or(CrmError::Gone)?;
        let copy = match self.copies(login, &mark, &place).await?.first() {
            Some(copy) => *copy,
            None => self.copy(login, file, &mark, &place).await?,
        };
        // These two show what is theirs by a list of their own.
        if matches!(form, Form::Mail | Form::Activity) {
            let add = Call::on(form.model(), "write", vec![record])
                .with("vals", json!({ "attachment_ids": [[4, copy, 0]] }));
            self.client.call(login, &add).await?;
        }
        Ok(())
    }

    /// See [`Crm::take_files_off`](crate::crm::port::Crm::take_files_off). The copies go; the file that they were made
    /// of stays with whoever stored it.
    pub(super) async fn take_off(&self, user: &CrmUser, meeting: &CrmId) -> Result<(), CrmError> {
        let (login, form) = (user.username.as_str(), Form::Event);
        let id = form.number(meeting).ok_or(CrmError::Gone)?;
        let domain = Domain::default()
            .and("description", "=like", format!("{MARK}%"))
            .and("res_model", "=", form.model())
            .and("res_id", "=", id);
        for _ in 0..MOST_ROUNDS {
            let copies = self.search(login, domain.clone()).await?;
            if copies.is_empty() {
                return Ok(());
            }
            match self
                .client
                .call(login, &Call::on(ATTACHMENT, "unlink", copies))
                .await
            {
                // Another turn was first.
                Ok(_) | Err(CrmError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Err(misfit())
    }

    async fn place(&self, login: &str, form: Form, record: i64) -> Result<Place, CrmError> {
        let own = Place {
            model: form.model().to_owned(),
            id: record,
        };
        if form != Form::Mail {
            return Ok(own);
        }
        let call = Call::of(form.model(), "search_read")
            .with("domain", Domain::default().and("id", "=", record))
            .with("fields", json!(["model", "res_id"]));
        let rows: Vec<ChatterRow> = self.client.ask(login, &call).await?;
        let row = rows.into_iter().next().ok_or(CrmError::Gone)?;
        match (row.model, row.res_id.as_i64()) {
            (Some(model), Some(id)) if id > 0 => Ok(Place { model, id }),
            _ => Ok(own),
        }
    }

    async fn copy(&self, login: &str, file: i64, mark: &str, place: &Place) -> Result<i64, CrmError> {
        let call = Call::on(ATTACHMENT, "copy", vec![file])
            .with("default", json!({ "res_model": place.model, "res_id": place.id }));
        let ours: Value = match self.client.ask(login, &call).await {
            Err(error @ CrmError::NotPermitted { .. }) => {
                return Err(self.refusal(login, place, error).await);
            }
            ours => ours?,
        };
        let ours = made(&ours).ok_or_else(misfit)?;
        let copies = self.copies(login, mark, place).await?;
        let (stays, others) = copies.split_first().unwrap_or((&ours, &[]));
        if !others.is_empty() {
            let call = Call::on(ATTACHMENT, "unlink", others.to_vec());
            match self.client.call(login, &call).await {
                // The other turn was first.
                Ok(_) | Err(CrmError::Gone) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(*stays)
    }

    /// Odoo refuses a record that is gone in the words in which it refuses one that is not for this user.
    async fn refusal(&self, login: &str, place: &Place, refused: CrmError) -> CrmError {
        // The number alone would be answered unseen.
        let call =
            Call::on(place.model.clone(), "read", vec![place.id]).with("fields", json!(["write_date"]));
        match self.client.ask::<Vec<Value>>(login, &call).await {
            Ok(rows) if rows.is_empty() => CrmError::Gone,
            _ => refused,
        }
    }

    /// The copies that hang on a record, the oldest first.
    async fn copies(&self, login: &str, mark: &str, place: &Place) -> Result<Vec<i64>, CrmError> {
        let domain = Domain::default()
            .and("description", "=", mark)
            .and("res_model", "=", place.model.as_str())
            .and("res_id", "=", place.id);
        self.search(login, domain).await
    }

    async fn search(&self, login: &str, domain: Domain) -> Result<Vec<i64>, CrmError> {
        let call = Call::of(ATTACHMENT, "search_read")
            .with("domain", domain)
            .with("fields", json!(["id"]))
            .with("order", "id")
            .with("limit", MOST_COPIES);
        let rows: Vec<FileRow> = self.client.ask(login, &call).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}

fn create(values: Map<String, Value>) -> Call {
    Call::of(ATTACHMENT, "create").with("vals_list", json!([values]))
}

/// The record that was made: older versions answer with its id, newer ones with a list.
fn made(answer: &Value) -> Option<i64> {
    match answer {
        Value::Array(ids) => ids.first()?.as_i64(),
        id => id.as_i64(),
    }
}

const MARK: &str = "Holdfast ";

fn mark(key: &ExternalKey) -> String {
    format!("{MARK}{}", key.0)
}

/// A link that would be cut leads nowhere.
fn whole(url: &Content<String>) -> Result<&str, CrmError> {
    let url = url.expose().as_str();
    match url.chars().count() <= LONGEST_URL {
        true => Ok(url),
        false => Err(CrmError::RuleRefused {
            code: "link too long".to_owned(),
            fields: vec!["url".to_owned()],
        }),
    }
}
