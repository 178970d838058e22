//! Nothing unfinished, nothing switched off.

use super::source::Source;
use super::verdict::Verdict;
use proc_macro2::TokenTree;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Macros that say "later" or "look here".
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Words that promise a change; an issue is the place for them.
const WORDS: &[&str] = &["TODO", "FIXME", "XXX"];

/// No macro that stands for missing code, no ignored test, no silenced dead code, no promise in a comment.
pub fn nothing_unfinished(sources: &[Source]) -> Verdict {
    let mut verdict = Verdict::default();
    for source in sources {
        let mut look = Look {
            path: &source.path,
            verdict: &mut verdict,
        };
        look.visit_file(source.ast());
        for (number, line) in source.text.lines().enumerate() {
            let Some((_, comment)) = line.split_once("//") else {
                continue;
            };
            verdict.looked += 1;
            if let Some(word) = WORDS.iter().find(|word| comment.contains(**word))
                && !source.path.starts_with("tests/tidy/")
            {
                verdict
                    .found
                    .push(format!("{}:{}: a comment says {word}", source.path, number + 1));
            }
        }
    }
    verdict
}

struct Look<'a> {
    path: &'a str,
    verdict: &'a mut Verdict,
}

impl Look<'_> {
    fn found(&mut self, line: usize, what: &str) {
        self.verdict.found.push(format!("{}:{line}: {what}", self.path));
    }
}

impl<'ast> Visit<'ast> for Look<'_> {
    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.verdict.looked += 1;
        let line = node.span().start().line;
        if let Some(last) = node.path.segments.last()
            && MACROS.iter().any(|word| last.ident == word)
        {
            self.found(line, &format!("{}! is not finished code", last.ident));
        }
        // Code inside another macro's brackets is only tokens here.
        let tokens: Vec<TokenTree> = node.tokens.clone().into_iter().collect();
        for pair in tokens.windows(2) {
            if let [TokenTree::Ident(word), TokenTree::Punct(bang)] = pair
                && bang.as_char() == '!'
                && MACROS.iter().any(|name| word == name)
            {
                self.found(word.span().start().line, &format!("{word}! is not finished code"));
            }
        }
        visit::visit_macro(self, node);
    }

    fn visit_attribute(&mut self, node: &'ast syn::Attribute) {
        self.verdict.looked += 1;
        let line = node.span().start().line;
        if node.path().is_ident("ignore") {
            self.found(line, "an ignored test proves nothing");
        }
        if let syn::Meta::List(list) = &node.meta {
            let inside = list.tokens.to_string();
            let silences = node.path().is_ident("allow")
                || node.path().is_ident("expect")
                || node.path().is_ident("cfg_attr");
            if silences
                && inside
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == "dead_code" || word == "unused")
            {
                self.found(line, "dead code is silenced instead of removed");
            }
            if node.path().is_ident("cfg_attr") && inside.contains("ignore") {
                self.found(line, "an ignored test proves nothing");
            }
        }
        visit::visit_attribute(self, node);
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{everything, planted};
    use super::*;

    #[test]
    fn nothing_is_unfinished_or_switched_off() {
        nothing_unfinished(&everything()).holds();
    }

    #[test]
    fn unfinished_code_is_found_wherever_it_hides() {
        for (line, words) in [
            ("fn f() { todo!() }", "todo!"),
            ("fn f() { select!(a => dbg!(a)) }", "dbg!"),
            ("#[test] #[ignore] fn f() {}", "ignored"),
            (
                "#[test] #[cfg_attr(debug_assertions, ignore)] fn f() {}",
                "ignored",
            ),
            ("#[allow(dead_code)] fn f() {}", "silenced"),
            ("// TODO: later\nfn f() {}", "TODO"),
        ] {
            let verdict = nothing_unfinished(&planted(&[("src/sync/plan.rs", line)]));
            verdict.finds(&["src/sync/plan.rs:1", words]);
        }
    }
}
