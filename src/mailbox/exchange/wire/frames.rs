//! Cuts an open answer into envelopes: whole documents, one behind the other, in whatever pieces they arrive.
//!
//! Source: "GetStreamingEvents operation": the body is a sequence of complete SOAP envelopes. No length is
//! sent, so the end tag is looked for; inside a document it can stand nowhere else, for text is escaped.

use super::xml::clean;

/// One envelope is not longer than this, or it is none.
const LONGEST: usize = 8 << 20;

/// More bytes than an envelope has.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// What has arrived and was not yet a whole envelope.
#[derive(Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// So many bytes were looked at and do not begin an end tag.
    looked: usize,
}

impl Frames {
    /// Takes a piece as it came from the wire.
    ///
    /// # Errors
    /// [`TooLong`]; the stream is of no use any more.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), TooLong> {
        if self.bytes.len() + piece.len() > LONGEST {
            return Err(TooLong);
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The next whole envelope as text that can be read.
    pub fn take(&mut self) -> Option<String> {
        let end = self.end()?;
        let rest = self.bytes.split_off(end);
        let envelope = std::mem::replace(&mut self.bytes, rest);
        self.looked = 0;
        Some(clean(&envelope).into_owned())
    }

    /// Just behind the first `</Envelope>` or `</prefix:Envelope>`.
    fn end(&mut self) -> Option<usize> {
        loop {
            let from = self.bytes.get(self.looked..)?;
            let open = self.looked + from.windows(2).position(|two| two == b"</")?;
            self.looked = open;
            let tag = self.bytes.get(open + 2..)?;
            let close = tag.iter().position(|byte| *byte == b'>')?;
            let name = tag.get(..close)?.trim_ascii_end();
            let local = name.rsplit(|byte| *byte == b':').next()?;
            self.looked = open + 2 + close + 1;
            if local == b"Envelope" {
                return Some(self.looked);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn envelopes_come_out_whole_however_they_were_cut(
            texts in prop::collection::vec("[a-z ]{0,20}", 1..5),
            prefixed in any::<bool>(),
            cuts in prop::collection::vec(1..9_usize, 1..40),
        ) {
            let prefix = if prefixed { "s:" } else { "" };
            let sent: Vec<String> = texts
                .iter()
                .map(|text| format!("<{prefix}Envelope><b>{text}</b></{prefix}Envelope>"))
                .collect();
            let wire = sent.concat();
            let (mut rest, mut frames, mut got) = (wire.as_bytes(), Frames::default(), Vec::new());
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                frames.add(piece).unwrap();
                got.extend(std::iter::from_fn(|| frames.take()));
                rest = after;
            }
            prop_assert_eq!(got, sent);
        }
    }

    #[test]
    fn a_stream_that_never_ends_an_envelope_is_not_kept() {
        let mut frames = Frames::default();
        let piece = vec![b'a'; LONGEST];
        assert_eq!(frames.add(&piece), Ok(()));
        assert_eq!(frames.take(), None);
        assert_eq!(frames.add(b"b"), Err(TooLong));
    }
}
