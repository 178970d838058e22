//! A call that carries a file: its body is made while it is sent, on a connection of its own.

use super::auth::Pass;
use super::call::Call;
use super::client::{Answer, Client, Failure, misfit, opened_envelope, opened_json2, unreachable};
use super::settings::Api;
use super::throttle::BUSY_WAIT;
use super::wire::datas::Datas;
use super::wire::{json2, jsonrpc};
use crate::crm::error::CrmError;
use crate::crm::port::FileBody;
use crate::foundation::egress::{BodyLimits, Purpose, Upload, UploadError};
use std::time::Duration;

/// How long Odoo may take for one piece, and for its answer once it has them all: it decodes, hashes and indexes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The file of a call.
pub(super) struct File<'a> {
    /// What stands in the call in its place.
    pub(super) mark: &'a str,
    /// How many bytes it has.
    pub(super) bytes: u64,
    /// The bytes.
    pub(super) body: &'a mut dyn FileBody,
}

impl Client {
    /// Makes a call that carries a file. Made once: the bytes cannot be had again here, so what is likely to pass is
    /// for whoever has them to repeat.
    pub(super) async fn upload(&self, login: &str, call: &Call, file: File<'_>) -> Result<Answer, CrmError> {
        let pass = self.auth.pass(login).await?;
        match self.upload_once(&pass, call, file).await {
            Ok(answer) => Ok(answer),
            Err(Failure::Key(error)) => {
                self.auth.renewed(&pass).await?.ok_or(error)?;
                Err(CrmError::Busy {
                    code: "a new key".to_owned(),
                    wait: BUSY_WAIT,
                })
            }
            Err(Failure::Passing(error) | Failure::Final(error)) => Err(error),
        }
    }

    async fn upload_once(&self, pass: &Pass, call: &Call, file: File<'_>) -> Result<Answer, Failure> {
        let api = self.spoken().await.map_err(Failure::from)?.api;
        let (text, (url, head)) = match api {
            Api::Json2 => (json2::body(call), self.head(&json2::path(call), Some(pass))?),
            Api::JsonRpc => {
                let number = self.number(pass).await?;
                let body = jsonrpc::body(call, &self.settings.database, number, pass.key.expose());
                (body, self.head(jsonrpc::PATH, None)?)
            }
        };
        let datas = Datas::new(&text.to_string(), file.mark, file.bytes, file.body);
        let mut datas = datas.ok_or_else(|| Failure::Final(misfit()))?;
        let upload = Upload {
            length: datas.length(),
            within: PATIENCE,
            body: BodyLimits::default(),
        };
        self.count();
        let answer = upload
            .send(&self.gate, Purpose::Crm, &url, head, &mut datas)
            .await
            .map_err(|error| {
                Failure::Final(match error {
                    UploadError::Egress(error) => unreachable(error),
                    UploadError::Abandoned => CrmError::Unintelligible {
                        what: "the file was not sent to its end",
                    },
                })
            })?;
        match api {
            Api::Json2 => opened_json2(answer),
            Api::JsonRpc => opened_envelope(&answer),
        }
    }
}
