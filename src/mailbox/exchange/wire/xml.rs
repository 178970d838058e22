//! Reading XML: a cursor that walks an answer once, from element to element.
//!
//! Exchange writes characters that XML forbids, as bytes and as numeric references (ews-java-api #156, #233,
//! exchangelib #1200); they are dropped here. A document type declaration is refused, so there are no entities
//! but the five of XML; depth and attributes are bounded, and the size was bounded when the body was read.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use std::borrow::Cow;

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";

/// Nested elements; an item's own are nine deep, a message attached to a message repeats them.
const MAX_DEPTH: usize = 100;
/// Attributes of one element, namespace declarations included.
const MAX_ATTRIBUTES: usize = 32;
/// `#x10FFFF`, with a few zeros to spare.
const LONGEST_REFERENCE: usize = 16;

/// A namespace that EWS uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ns {
    /// SOAP 1.1.
    Soap,
    /// Messages.
    Messages,
    /// Types.
    Types,
    /// Errors, in the detail of a fault.
    Errors,
    /// None, or another.
    Other,
}

/// Why a document cannot be read. Says where, never what.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum XmlError {
    /// It is not well-formed at this byte.
    #[error("not well-formed at byte {at}")]
    IllFormed {
        /// Offset into the answer.
        at: u64,
    },
    /// It has a document type declaration.
    #[error("it has a document type declaration")]
    DocumentType,
    /// It nests too deep, or has too many attributes.
    #[error("it is nested too deep or has too many attributes")]
    TooComplex,
    /// It ended in the middle.
    #[error("it ended in the middle")]
    Truncated,
    /// An element that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// An element's start. Whoever gets one must consume the element: by [`Document::text`],
/// [`Document::skip`], or [`Document::child`] until it gives `None`.
pub struct Element<'a> {
    ns: Ns,
    start: BytesStart<'a>,
}

impl Element<'_> {
    /// Namespace and local name, to match on.
    pub fn key(&self) -> (Ns, &str) {
        (self.ns, self.start.local_name().into_inner())
    }

    /// An attribute without a namespace.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let attribute = self.start.try_get_attribute(name).ok()??;
        attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()
            .map(Cow::into_owned)
    }
}

/// A document being walked.
pub struct Document<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    depth: usize,
    /// True while the element that was opened last is an empty one, `<a/>`, whose end is still to be told.
    at_end: bool,
}

/// An answer as text: without a byte order mark, in UTF-8 whatever happens, without control characters.
pub fn clean(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    // Every byte is looked at, for a loop that may stop early is not made into one over whole vectors.
    let control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    if !text.bytes().fold(false, |found, byte| found | control(byte)) {
        return text;
    }
    let mut text = text.into_owned();
    text.retain(legal);
    Cow::Owned(text)
}

/// True for what XML 1.0 allows in a document (production 2, Char).
pub fn legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

impl<'a> Document<'a> {
    /// Starts at the top of a text that [`clean`] has been over.
    pub fn new(text: &'a str) -> Self {
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        Self {
            text,
            reader,
            depth: 0,
            at_end: false,
        }
    }

    /// The next child of the element that was opened last, or `None` at its end. Text between is passed over.
    ///
    /// # Errors
    /// As [`XmlError`] says.
    pub fn child(&mut self) -> Result<Option<Element<'a>>, XmlError> {
        if self.at_end {
            self.close();
            return Ok(None);
        }
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(start)) => return self.open(start).map(Some),
                Ok(Event::Empty(start)) => {
                    let element = self.open(start)?;
                    self.at_end = true;
                    return Ok(Some(element));
                }
                Ok(Event::End(_)) => {
                    self.close();
                    return Ok(None);
                }
                Ok(Event::Eof) if self.depth == 0 => return Ok(None),
                Ok(Event::Eof) => return Err(XmlError::Truncated),
                Ok(Event::DocType(_)) => return Err(XmlError::DocumentType),
                Ok(_) => {}
                Err(_) => return Err(self.ill_formed()),
            }
        }
    }

    fn close(&mut self) {
        self.at_end = false;
        self.depth = self.depth.saturating_sub(1);
    }

    fn open(&mut self, start: BytesStart<'a>) -> Result<Element<'a>, XmlError> {
        self.depth += 1;
        let simple = start.attributes_raw().len() < MAX_ATTRIBUTES * 4
            || start
                .attributes()
                .with_checks(false)
                .take(MAX_ATTRIBUTES + 1)
                .count()
                <= MAX_ATTRIBUTES;
        if self.depth > MAX_DEPTH || !simple {
            return Err(XmlError::TooComplex);
        }
        let ns = match self.reader.resolver().resolve_element(start.name()).0 {
            ResolveResult::Bound(Namespace(TYPES)) => Ns::Types,
            ResolveResult::Bound(Namespace(MESSAGES)) => Ns::Messages,
            ResolveResult::Bound(Namespace(SOAP_11)) => Ns::Soap,
            ResolveResult::Bound(Namespace(ERRORS)) => Ns::Errors,
            _ => Ns::Other,
        };
        Ok(Element { ns, start })
    }

    /// The text of the element that was opened last, to its end; elements inside are passed over.
    ///
    /// # Errors
    /// As [`XmlError`] says.
    pub fn text(&mut self) -> Result<String, XmlError> {
        if self.at_end {
            self.close();
            return Ok(String::new());
        }
        let mut text = self.leaf().unwrap_or_default();
        let mut inside = 0_usize;
        loop {
            match self.reader.read_event() {
                Ok(Event::Text(part)) if inside == 0 => text.push_str(&part.xml10_content()),
                Ok(Event::CData(part)) if inside == 0 => text.push_str(&part.xml10_content()),
                Ok(Event::GeneralRef(name)) if inside == 0 => text.extend(resolve(&name)),
                Ok(Event::Start(start)) => {
                    self.open(start)?;
                    inside += 1;
                }
                Ok(Event::End(_)) => {
                    self.close();
                    if inside == 0 {
                        return Ok(text);
                    }
                    inside -= 1;
                }
                Ok(Event::Eof) => return Err(XmlError::Truncated),
                Ok(Event::DocType(_)) => return Err(XmlError::DocumentType),
                Ok(_) => {}
                Err(_) => return Err(self.ill_formed()),
            }
        }
    }

    /// The text up to the next tag in one piece, where that tag ends the element. The parser would give each
    /// reference on its own, and a body in HTML is full of them.
    fn leaf(&mut self) -> Option<String> {
        let at = self.text.len().checked_sub(self.reader.get_ref().len())?;
        let rest = self.text.get(at..)?;
        let (raw, tag) = rest.split_at_checked(rest.find('<')?)?;
        if !tag.starts_with("</") || raw.contains('\r') {
            return None;
        }
        *self.reader.get_mut() = tag.as_bytes();
        Some(unescape(raw))
    }

    /// Passes over what is left of the element that was opened last.
    ///
    /// # Errors
    /// As [`XmlError`] says.
    pub fn skip(&mut self) -> Result<(), XmlError> {
        while self.child()?.is_some() {
            self.skip()?;
        }
        Ok(())
    }

    fn ill_formed(&self) -> XmlError {
        XmlError::IllFormed {
            at: self.reader.error_position(),
        }
    }
}

