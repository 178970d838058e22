//! SOQL text: literals that cannot break out of their quotes, and lists that fit into a URL.

use std::fmt::Write as _;
use url::form_urlencoded::byte_serialize;

/// The most bytes of an encoded query. Salesforce takes 16,384 of URL and headers together ("API Request
/// Limits and Allocations"); the rest is for host, path, token and whatever a proxy adds.
const MOST_BYTES: usize = 14_000;

/// The most queries in one composite call ("Composite", REST API guide).
pub(super) const MOST_QUERIES: usize = 5;

/// A string literal with its quotes ("Quoted String Escape Sequences").
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A dateTime literal, unquoted.
pub(super) fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The query in the form in which it stands behind `?q=`.
pub(super) fn encoded(query: &str) -> String {
    byte_serialize(query.as_bytes()).collect()
}

fn encoded_length(text: &str) -> usize {
    byte_serialize(text.as_bytes()).map(str::len).sum()
}

/// Encoded queries `{before}{column} IN (…){after}` that together ask for all values.
pub(super) fn in_lists<'a>(
    before: &str,
    column: &str,
    values: impl IntoIterator<Item = &'a str>,
    after: &str,
) -> Vec<String> {
    let head = format!("{before}{column} IN (");
    let tail = format!("){after}");
    let fixed = encoded_length(&head) + encoded_length(&tail);
    let mut queries = Vec::new();
    let mut list = String::new();
    let mut length = fixed;
    for value in values {
        let value = literal(value);
        let more = encoded_length(&value) + 3;
        if !list.is_empty() && length + more > MOST_BYTES {
            queries.push(encoded(&format!("{head}{list}{tail}")));
            list.clear();
            length = fixed;
        }
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&value);
        length += more;
    }
    if !list.is_empty() {
        queries.push(encoded(&format!("{head}{list}{tail}")));
    }
    queries
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quote_stays_inside_its_literal() {
        assert_eq!(literal("O'Neill\\"), "'O\\'Neill\\\\'");
    }

    #[test]
    fn a_long_list_is_cut_where_the_url_is_full_and_loses_nothing() {
        let values: Vec<String> = (0..900)
            .map(|n| format!("person.number.{n}@customer.example"))
            .collect();
        let queries = in_lists(
            "SELECT Id FROM Contact WHERE ",
            "Email",
            values.iter().map(String::as_str),
            "",
        );
        assert!(queries.len() > 1);
        assert!(queries.iter().all(|query| query.len() <= MOST_BYTES));
        let asked: usize = queries.iter().map(|query| query.matches("%27").count() / 2).sum();
        assert_eq!(asked, values.len());
    }

    proptest! {
        #[test]
        fn no_text_ends_its_literal_early(text: String) {
            let literal = literal(&text);
            let inside = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or_default();
            let mut chars = inside.chars();
            while let Some(c) = chars.next() {
                prop_assert_ne!(c, '\'');
                if c == '\\' {
                    prop_assert!(chars.next().is_some());
                }
            }
        }
    }
}
