//! Responses, element by element. Characters that XML does not have are written as references,
//! as Exchange does: a client has to live with `&#xB;`.

use super::read::is_xml_character;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// A document under way.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// An empty document.
    pub fn new() -> Writer {
        Writer {
            out: String::with_capacity(4096),
        }
    }

    /// The text so far.
    pub fn finish(self) -> String {
        self.out
    }

    /// `<name>`
    pub fn open(&mut self, name: &str) {
        self.open_with(name, &[]);
    }

    /// `<name attributes>`
    pub fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.out.push('>');
    }

    /// `</name>`
    pub fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name attributes/>`
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.out.push_str("/>");
    }

    /// `<name>text</name>`
    pub fn leaf(&mut self, name: &str, text: &str) {
        self.leaf_with(name, &[], text);
    }

    /// `<name attributes>text</name>`
    pub fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.out.push('>');
        self.escape(text, false);
        self.close(name);
    }

    /// `<name>true</name>` or `<name>false</name>`
    pub fn bool(&mut self, name: &str, value: bool) {
        self.leaf(name, if value { "true" } else { "false" });
    }

    /// A number.
    pub fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        self.open(name);
        // Writing to a string does not fail.
        let _ = write!(self.out, "{value}");
        self.close(name);
    }

    /// An instant in UTC without a fraction: DavMail reads no other form.
    pub fn time(&mut self, name: &str, value: DateTime<Utc>) {
        self.leaf(name, &format_time(value));
    }

    /// Text that is XML already.
    pub fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.escape(value, true);
            self.out.push('"');
        }
    }

    fn escape(&mut self, text: &str, attribute: bool) {
        let mut done = 0;
        for (at, character) in text.char_indices() {
            let replacement = match character {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' if attribute => "&quot;",
                '\r' => "&#xD;",
                other if is_xml_character(other) => continue,
                other => {
                    self.out.push_str(&text[done..at]);
                    let _ = write!(self.out, "&#x{:X};", u32::from(other));
                    done = at + other.len_utf8();
                    continue;
                }
            };
            self.out.push_str(&text[done..at]);
            self.out.push_str(replacement);
            done = at + character.len_utf8();
        }
        self.out.push_str(&text[done..]);
    }
}

/// `2026-11-23T06:55:08Z`
pub fn format_time(value: DateTime<Utc>) -> String {
    value.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_control_characters_become_references() {
        let mut writer = Writer::new();
        writer.leaf_with("t:X", &[("A", "\"<")], "a&b<c>\u{b}é\r\n");
        assert_eq!(
            writer.finish(),
            "<t:X A=\"&quot;&lt;\">a&amp;b&lt;c&gt;&#xB;é&#xD;\n</t:X>"
        );
    }
}
