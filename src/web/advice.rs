//! What a code means and what to do about it, in words. The only source is docs/failures.md, compiled in: the
//! page and the documentation cannot come to say different things.

use serde::Serialize;
use std::collections::HashMap;
use std::sync::LazyLock;

const DOCUMENT: &str = include_str!("../../docs/failures.md");

static BY_CODE: LazyLock<HashMap<&'static str, Advice>> =
    LazyLock::new(|| DOCUMENT.lines().filter_map(row).collect());

/// A code in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What happened.
    #[serde(serialize_with = "plain")]
    pub happened: Vec<Piece>,
    /// What to do.
    #[serde(serialize_with = "plain")]
    pub next: Vec<Piece>,
}

impl Advice {
    /// True where the advice is to do nothing: Holdfast helps itself.
    pub fn heals_by_itself(&self) -> bool {
        self.next
            .first()
            .is_some_and(|piece| piece.text.starts_with("Nothing"))
    }
}

/// A piece of a sentence: words, or something to be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Shown in monospace.
    pub code: bool,
    /// What it says.
    pub text: String,
}

/// What docs/failures.md says of a code; of one that it does not know, how to find out.
pub fn of(code: &str) -> Advice {
    BY_CODE.get(code).cloned().unwrap_or_else(|| Advice {
        happened: pieces("This version of Holdfast has no words for this code."),
        next: pieces("Report it; another version may have recorded it."),
    })
}

/// Every code that the document explains.
pub fn codes() -> impl Iterator<Item = &'static str> {
    BY_CODE.keys().copied()
}

/// `| `code` | what happened | what to do |`.
fn row(line: &'static str) -> Option<(&'static str, Advice)> {
    let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
    let (code, happened, next) = (cells.next()?, cells.next()?, cells.next()?);
    let advice = Advice {
        happened: pieces(happened),
        next: pieces(next),
    };
    Some((code.strip_suffix('`')?, advice))
}

/// Splits at backticks; of a link to another document its name is left.
fn pieces(markdown: &str) -> Vec<Piece> {
    markdown
        .split('`')
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(place, text)| Piece {
            code: place % 2 == 1,
            text: text.replace("[how](", "see docs/").replace(".md))", ".md)"),
        })
        .collect()
}

fn plain<S: serde::Serializer>(pieces: &[Piece], serializer: S) -> Result<S::Ok, S::Error> {
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    serializer.serialize_str(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn every_row_of_the_document_becomes_an_advice() {
        let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(codes().count(), rows);
        assert!(rows > 50);
        for code in codes() {
            let advice = of(code);
            assert!(
                !text(&advice.happened).is_empty() && !text(&advice.next).is_empty(),
                "{code}"
            );
            for said in [text(&advice.happened), text(&advice.next)] {
                assert!(!said.contains("]("), "{code}: a link is left: {said}");
            }
        }
    }

    #[test]
    fn what_is_typed_stands_apart_from_words() {
        let advice = of("mailbox.sign_in_refused");
        let typed: Vec<&str> = advice
            .next
            .iter()
            .filter(|piece| piece.code)
            .map(|piece| piece.text.as_str())
            .collect();
        assert_eq!(typed, ["holdfast secret set mail_server.NAME.password"]);
    }

    #[test]
    fn a_passing_fault_asks_nobody_to_act() {
        assert!(of("mailbox.busy").heals_by_itself());
        assert!(!of("crm.user_refused").heals_by_itself());
        assert!(!of("no.such_code").heals_by_itself());
    }
}
