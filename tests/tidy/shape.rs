//! Files and functions of a size that can be read, each with a word on what it is for.
//!
//! A longer one is possible: a line `// long: why` in the first lines of the file, or just above or inside
//! the function, says why splitting it would be worse.

use super::source::Source;
use super::verdict::Verdict;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const REASON: &str = "// long: ";

/// Every file says at its head what it is for.
pub fn files_say_what_they_are_for(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        verdict.looked += 1;
        if !source
            .ast()
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"))
        {
            verdict
                .found
                .push(format!("{}:1: does not begin with `//!`", source.path));
        }
    }
    verdict
}

/// No file is too long.
pub fn files_are_short(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        verdict.looked += 1;
        let lines = source.text.lines().count();
        let excused = source.text.lines().take(60).any(|line| line.starts_with(REASON));
        if lines > FILE_LINES && !excused {
            verdict.found.push(format!(
                "{}: {lines} lines, more than {FILE_LINES}; is there a second thing in it?",
                source.path
            ));
        }
    }
    verdict
}

/// No function is too long.
pub fn functions_are_short(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        let mut look = Look {
            source,
            verdict: &mut verdict,
        };
        look.visit_file(source.ast());
    }
    verdict
}

struct Look<'a> {
    source: &'a Source,
    verdict: &'a mut Verdict,
}

impl Look<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.verdict.looked += 1;
        let first = signature.span().start().line;
        let last = block.span().end().line;
        let lines = last + 1 - first;
        let excused = self
            .source
            .text
            .lines()
            .take(last)
            .skip(first.saturating_sub(6))
            .any(|line| line.trim_start().starts_with(REASON));
        if lines > FUNCTION_LINES && !excused {
            self.verdict.found.push(format!(
                "{}:{first}: `{}` has {lines} lines, more than {FUNCTION_LINES}",
                self.source.path, signature.ident
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Look<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.function(&node.sig, &node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.function(&node.sig, &node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.function(&node.sig, block);
        }
        visit::visit_trait_item_fn(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{everything, planted};
    use super::*;

    fn with_lines(count: usize, reason: &str) -> String {
        format!("//! A file.\n{reason}\nfn f() {{\n{}}}\n", "g();\n".repeat(count))
    }

    #[test]
    fn every_file_says_what_it_is_for() {
        files_say_what_they_are_for(&everything()).holds();
    }

    #[test]
    fn a_file_without_a_word_is_found() {
        files_say_what_they_are_for(&planted(&[("src/sync/plan.rs", "// plain\nfn f() {}")]))
            .finds(&["src/sync/plan.rs:1"]);
    }

    #[test]
    fn every_file_is_short_or_says_why_not() {
        files_are_short(&everything()).holds();
    }

    #[test]
    fn a_long_file_is_found_and_an_excused_one_is_not() {
        files_are_short(&planted(&[("src/a.rs", &with_lines(500, ""))])).finds(&["src/a.rs"]);
        let excused = planted(&[("src/a.rs", &with_lines(500, "// long: a table"))]);
        assert!(files_are_short(&excused).found.is_empty());
    }

    #[test]
    fn every_function_is_short_or_says_why_not() {
        functions_are_short(&everything()).holds();
    }

    #[test]
    fn a_long_function_is_found_and_an_excused_one_is_not() {
        functions_are_short(&planted(&[("src/a.rs", &with_lines(80, ""))])).finds(&["src/a.rs:3", "`f`"]);
        let excused = planted(&[("src/a.rs", &with_lines(80, "// long: one table"))]);
        assert!(functions_are_short(&excused).found.is_empty());
    }
}
