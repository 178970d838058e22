//! Files too large to be held: their octets are made while they are sent.
//!
//! An answer is written with a mark where the content belongs, and sent in pieces with the content in the mark's
//! place. Whoever asks twice gets the same octets.

use crate::http::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Response;
use tokio::sync::mpsc;

/// Octets made at once; a multiple of three, so that base64 needs padding at the end alone.
const BLOCK: usize = 48 * 1024;
const MARK: &str = "@large:";

/// What stands in an answer for so many octets. No base64 has such a letter.
pub fn mark(size: u64) -> String {
    format!("{MARK}{size}@")
}

/// The octets of a block: each block another, the same at every time.
fn block(number: u64, length: usize) -> Vec<u8> {
    let mut octets = vec![0x5A; length];
    let head = number.to_be_bytes();
    octets
        .iter_mut()
        .zip(head)
        .for_each(|(octet, byte)| *octet = byte);
    octets
}

/// An answer with a mark in it, as one that is sent in pieces.
pub fn streamed(response: &Response<Bytes>) -> Option<Reply> {
    let text = std::str::from_utf8(response.body()).ok()?;
    let (before, rest) = text.split_once(MARK)?;
    let (size, after) = rest.split_once('@')?;
    let mut left: u64 = size.parse().ok()?;
    let (before, after) = (Bytes::from(before.to_owned()), Bytes::from(after.to_owned()));
    let (to, receiver) = mpsc::channel::<Bytes>(4);
    tokio::spawn(async move {
        if to.send(before).await.is_err() {
            return;
        }
        let mut number = 0;
        while left > 0 {
            let length = left.min(BLOCK as u64);
            let piece = STANDARD.encode(block(number, length as usize));
            if to.send(piece.into()).await.is_err() {
                return;
            }
            left -= length;
            number += 1;
        }
        let _ = to.send(after).await;
    });
    let mut streamed = Response::new(receiver);
    *streamed.status_mut() = response.status();
    *streamed.headers_mut() = response.headers().clone();
    Some(Reply::Stream(streamed))
}
