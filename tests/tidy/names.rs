//! Every name and path that a file mentions, read from its tokens.
//!
//! Tokens rather than syntax, because what stands inside a macro call (`select!`, `json!`, `matches!`) counts
//! as well, and the compiler's syntax ends at the macro's bracket.

use super::source::Source;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::HashMap;
use std::str::FromStr;

/// A path as it is written: `env::var` is `["env", "var"]`. A leaf of a `use` is one with all its segments.
#[derive(Debug, Clone)]
pub struct Name {
    pub segments: Vec<String>,
    pub line: usize,
    /// Does it stand in something that is compiled for tests only?
    pub in_test: bool,
    /// Is it a leaf of a `use`?
    pub in_use: bool,
    /// Is it called, or named with `!`: does an opening bracket follow?
    pub called: bool,
    /// Is it a method: does a dot stand before it?
    pub method: bool,
    /// Inline modules around it, from the file's own.
    inside: Vec<String>,
}

impl Name {
    /// Does the path end with these segments?
    pub fn ends_with(&self, end: &[&str]) -> bool {
        self.segments.len() >= end.len()
            && self.segments[self.segments.len() - end.len()..]
                .iter()
                .zip(end)
                .all(|(mine, wanted)| mine == wanted)
    }

    /// Is one of the segments this one?
    pub fn has(&self, segment: &str) -> bool {
        self.segments.iter().any(|mine| mine == segment)
    }
}

/// Every name in a file, in order.
pub fn names(source: &Source) -> Vec<Name> {
    let tokens = TokenStream::from_str(&source.text).expect("it was parsed before");
    let mut walk = Walk {
        found: Vec::new(),
        inside: Vec::new(),
    };
    walk.group(tokens, false);
    walk.found
}

/// The files of the library by the module that each is.
pub struct Modules<'a>(HashMap<Vec<String>, &'a Source>);

impl<'a> Modules<'a> {
    pub fn of(sources: &'a [Source]) -> Self {
        Self(
            sources
                .iter()
                .filter_map(|source| Some((source.module()?, source)))
                .collect(),
        )
    }

    /// The absolute path that a name means, where it leads into the library.
    pub fn absolute(&self, from: &Source, name: &Name) -> Option<Vec<String>> {
        let mut here = from.module().unwrap_or_default();
        here.extend(name.inside.iter().cloned());
        let first = name.segments.first()?.as_str();
        let mut rest = name.segments.as_slice();
        match first {
            "crate" if from.module().is_some() => {
                here.clear();
                rest = &rest[1..];
            }
            "holdfast" if from.module().is_none() => {
                here.clear();
                rest = &rest[1..];
            }
            "self" | "super" => {
                while let Some((word, tail)) = rest.split_first() {
                    match word.as_str() {
                        "self" => {}
                        "super" => {
                            here.pop();
                        }
                        _ => break,
                    }
                    rest = tail;
                }
            }
            // A path that begins with a child module: `store::due(…)` in the room's mod.rs.
            child => {
                let mut module = here.clone();
                module.push(child.to_owned());
                if name.segments.len() < 2 || !self.0.contains_key(&module) {
                    return None;
                }
            }
        }
        here.extend(rest.iter().cloned());
        Some(here)
    }

    /// The file in which an absolute path ends: the longest beginning of it that is a module.
    pub fn file(&self, absolute: &[String]) -> Option<&'a Source> {
        (1..=absolute.len())
            .rev()
            .find_map(|length| self.0.get(&absolute[..length]).copied())
    }
}

struct Walk {
    found: Vec<Name>,
    inside: Vec<String>,
}

