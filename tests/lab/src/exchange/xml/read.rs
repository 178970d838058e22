//! Requests as a tree: names with their namespaces, attributes, children, text. Document types
//! are refused, depth is limited, and a character that XML 1.0 does not have is an error here
//! although servers do send such characters themselves.

use super::{MESSAGES, SOAP, TYPES};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

/// Deeper requests are refused; a restriction of 255 nodes fits.
const MAX_DEPTH: usize = 300;

/// The namespace of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ns {
    /// SOAP envelopes.
    Soap,
    /// Types.
    Types,
    /// Messages.
    Messages,
    /// Any other, or none.
    Other,
}

/// One element.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its namespace.
    pub ns: Ns,
    /// Its local name.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// Child elements in order.
    pub children: Vec<Element>,
    /// Its character data, that of children left out.
    pub text: String,
}

/// Why a request is no XML that this server reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub position: usize,
    /// What is wrong.
    pub message: String,
}

impl Element {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first child with this name in the types namespace.
    pub fn t(&self, name: &str) -> Option<&Element> {
        self.child(Ns::Types, name)
    }

    /// The first child with this name in the messages namespace.
    pub fn m(&self, name: &str) -> Option<&Element> {
        self.child(Ns::Messages, name)
    }

    /// The first child with this name and namespace.
    pub fn child(&self, ns: Ns, name: &str) -> Option<&Element> {
        self.children
            .iter()
            .find(|child| child.ns == ns && child.name == name)
    }

    /// The text of a child in the types namespace.
    pub fn t_text(&self, name: &str) -> Option<&str> {
        self.t(name).map(|child| child.text.as_str())
    }

    /// The text of a child in the messages namespace.
    pub fn m_text(&self, name: &str) -> Option<&str> {
        self.m(name).map(|child| child.text.as_str())
    }

    /// Whether the element is this one of the types namespace.
    pub fn is_t(&self, name: &str) -> bool {
        self.ns == Ns::Types && self.name == name
    }
}

/// Reads a document.
///
/// # Errors
/// It is not well formed, not UTF-8, has a document type, or is too deep.
pub fn parse(document: &[u8]) -> Result<Element, Malformed> {
    let text = std::str::from_utf8(document).map_err(|error| {
        let before = document.get(..error.valid_up_to()).unwrap_or_default();
        malformed(&String::from_utf8_lossy(before), before.len(), "Invalid UTF-8.")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tree = Tree {
        open: Vec::new(),
        root: None,
    };
    let mut reader = NsReader::from_str(text);
    loop {
        let before = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let step = match reader.read_resolved_event() {
            Err(error) => Err(error.to_string()),
            Ok((_, Event::Eof)) => break,
            Ok((resolved, event)) => {
                let ns = namespace(&resolved);
                tree.take(ns, event)
            }
        };
        step.map_err(|message| malformed(text, before, &message))?;
    }
    if !tree.open.is_empty() {
        return Err(malformed(
            text,
            text.len(),
            "Unexpected end of file has occurred.",
        ));
    }
    tree.root
        .ok_or_else(|| malformed(text, text.len(), "Root element is missing."))
}

fn namespace(resolved: &ResolveResult) -> Ns {
    match resolved {
        ResolveResult::Bound(namespace) => match AsRef::<str>::as_ref(namespace) {
            SOAP => Ns::Soap,
            TYPES => Ns::Types,
            MESSAGES => Ns::Messages,
            _ => Ns::Other,
        },
        _ => Ns::Other,
    }
}

fn malformed(text: &str, at: usize, message: &str) -> Malformed {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let position = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    Malformed {
        line,
        position,
        message: message.to_owned(),
    }
}

struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn take(&mut self, ns: Ns, event: Event) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                if self.open.len() == MAX_DEPTH {
                    return Err("The document is nested too deeply.".to_owned());
                }
                self.open.push(element(ns, &start)?);
            }
            Event::Empty(start) => {
                let element = element(ns, &start)?;
                self.close(element)?;
            }
            Event::End(_) => {
                if let Some(element) = self.open.pop() {
                    self.close(element)?;
                }
            }
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|error| error.to_string())? {
                    Some(character) => character,
                    None => {
                        predefined(&reference.xml10_content()).ok_or("Reference to undeclared entity.")?
                    }
                };
                self.text(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err("DTD is prohibited in this XML document.".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn close(&mut self, element: Element) -> Result<(), String> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err("There are multiple root elements.".to_owned()),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if let Some(bad) = text.chars().find(|character| !is_xml_character(*character)) {
            return Err(format!(
                "hexadecimal value 0x{:02X}, is an invalid character.",
                u32::from(bad)
            ));
        }
        match self.open.last_mut() {
            Some(parent) => parent.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("Data at the root level is invalid.".to_owned()),
        }
        Ok(())
    }
}

/// The production `Char` of XML 1.0.
pub fn is_xml_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn element(ns: Ns, start: &BytesStart) -> Result<Element, String> {
    let name = AsRef::<str>::as_ref(&start.local_name()).to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        let key = attribute.key.local_name();
        attributes.push((AsRef::<str>::as_ref(&key).to_owned(), value.into_owned()));
    }
    Ok(Element {
        ns,
        name,
        attributes,
        children: Vec::new(),
        text: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_do_not_matter_and_namespaces_do() {
        let document =
            format!("<a:X xmlns:a='{TYPES}' Id='1&amp;2'><Y xmlns='{MESSAGES}'>a&#x41;&lt;b</Y><Z/></a:X>");
        let root = parse(document.as_bytes()).unwrap();
        assert!(root.is_t("X"));
        assert_eq!(root.attribute("Id"), Some("1&2"));
        assert_eq!(root.m_text("Y"), Some("aA<b"));
        assert!(root.t("Z").is_none());
    }

    #[test]
    fn what_xml_does_not_allow_is_refused_with_its_place() {
        for document in [
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<!DOCTYPE a><a/>",
            "<a>&#xB;</a>",
            "<a>&nope;</a>",
            "",
        ] {
            assert!(parse(document.as_bytes()).is_err(), "{document}");
        }
        let error = parse(b"<a>\n<b>\n</c></a>").unwrap_err();
        assert_eq!(error.line, 3);
    }
}
