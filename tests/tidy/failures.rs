//! Every failure that a person may meet is in docs/failures.md, under its stable code.
//!
//! Most codes are what an `impl Explain` answers. Some are made where they are needed, without an error of that
//! sort; those are found by their form, as texts that begin with a room of the document.

use super::source::Source;
use super::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// Texts of a code's form that mean something else: Odoo's own names.
const NOT_CODES: &[&str] = &["crm.lead"];

/// A row of the document: `| `code` | what happened | what to do |`.
struct Row<'a> {
    code: &'a str,
    line: usize,
    cells: Vec<&'a str>,
}

/// The codes in the code and in the document are the same, and each row has its two sentences.
pub fn codes_are_documented(sources: &[Source], document: &str) -> Verdict {
    let codes = codes(sources);
    let rows = rows(document);
    let mut verdict = Verdict {
        looked: codes.len(),
        found: Vec::new(),
    };
    for (code, place) in &codes {
        let well_formed = code.split_once('.').is_some_and(|(room, name)| {
            !room.is_empty()
                && !name.is_empty()
                && code
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c))
        });
        if !well_formed {
            verdict
                .found
                .push(format!("{place}: `{code}` is not of the form room.what_happened"));
        }
        if !rows.iter().any(|row| row.code == code) {
            verdict
                .found
                .push(format!("{place}: `{code}` is not in docs/failures.md"));
        }
    }
    let rooms: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| Some(row.code.split_once('.')?.0))
        .collect();
    let mentions = mentions(sources, &rooms);
    for (code, place, _) in &mentions {
        verdict.looked += 1;
        if !rows.iter().any(|row| row.code == code) {
            verdict
                .found
                .push(format!("{place}: `{code}` is not in docs/failures.md"));
        }
    }
    let given = |code: &str| mentions.iter().any(|(other, _, given)| *given && other == code);
    for row in &rows {
        if !codes.contains_key(row.code) && !given(row.code) {
            verdict.found.push(format!(
                "docs/failures.md:{}: no failure has the code `{}`",
                row.line, row.code
            ));
        }
        if row.cells.len() != 2 || row.cells.iter().any(|cell| cell.is_empty()) {
            verdict.found.push(format!(
                "docs/failures.md:{}: `{}` needs what happened and what to do",
                row.line, row.code
            ));
        }
    }
    verdict
}

/// The string literals in every `fn code` of an `impl Explain`.
fn codes(sources: &[Source]) -> BTreeMap<String, String> {
    struct Look<'a> {
        path: &'a str,
        in_code: bool,
        codes: BTreeMap<String, String>,
    }
    impl<'ast> Visit<'ast> for Look<'_> {
        fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
            let explains = node
                .trait_
                .as_ref()
                .and_then(|(_, path, _)| path.segments.last())
                .is_some_and(|last| last.ident == "Explain");
            if explains {
                visit::visit_item_impl(self, node);
            }
        }
        fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
            self.in_code = node.sig.ident == "code";
            visit::visit_impl_item_fn(self, node);
            self.in_code = false;
        }
        fn visit_lit_str(&mut self, node: &'ast syn::LitStr) {
            if self.in_code {
                let place = format!("{}:{}", self.path, node.span().start().line);
                self.codes.insert(node.value(), place);
            }
        }
        fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
            // What tests explain is not a failure of the product.
            if node.ident != "tests" {
                visit::visit_item_mod(self, node);
            }
        }
    }
    let mut all = BTreeMap::new();
    for source in sources {
        let mut look = Look {
            path: &source.path,
            in_code: false,
            codes: BTreeMap::new(),
        };
        look.visit_file(source.ast());
        all.extend(look.codes);
    }
    all
}