impl Walk {
    fn group(&mut self, tokens: TokenStream, in_test: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        // True from `#[cfg(test)]` or `#[test]` to the end of the item that it stands on.
        let mut test_item = false;
        while at < tokens.len() {
            let testing = in_test || test_item;
            match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.get(at + 1) {
                        test_item |= is_test_attribute(&group.stream());
                        at += 1;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => test_item = false,
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                TokenTree::Group(group) => {
                    self.group(group.stream(), testing);
                    if group.delimiter() == Delimiter::Brace {
                        test_item = false;
                    }
                }
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    let next = tokens.get(at + 1);
                    match (word.as_str(), next) {
                        ("pub", Some(TokenTree::Group(group)))
                            if group.delimiter() == Delimiter::Parenthesis =>
                        {
                            at += 1; // pub(in crate::room) names a place, it does not use it
                        }
                        ("mod", Some(TokenTree::Ident(name))) => {
                            let name = name.to_string();
                            at += 1;
                            if let Some(TokenTree::Group(group)) = tokens.get(at + 1) {
                                self.inside.push(name);
                                self.group(group.stream(), testing);
                                self.inside.pop();
                                at += 1;
                                test_item = false;
                            }
                        }
                        ("use", _) => {
                            let end = (at..tokens.len())
                                .find(|i| is_punct(&tokens[*i], ';'))
                                .unwrap_or(tokens.len());
                            self.tree(&tokens[at + 1..end], &[], testing);
                            at = end;
                            test_item = false;
                        }
                        _ => at = self.path(&tokens, at, testing),
                    }
                }
            }
            at += 1;
        }
    }

    /// A path in the middle of code; answers the index of its last token.
    fn path(&mut self, tokens: &[TokenTree], start: usize, in_test: bool) -> usize {
        let mut segments = Vec::new();
        let mut at = start;
        let line = tokens[start].span().start().line;
        while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
            segments.push(ident.to_string());
            let more = tokens.get(at + 1).is_some_and(|t| is_punct(t, ':'))
                && tokens.get(at + 2).is_some_and(|t| is_punct(t, ':'))
                && matches!(tokens.get(at + 3), Some(TokenTree::Ident(_)));
            if !more {
                break;
            }
            at += 3;
        }
        let called = match tokens.get(at + 1) {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
            Some(next) => is_punct(next, '!'),
            None => false,
        };
        let method = start > 0 && is_punct(&tokens[start - 1], '.');
        self.found.push(Name {
            segments,
            line,
            in_test,
            in_use: false,
            called,
            method,
            inside: self.inside.clone(),
        });
        at
    }

    /// The leaves of a `use`.
    fn tree(&mut self, tokens: &[TokenTree], before: &[String], in_test: bool) {
        let mut segments = before.to_vec();
        let mut line = 0;
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(ident) if ident == "as" => at += 1,
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    segments.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => line = punct.span().start().line,
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for leaf in inner.split(|token| is_punct(token, ',')) {
                        self.tree(leaf, &segments, in_test);
                    }
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        if line > 0 {
            // `use crate::a::{self, b}`: the leaf is `crate::a`.
            if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
                segments.pop();
            }
            self.found.push(Name {
                segments,
                line,
                in_test,
                in_use: true,
                called: false,
                method: false,
                inside: self.inside.clone(),
            });
        }
    }
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_test_attribute(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text == "test" || text == "cfg(test)" || text.ends_with("::test") || text.starts_with("tokio::test(")
}

#[cfg(test)]
mod tests {
    use super::super::source::planted;
    use super::*;

    fn written(text: &str) -> Vec<(String, bool)> {
        names(&planted(&[("src/room/mod.rs", text)])[0])
            .into_iter()
            .map(|name| (name.segments.join("::"), name.in_test))
            .collect()
    }

    #[test]
    fn groups_of_a_use_are_leaves_of_their_own() {
        let found = written("use crate::a::{self, b::C, d as e};");
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["crate::a", "crate::a::b::C", "crate::a::d"]);
    }

    #[test]
    fn what_stands_in_a_macro_is_seen() {
        assert!(written("fn f() { m!(x, crate::sync::go()) }").contains(&("crate::sync::go".into(), false)));
    }

    #[test]
    fn what_is_compiled_for_tests_only_is_marked_so_and_what_follows_is_not() {
        let found = written("#[cfg(test)] mod tests { use a::b; } fn f() { c::d() }");
        assert!(found.contains(&("a::b".into(), true)));
        assert!(found.contains(&("c::d".into(), false)));
    }
}