/// A text without its references. An ampersand that begins none stands for itself.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        rest = match after
            .split_once(';')
            .filter(|(name, _)| name.len() <= LONGEST_REFERENCE)
        {
            Some((name, after)) => {
                text.extend(resolve(&BytesRef::new(name)));
                after
            }
            None => {
                text.push('&');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

/// A reference as a character; none for one that XML forbids or that nobody defined.
fn resolve(name: &BytesRef<'_>) -> Option<char> {
    match &**name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten().filter(|c| legal(*c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of_root(xml: &str) -> Result<String, XmlError> {
        let text = clean(xml.as_bytes());
        let mut document = Document::new(&text);
        document.child()?.ok_or(XmlError::Missing("root"))?;
        document.text()
    }

    #[test]
    fn references_and_bytes_that_xml_forbids_are_dropped_and_the_rest_is_kept() {
        let dirty = "<a>A&#x0;B\u{b}C&#xB;D&#31;E&amp;F&#xD;G&#xD800;H&#x1F600;</a>";
        assert_eq!(text_of_root(dirty), Ok("ABCDE&F\rGH\u{1F600}".to_owned()));
    }

    #[test]
    fn a_text_reads_the_same_whatever_stands_beside_it() {
        for (xml, text) in [
            ("<a>x &amp; y</a>", "x & y"),
            ("<a>x &amp; <![CDATA[<y>]]></a>", "x & <y>"),
            ("<a>x<!-- no --> &lt;y</a>", "x <y"),
            ("<a>x\r\ny</a>", "x\ny"),
            ("<a>R&D; A & B</a>", "R A & B"),
            ("<a>x<b>hidden<c/></b>y</a>", "xy"),
            ("<a/>", ""),
            ("<a></a>", ""),
        ] {
            assert_eq!(text_of_root(xml).as_deref(), Ok(text), "{xml}");
        }
    }

    #[test]
    fn an_empty_element_ends_where_it_stands() -> Result<(), XmlError> {
        let mut document = Document::new("<a><b/><c>text</c></a>");
        let name = |element: Option<Element<'_>>| element.map(|element| element.key().1.to_owned());
        assert_eq!(name(document.child()?).as_deref(), Some("a"));
        assert_eq!(name(document.child()?).as_deref(), Some("b"));
        assert_eq!(name(document.child()?), None);
        assert_eq!(name(document.child()?).as_deref(), Some("c"));
        assert_eq!(document.text()?, "text");
        assert_eq!(name(document.child()?), None);
        assert_eq!(name(document.child()?), None);
        Ok(())
    }

    #[test]
    fn a_byte_order_mark_and_broken_utf_8_do_not_stop_the_reader() {
        let bytes = [b"\xEF\xBB\xBF<a>x".as_slice(), b"\xED\xA0\x80", b"y</a>"].concat();
        let text = clean(&bytes);
        let mut document = Document::new(&text);
        assert!(document.child().is_ok_and(|root| root.is_some()));
        assert!(
            document
                .text()
                .is_ok_and(|text| text.starts_with('x') && text.ends_with('y'))
        );
    }

    #[test]
    fn a_document_type_declaration_is_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"boom\">]><a>&b;</a>";
        assert_eq!(text_of_root(bomb), Err(XmlError::DocumentType));
    }

    #[test]
    fn an_answer_that_nests_without_end_is_refused() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(text_of_root(&deep), Err(XmlError::TooComplex));
    }

    #[test]
    fn an_answer_that_was_cut_is_told_from_one_that_is_wrong() {
        assert_eq!(text_of_root("<a>half"), Err(XmlError::Truncated));
        assert!(matches!(text_of_root("<a></b>"), Err(XmlError::IllFormed { .. })));
    }

    #[test]
    fn a_namespace_counts_and_its_prefix_does_not() -> Result<(), XmlError> {
        let mut document = Document::new(
            "<x:Item xmlns:x=\"http://schemas.microsoft.com/exchange/services/2006/types\" Id=\"a&amp;b\"/>",
        );
        let root = document.child()?.ok_or(XmlError::Missing("root"))?;
        assert_eq!(root.key(), (Ns::Types, "Item"));
        assert_eq!(root.attribute("Id").as_deref(), Some("a&b"));
        Ok(())
    }
}
