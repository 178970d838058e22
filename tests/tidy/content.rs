//! Content cannot be printed, serialised or stored, and neither can anything that holds some.
//!
//! The compiler refuses most of it already, since the wrappers have no `Debug` and no `Serialize` to derive
//! from. What it does not refuse is written by hand: an `impl Display` that exposes, a log line that does.

use super::names::{Modules, Name, names};
use super::source::Source;
use super::verdict::Verdict;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The wrappers: what they hold must not leave memory.
const WRAPPERS: &[&str] = &["Content", "RamOnly", "Secret", "MailboxKey"];

/// Traits that print, serialise or store.
const FORBIDDEN: &[&str] = &[
    "Debug",
    "Display",
    "Serialize",
    "ToSql",
    "Insertable",
    "AsChangeset",
    "LowerHex",
    "UpperHex",
    "Error",
];

/// Macros whose arguments a person or a log will see.
const SHOWN: &[&str] = &[
    "trace", "debug", "info", "warn", "error", "event", "span", "print", "println", "eprint", "eprintln",
    "panic",
];

/// A type of the house, by the path of its module and its name.
struct Declared<'a> {
    source: &'a Source,
    line: usize,
    derives: Vec<String>,
    /// Paths of the types that its fields mention.
    mentions: Vec<Vec<String>>,
}

/// No type that holds content has a trait that prints, serialises or stores it.
pub fn holders_are_mute(sources: &[Source]) -> Verdict {
    let modules = Modules::of(sources);
    let mut collect = Collect::default();
    for source in sources {
        collect.source = Some(source);
        collect.visit_file(source.ast());
    }
    let scopes: BTreeMap<&str, Scope> = sources
        .iter()
        .map(|source| (source.path.as_str(), Scope::of(&modules, source)))
        .collect();
    let holders = holders(&collect.types, &scopes);
    let mut verdict = Verdict {
        looked: holders.len(),
        found: Vec::new(),
    };
    for key in &holders {
        let Some(declared) = collect.types.get(key) else {
            continue;
        };
        for derive in declared
            .derives
            .iter()
            .filter(|d| FORBIDDEN.contains(&d.as_str()))
        {
            verdict.found.push(format!(
                "{}:{}: `{key}` holds content and derives {derive}",
                declared.source.path, declared.line
            ));
        }
    }
    for (source, line, of, of_type) in &collect.impls {
        let scope = &scopes[source.path.as_str()];
        let wrapper = of_type
            .last()
            .is_some_and(|last| WRAPPERS.contains(&last.as_str()));
        if FORBIDDEN.contains(&of.as_str())
            && (wrapper || scope.candidates(of_type).iter().any(|key| holders.contains(key)))
        {
            verdict.found.push(format!(
                "{}:{line}: `{}` holds content and has an impl of {of}",
                source.path,
                of_type.join("::")
            ));
        }
    }
    verdict
}

/// No log line and no printed line exposes content.
pub fn nothing_shown_exposes(sources: &[Source]) -> Verdict {
    struct Look<'a>(&'a str, Verdict);
    impl<'ast> Visit<'ast> for Look<'_> {
        fn visit_macro(&mut self, node: &'ast syn::Macro) {
            if let Some(last) = node.path.segments.last()
                && SHOWN.iter().any(|word| last.ident == word)
            {
                self.1.looked += 1;
                if mentions(node.tokens.clone(), "expose") {
                    self.1.found.push(format!(
                        "{}:{}: {}! shows what `expose` uncovers",
                        self.0,
                        node.span().start().line,
                        last.ident
                    ));
                }
            }
            visit::visit_macro(self, node);
        }
    }
    let mut verdict = Verdict::default();
    for source in sources {
        let mut look = Look(&source.path, verdict);
        look.visit_file(source.ast());
        verdict = look.1;
    }
    verdict
}

fn mentions(tokens: TokenStream, wanted: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == wanted,
        TokenTree::Group(group) => mentions(group.stream(), wanted),
        _ => false,
    })
}

/// The types that mention a wrapper, or a type that does, and so on.
fn holders(types: &BTreeMap<String, Declared>, scopes: &BTreeMap<&str, Scope>) -> BTreeSet<String> {
    let mut holders = BTreeSet::new();
    loop {
        let before = holders.len();
        for (key, declared) in types {
            let scope = &scopes[declared.source.path.as_str()];
            let holds = declared.mentions.iter().any(|path| {
                path.last().is_some_and(|last| WRAPPERS.contains(&last.as_str()))
                    || scope.candidates(path).iter().any(|key| holders.contains(key))
            });
            if holds {
                holders.insert(key.clone());
            }
        }
        if holders.len() == before {
            return holders;
        }
    }
}

/// What the names of a file mean.
struct Scope {
    module: Vec<String>,
    imports: Vec<Vec<String>>,
}

impl Scope {
    fn of(modules: &Modules, source: &Source) -> Self {
        let imports = names(source)
            .iter()
            .filter(|name: &&Name| name.in_use)
            .filter_map(|name| modules.absolute(source, name))
            .collect();
        Self {
            module: source.module().unwrap_or_default(),
            imports,
        }
    }

