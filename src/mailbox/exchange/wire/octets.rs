//! The bytes in an answer of GetAttachment, taken out while the answer comes.
//!
//! A reader of documents would hold the attachment's base64 as one text. This one holds what stands before it, at
//! most some pieces of it, and nothing of what stands after. It looks for the first element named `Content` (a
//! file's) or `MimeContent` (an attached item's); whatever a person wrote stands escaped in an answer, and cannot be
//! taken for a tag.

use super::xml::XmlError;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What may stand before the content: the envelope, and the attachment's names.
const LONGEST_HEAD: usize = 256 << 10;
/// Enough of the answer's end to see that it is one.
const TAIL: usize = 64;
/// Other servers pad as they like; whether bits are left over says nothing about the bytes.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

enum State {
    /// Before the content, outside of a tag.
    Text,
    /// Before the content, inside of a tag that began at this place of the head.
    Tag { from: usize, quote: Option<u8> },
    /// In the content; true inside of a character reference.
    Content { reference: bool },
    /// Behind the content.
    Tail,
}

/// Takes the bytes out of an answer.
pub struct Octets {
    state: State,
    head: Vec<u8>,
    letters: Vec<u8>,
    tail: Vec<u8>,
}

impl Octets {
    /// Nothing was seen yet.
    pub fn new() -> Self {
        Self {
            state: State::Text,
            head: Vec::new(),
            letters: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// True once the content has begun.
    pub fn found(&self) -> bool {
        matches!(self.state, State::Content { .. } | State::Tail)
    }

    /// What stood before the content; the whole answer where it has none.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Takes the next piece of the answer and gives the bytes that it completes.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn take(&mut self, piece: &[u8]) -> Result<Vec<u8>, XmlError> {
        let rest = match self.found() {
            true => piece,
            false => self.before(piece)?,
        };
        let rest = match self.state {
            State::Content { .. } => self.within(rest),
            _ => rest,
        };
        if let State::Tail = self.state {
            self.behind(rest);
        }
        self.decoded()
    }

    /// Ends the answer.
    ///
    /// # Errors
    /// [`XmlError::Truncated`] where it is not one to its end.
    pub fn finish(mut self) -> Result<Vec<u8>, XmlError> {
        let end = self.tail.trim_ascii_end();
        let is_whole = matches!(self.state, State::Tail) && end.ends_with(b"Envelope>");
        if !is_whole {
            return Err(XmlError::Truncated);
        }
        let last = BASE64.decode(&self.letters).map_err(|_| damaged())?;
        self.letters.clear();
        Ok(last)
    }

    /// Goes on until the content begins; gives what is left of the piece.
    fn before<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], XmlError> {
        for (at, byte) in piece.iter().enumerate() {
            self.head.push(*byte);
            let (from, quote) = match &mut self.state {
                State::Tag { from, quote } => (*from, quote),
                _ => {
                    if *byte == b'<' {
                        let from = self.head.len() - 1;
                        self.state = State::Tag { from, quote: None };
                    }
                    continue;
                }
            };
            let tag = self.head.get(from..).unwrap_or_default();
            match (*quote, byte) {
                (Some(open), byte) if open == *byte => *quote = None,
                (None, b'"' | b'\'') if !is_markup(tag) => *quote = Some(*byte),
                (None, b'>') if is_closed(tag) => {
                    if tag.starts_with(b"<!D") {
                        return Err(XmlError::DocumentType);
                    }
                    self.state = after(tag);
                    if self.found() {
                        return Ok(piece.get(at + 1..).unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
        match self.head.len() > LONGEST_HEAD {
            true => Err(XmlError::TooComplex),
            false => Ok(&[]),
        }
    }

    /// Goes on until the content ends; gives what is left of the piece.
    fn within<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        let State::Content { reference } = &mut self.state else {
            return piece;
        };
        let end = piece.iter().position(|byte| *byte == b'<');
        let (content, rest) = piece.split_at(end.unwrap_or(piece.len()));
        // A carriage return between lines may be written as a reference.
        self.letters.extend(content.iter().filter(|byte| match **byte {
            b'&' => {
                *reference = true;
                false
            }
            b';' => {
                *reference = false;
                false
            }
            byte => !*reference && !byte.is_ascii_whitespace(),
        }));
        if end.is_some() {
            self.state = State::Tail;
        }
        rest
    }

    fn behind(&mut self, piece: &[u8]) {
        self.tail.extend_from_slice(piece);
        let spare = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..spare);
    }

    fn decoded(&mut self) -> Result<Vec<u8>, XmlError> {
        let whole = self.letters.len() - self.letters.len() % 4;
        let bytes = BASE64.decode(self.letters.get(..whole).unwrap_or_default());
        self.letters.drain(..whole);
        bytes.map_err(|_| damaged())
    }
}

fn damaged() -> XmlError {
    XmlError::Missing("the attachment's base64")
}

/// True for a comment, a section or an instruction, in which quotes mean nothing.
fn is_markup(tag: &[u8]) -> bool {
    tag.starts_with(b"<!") || tag.starts_with(b"<?")
}

fn is_closed(tag: &[u8]) -> bool {
    let ends = |start: &[u8], end: &[u8]| tag.starts_with(start) && !tag.ends_with(end);
    !(ends(b"<!--", b"-->") || ends(b"<![CDATA[", b"]]>") || ends(b"<?", b"?>"))
}

/// The state behind a tag.
fn after(tag: &[u8]) -> State {
    let name = tag.get(1..).unwrap_or_default();
    let end = name
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'));
    let name = name.get(..end.unwrap_or(0)).unwrap_or_default();
    let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    match local {
        b"Content" | b"MimeContent" if tag.ends_with(b"/>") => State::Tail,
        b"Content" | b"MimeContent" => State::Content { reference: false },
        _ => State::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    fn answer(content: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <m:Attachments><!-- <t:Content>no</t:Content> --><t:FileAttachment><t:AttachmentId Id=\"a>b\"/>\
             <t:Name>&lt;t:Content&gt;</t:Name><t:ContentType>x/y</t:ContentType>{content}</t:FileAttachment>\
             </m:Attachments></s:Body></s:Envelope>"
        )
    }

    fn taken(answer: &[u8], size: usize) -> Result<Vec<u8>, XmlError> {
        let mut octets = Octets::new();
        let mut bytes = Vec::new();
        for piece in answer.chunks(size) {
            bytes.extend(octets.take(piece)?);
        }
        bytes.extend(octets.finish()?);
        Ok(bytes)
    }

    proptest! {
        #[test]
        fn the_bytes_are_the_same_however_the_answer_is_cut(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
            size in 1_usize..200,
            line in 1_usize..80,
        ) {
            let letters = BASE64_STANDARD.encode(&bytes);
            let lines: Vec<&str> = letters
                .as_bytes()
                .chunks(line)
                .map(|line| std::str::from_utf8(line).unwrap_or_default())
                .collect();
            let text = answer(&format!("<t:Content>{}</t:Content>", lines.join("&#xD;\n")));
            prop_assert_eq!(taken(text.as_bytes(), size), Ok(bytes));
        }
    }

    #[test]
    fn an_answer_that_was_cut_gives_no_end() {
        let text = answer("<t:Content>AAAA</t:Content>");
        for length in 0..text.len() {
            let cut = text.as_bytes().get(..length).unwrap_or_default();
            assert!(taken(cut, 7).is_err(), "{length}");
        }
    }

    #[test]
    fn an_empty_file_has_no_bytes_and_an_answer_without_content_is_kept_whole() {
        assert_eq!(taken(answer("<t:Content/>").as_bytes(), 9), Ok(Vec::new()));
        let refused = answer("");
        let mut octets = Octets::new();
        assert_eq!(octets.take(refused.as_bytes()), Ok(Vec::new()));
        assert!(!octets.found() && octets.head() == refused.as_bytes());
    }

    #[test]
    fn letters_that_are_no_base64_are_damage() {
        assert!(taken(answer("<t:Content>A!AA</t:Content>").as_bytes(), 50).is_err());
    }
}
