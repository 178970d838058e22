//! A call whose body carries a file as base64 (`datas` of `ir.attachment`), made piece by piece: neither the file nor
//! its base64 is ever whole in memory.

use crate::crm::port::FileBody;
use crate::foundation::egress::{Abandoned, BodySource};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// The request's body, in the making.
pub(in crate::crm::odoo) struct Datas<'a> {
    before: Option<Bytes>,
    body: &'a mut dyn FileBody,
    /// Bytes that are no group of three yet.
    rest: Vec<u8>,
    /// Base64 of the last group, and what follows the file.
    after: Option<Bytes>,
    length: u64,
}

impl<'a> Datas<'a> {
    /// So many bytes in the place of the mark in this call; `None` where the mark is not in it.
    pub(in crate::crm::odoo) fn new(
        call: &str,
        mark: &str,
        bytes: u64,
        body: &'a mut dyn FileBody,
    ) -> Option<Self> {
        let (before, after) = call.split_once(mark)?;
        Some(Self {
            length: before.len() as u64 + bytes.div_ceil(3) * 4 + after.len() as u64,
            before: Some(Bytes::copy_from_slice(before.as_bytes())),
            body,
            rest: Vec::new(),
            after: Some(Bytes::copy_from_slice(after.as_bytes())),
        })
    }

    /// The body's exact length.
    pub(in crate::crm::odoo) fn length(&self) -> u64 {
        self.length
    }
}

#[async_trait]
impl BodySource for Datas<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, Abandoned> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        while self.after.is_some() {
            let Some(piece) = self.body.next().await? else {
                break;
            };
            self.rest.extend_from_slice(piece.expose());
            let whole = self.rest.len() - self.rest.len() % 3;
            if whole > 0 {
                let rest = self.rest.split_off(whole);
                let encoded = STANDARD.encode(&self.rest);
                self.rest = rest;
                return Ok(Some(encoded.into()));
            }
        }
        let Some(after) = self.after.take() else {
            return Ok(None);
        };
        let last = [STANDARD.encode(std::mem::take(&mut self.rest)).as_bytes(), &after].concat();
        Ok(Some(last.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::content::Content;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    struct Pieces(VecDeque<Vec<u8>>);

    #[async_trait]
    impl FileBody for Pieces {
        async fn next(&mut self) -> Result<Option<Content<Bytes>>, Abandoned> {
            Ok(self.0.pop_front().map(|piece| Content::new(piece.into())))
        }
    }

    proptest! {
        #[test]
        fn a_file_in_any_pieces_is_one_base64_of_the_length_that_was_said(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)
        ) {
            let whole = pieces.concat();
            let mut body = Pieces(pieces.into());
            let mut datas = Datas::new("{\"a\":\"MARK\"}", "MARK", whole.len() as u64, &mut body).unwrap();
            let mut sent = Vec::new();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            while let Some(piece) = runtime.block_on(datas.next()).unwrap() {
                sent.extend_from_slice(&piece);
            }
            let expected = format!("{{\"a\":\"{}\"}}", STANDARD.encode(&whole));
            prop_assert_eq!(sent.len() as u64, datas.length());
            prop_assert_eq!(sent, expected.into_bytes());
        }
    }
}