    /// The types that a path in this file may mean: by an import of its first name, by a glob import, in the
    /// same module, or from the root.
    fn candidates(&self, path: &[String]) -> Vec<String> {
        let Some(first) = path.first() else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut join = |start: &[String], rest: &[String]| {
            let all: Vec<&str> = start.iter().chain(rest).map(String::as_str).collect();
            found.push(all.join("::"));
        };
        join(&self.module, path);
        if first == "crate" {
            join(&[], &path[1..]);
        }
        if first == "super" {
            join(&self.module[..self.module.len().saturating_sub(1)], &path[1..]);
        }
        for import in &self.imports {
            if import.last() == Some(first) {
                join(import, &path[1..]);
            }
            join(import, path);
        }
        found
    }
}

#[derive(Default)]
struct Collect<'a> {
    source: Option<&'a Source>,
    types: BTreeMap<String, Declared<'a>>,
    /// Where, which trait, for which type.
    impls: Vec<(&'a Source, usize, String, Vec<String>)>,
}

impl Collect<'_> {
    fn declare(&mut self, name: &syn::Ident, attributes: &[syn::Attribute], fields: TokenStream) {
        let Some(source) = self.source else { return };
        let mut key = source.module().unwrap_or_default();
        key.push(name.to_string());
        let mut mentions = Vec::new();
        paths(fields, &mut mentions);
        let derives = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
            .filter_map(|attribute| attribute.meta.require_list().ok())
            .flat_map(|list| list.tokens.clone())
            .filter_map(|token| match token {
                TokenTree::Ident(ident) => Some(ident.to_string()),
                _ => None,
            })
            .collect();
        self.types.insert(
            key.join("::"),
            Declared {
                source,
                line: name.span().start().line,
                derives,
                mentions,
            },
        );
    }
}

impl<'ast> Visit<'ast> for Collect<'_> {
    fn visit_item_struct(&mut self, node: &'ast syn::ItemStruct) {
        self.declare(&node.ident, &node.attrs, node.fields.to_token_stream());
    }

    fn visit_item_enum(&mut self, node: &'ast syn::ItemEnum) {
        let mut fields = TokenStream::new();
        for variant in &node.variants {
            fields.extend(variant.fields.to_token_stream());
        }
        self.declare(&node.ident, &node.attrs, fields);
    }

    fn visit_item_type(&mut self, node: &'ast syn::ItemType) {
        self.declare(&node.ident, &node.attrs, node.ty.to_token_stream());
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        if let (Some(source), Some((_, of, _))) = (self.source, &node.trait_)
            && let Some(last) = of.segments.last()
            && let syn::Type::Path(of_type) = &*node.self_ty
        {
            let segments = of_type
                .path
                .segments
                .iter()
                .map(|s| s.ident.to_string())
                .collect();
            let line = node.span().start().line;
            self.impls.push((source, line, last.ident.to_string(), segments));
        }
        visit::visit_item_impl(self, node);
    }
}

/// Every path among tokens: `Option<a::B>` has `Option` and `a::B`.
fn paths(tokens: TokenStream, into: &mut Vec<Vec<String>>) {
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(ident) => match into.last_mut() {
                Some(last) if colons == 2 => last.push(ident.to_string()),
                _ => into.push(vec![ident.to_string()]),
            },
            TokenTree::Group(group) => paths(group.stream(), into),
            _ => {}
        }
        colons = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{house, planted};
    use super::*;

    #[test]
    fn no_holder_of_content_can_be_printed() {
        holders_are_mute(&house()).holds();
    }

    #[test]
    fn a_printable_holder_is_found_however_deep() {
        let sources = planted(&[
            (
                "src/record/card.rs",
                "use crate::foundation::content::Content; pub struct Card { pub name: Option<Content<String>> }",
            ),
            (
                "src/sync/model.rs",
                "use crate::record::card::*; #[derive(Clone, Debug)] pub enum Action { Write { card: Vec<Card> } }",
            ),
            (
                "src/sync/explain.rs",
                "use super::model; impl std::fmt::Display for model::Action { }",
            ),
            (
                "src/foundation/content.rs",
                "pub struct Content<T>(T); impl<T> Debug for Content<T> {}",
            ),
        ]);
        let verdict = holders_are_mute(&sources);
        verdict.finds(&["src/sync/model.rs:1", "sync::model::Action", "derives Debug"]);
        verdict.finds(&["src/sync/explain.rs:1", "model::Action", "Display"]);
        verdict.finds(&["src/foundation/content.rs:1", "Content", "Debug"]);
    }

    #[test]
    fn a_type_of_the_same_name_elsewhere_is_not_suspected() {
        let sources = planted(&[
            (
                "src/record/card.rs",
                "use crate::foundation::content::Content; pub struct Card(Content<String>);",
            ),
            (
                "src/web/page.rs",
                "#[derive(Debug)] pub struct Card { title: String }",
            ),
        ]);
        assert!(holders_are_mute(&sources).found.is_empty());
    }

    #[test]
    fn no_line_that_people_see_exposes_content() {
        nothing_shown_exposes(&house()).holds();
    }

    #[test]
    fn a_log_line_that_exposes_is_found() {
        let line = "fn f() { tracing::warn!(subject = %event.subject.expose(), \"odd\"); }";
        nothing_shown_exposes(&planted(&[("src/sync/pass.rs", line)]))
            .finds(&["src/sync/pass.rs:1", "warn!"]);
    }
}
