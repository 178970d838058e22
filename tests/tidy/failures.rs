//! Every failure that a person may meet is in docs/failures.md, under its stable code.

use super::source::Source;
use super::verdict::Verdict;
use std::collections::BTreeMap;
use syn::visit::{self, Visit};

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
    for row in &rows {
        if !codes.contains_key(row.code) {
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
