//! Writing XML: the few shapes that a request has. Element names are ours and need no care; values do.

use super::xml::legal;

/// A document in the making.
#[derive(Default)]
pub struct Writer {
    out: String,
}

/// An attribute: name and value.
pub type Attribute<'a> = (&'static str, &'a str);

impl Writer {
    /// Writes an element with what `inside` writes in it.
    pub fn element(&mut self, name: &str, attributes: &[Attribute<'_>], inside: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.out.push('>');
        inside(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes an element with text in it.
    pub fn leaf(&mut self, name: &str, attributes: &[Attribute<'_>], text: &str) {
        self.element(name, attributes, |w| escape(&mut w.out, text));
    }

    /// Writes an element with nothing in it.
    pub fn empty(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.open(name, attributes);
        self.out.push_str("/>");
    }

    /// Writes what is XML already; only for texts of our own.
    pub fn raw(&mut self, xml: &'static str) {
        self.out.push_str(xml);
    }

    /// The text written.
    pub fn finish(self) -> String {
        self.out
    }

    fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
    }
}

/// Drops what XML forbids and escapes the rest. A carriage return is written as a reference, for a parser
/// would turn it into a line feed (XML 1.0 section 2.11).
fn escape(out: &mut String, text: &str) {
    for c in text.chars().filter(|c| legal(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::exchange::wire::xml::{Document, clean};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was_but_for_what_xml_forbids(text in "\\PC*|[\\x00-\\x7f]*") {
            let mut writer = Writer::default();
            writer.leaf("a", &[], &text);
            let xml = writer.finish();
            let xml = clean(xml.as_bytes());
            let mut document = Document::new(&xml);
            prop_assert!(document.child().is_ok_and(|root| root.is_some()));
            let expected: String = text.chars().filter(|c| legal(*c)).collect();
            prop_assert_eq!(document.text().ok(), Some(expected));
        }
    }
}