/// Texts that have the form of a code and begin with one of these rooms, where each stands, and whether it is
/// given to a field `code` there.
fn mentions(sources: &[Source], rooms: &BTreeSet<&str>) -> Vec<(String, String, bool)> {
    struct Look<'a> {
        path: &'a str,
        rooms: &'a BTreeSet<&'a str>,
        given: bool,
        found: Vec<(String, String, bool)>,
    }
    impl<'ast> Visit<'ast> for Look<'_> {
        fn visit_field_value(&mut self, node: &'ast syn::FieldValue) {
            let code = matches!(&node.member, syn::Member::Named(name) if name == "code");
            self.given = code && matches!(node.expr, syn::Expr::Lit(_));
            visit::visit_field_value(self, node);
            self.given = false;
        }
        fn visit_lit_str(&mut self, node: &'ast syn::LitStr) {
            let text = node.value();
            let is_code = text.split_once('.').is_some_and(|(room, name)| {
                self.rooms.contains(room)
                    && !name.is_empty()
                    && name
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            });
            if is_code && !NOT_CODES.contains(&text.as_str()) {
                let place = format!("{}:{}", self.path, node.span().start().line);
                self.found.push((text, place, self.given));
            }
        }
        fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
            if node.ident != "tests" {
                visit::visit_item_mod(self, node);
            }
        }
    }
    let mut all = Vec::new();
    // The names of settings have the same form.
    let others = sources
        .iter()
        .filter(|source| !source.path.starts_with("src/foundation/config/"));
    for source in others {
        let mut look = Look {
            path: &source.path,
            rooms,
            given: false,
            found: Vec::new(),
        };
        look.visit_file(source.ast());
        all.extend(look.found);
    }
    all
}

fn rows(document: &str) -> Vec<Row<'_>> {
    document
        .lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let rest = line.strip_prefix("| `")?;
            let (code, cells) = rest.split_once('`')?;
            let cells = cells.trim().trim_start_matches('|').trim_end_matches('|');
            Some(Row {
                code,
                line: number + 1,
                cells: cells.split('|').map(str::trim).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted, text};
    use super::*;

    #[test]
    fn every_code_is_in_the_document_and_every_row_is_a_code() {
        codes_are_documented(&house(), &text("docs/failures.md")).holds();
    }

    #[test]
    fn a_code_that_is_made_in_passing_is_found_too() {
        let sources = planted(&[
            (
                "src/sync/page.rs",
                "fn f() -> Failed { Failed { code: \"sync.made\" } }",
            ),
            (
                "src/sync/due.rs",
                "fn f() { filter([\"sync.asked\", \"sync.made\"]) }",
            ),
            (
                "src/foundation/config/known.rs",
                "const A: &str = \"sync.workers\";",
            ),
        ]);
        let verdict = codes_are_documented(&sources, "| `sync.other` | It was. | Wait. |\n");
        verdict.finds(&["src/sync/page.rs:1", "`sync.made`"]);
        verdict.finds(&["src/sync/due.rs:1", "`sync.asked`"]);
        assert!(!verdict.found.iter().any(|line| line.contains("workers")));
        let document = "| `sync.made` | It was. | Wait. |\n| `sync.asked` | It was. | Wait. |\n";
        let verdict = codes_are_documented(&sources, document);
        assert_eq!(verdict.found.len(), 1, "{:?}", verdict.found);
        verdict.finds(&["no failure has the code `sync.asked`"]);
    }

    #[test]
    fn a_missing_code_a_stale_row_and_an_empty_cell_are_found() {
        let sources = planted(&[(
            "src/sync/error.rs",
            "impl Explain for E { fn code(&self) -> &'static str { match self { A => \"sync.lost\", B => \"sync.kept\", C => \"Odd\" } } }",
        )]);
        let document =
            "| code | what | do |\n| `sync.kept` | It was kept. | |\n| `sync.gone` | It left. | Wait. |\n";
        let verdict = codes_are_documented(&sources, document);
        verdict.finds(&["src/sync/error.rs:1", "`sync.lost`", "not in docs"]);
        verdict.finds(&["`Odd`", "form"]);
        verdict.finds(&["docs/failures.md:2", "`sync.kept`", "what to do"]);
        verdict.finds(&["docs/failures.md:3", "no failure has the code `sync.gone`"]);
    }
}
