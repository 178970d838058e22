//! A ContentVersion with its bytes in one request: `multipart/form-data` of a JSON part and a binary one ("Insert
//! or Update Blob Data", REST API guide). Takes 2 GB, where base64 inside of JSON takes 37.5 MB.

use crate::crm::port::FileBody;
use crate::foundation::egress::{Abandoned, BodySource};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The request's body, in the making.
pub(in crate::crm::salesforce) struct Multipart<'a> {
    boundary: String,
    before: Option<Bytes>,
    body: &'a mut dyn FileBody,
    after: Option<Bytes>,
    length: u64,
}

impl<'a> Multipart<'a> {
    /// These columns, and so many bytes for `VersionData`.
    pub(in crate::crm::salesforce) fn new(
        columns: &Map<String, Value>,
        bytes: u64,
        body: &'a mut dyn FileBody,
    ) -> serde_json::Result<Self> {
        // No file can hold what was drawn just now.
        let boundary = Uuid::new_v4().simple().to_string();
        let columns = serde_json::to_string(columns)?;
        let before = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\
             Content-Type: application/json\r\n\r\n{columns}\r\n--{boundary}\r\n\
             Content-Type: application/octet-stream\r\n\
             Content-Disposition: form-data; name=\"VersionData\"; filename=\"file\"\r\n\r\n"
        );
        let after = format!("\r\n--{boundary}--\r\n");
        Ok(Self {
            length: before.len() as u64 + bytes + after.len() as u64,
            boundary,
            before: Some(before.into()),
            body,
            after: Some(after.into()),
        })
    }

    /// The type and the exact length.
    pub(in crate::crm::salesforce) fn kind(&self) -> Option<(HeaderValue, u64)> {
        let kind = format!("multipart/form-data; boundary=\"{}\"", self.boundary);
        Some((HeaderValue::try_from(kind).ok()?, self.length))
    }
}

#[async_trait]
impl BodySource for Multipart<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Abandoned> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        if self.after.is_some()
            && let Some(piece) = self.body.next().await?
        {
            return Ok(Some(piece.into_inner()));
        }
        Ok(self.after.take())
    }
}
