//! SOSL, as much of it as looking people up needs:
//! `FIND {a@b.example OR c@d.example} IN EMAIL FIELDS RETURNING Contact(Id, Name), Lead(Id) LIMIT n`.

use super::ast::{Query, Select};
use super::bind::{Binder, Bound};
use super::parse::parse;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::schema::{Kind, Object};
use crate::salesforce::store::{Fields, Row};

/// Which fields a search looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Every text.
    All,
    /// E-mail addresses.
    Email,
    /// Names.
    Name,
    /// Telephone numbers.
    Phone,
}

/// A search ready to run.
pub struct Search {
    /// Lower-case terms, one of which must be found.
    pub terms: Vec<String>,
    /// Where.
    pub group: Group,
    /// What to show of which objects.
    pub returning: Vec<Bound>,
    /// At most so many in all.
    pub limit: usize,
}

fn malformed(message: &str) -> ApiError {
    ApiError::new("MALFORMED_SEARCH", message)
}

/// The search that a text is.
///
/// # Errors
/// MALFORMED_SEARCH, or the errors of the query forms in RETURNING.
pub fn parse_search(binder: &Binder, text: &str) -> ApiResult<Search> {
    let rest = text
        .trim()
        .strip_prefix("FIND")
        .or_else(|| text.trim().strip_prefix("find"));
    let rest = rest.map(str::trim_start).and_then(|rest| rest.strip_prefix('{'));
    let rest = rest.ok_or_else(|| malformed("line 1:0 no viable alternative, expected FIND {...}"))?;
    let (terms, rest) = split_terms(rest)?;
    let upper = rest.to_ascii_uppercase();
    let (group, at) = match upper
        .find("IN ")
        .filter(|at| upper.get(..*at).is_some_and(|head| head.trim().is_empty()))
    {
        None => (Group::All, 0),
        Some(_) => group_of(&upper)?,
    };
    let tail = rest.get(at..).unwrap_or_default();
    let tail_upper = tail.to_ascii_uppercase();
    let from = tail_upper.find("RETURNING").map(|at| at + "RETURNING".len());
    let from = from.ok_or_else(|| malformed("a search names what it returns: RETURNING"))?;
    let (list, limit) = split_limit(tail.get(from..).unwrap_or_default());
    let mut returning = Vec::new();
    for part in split_top(list) {
        returning.push(returned(binder, part.trim())?);
    }
    Ok(Search {
        terms,
        group,
        returning,
        limit: limit.unwrap_or(2000).min(2000),
    })
}

/// The terms between the braces; a backslash takes the next character as it is.
fn split_terms(text: &str) -> ApiResult<(Vec<String>, &str)> {
    let mut inside = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => inside.extend(letters.next().map(|(_, letter)| letter)),
            '}' => return Ok((terms(&inside), text.get(at + 1..).unwrap_or_default())),
            letter => inside.push(letter),
        }
    }
    Err(malformed("line 1:0 mismatched character '<EOF>' expecting '}'"))
}

/// The terms of a search text joined by OR.
pub fn terms(text: &str) -> Vec<String> {
    let parts = text
        .split(" OR ")
        .map(|term| term.trim().trim_matches(['"', '(', ')']).to_lowercase());
    parts.filter(|term| !term.is_empty()).collect()
}

fn group_of(upper: &str) -> ApiResult<(Group, usize)> {
    for (words, group) in [
        ("EMAIL FIELDS", Group::Email),
        ("NAME FIELDS", Group::Name),
        ("PHONE FIELDS", Group::Phone),
        ("ALL FIELDS", Group::All),
        ("SIDEBAR FIELDS", Group::All),
    ] {
        if let Some(at) = upper.find(words) {
            return Ok((group, at + words.len()));
        }
    }
    Err(malformed("unknown search group"))
}

fn split_limit(text: &str) -> (&str, Option<usize>) {
    let depth_end = text.rfind(')').map_or(0, |at| at + 1);
    let tail = text.get(depth_end..).unwrap_or_default();
    let Some(at) = tail.to_ascii_uppercase().find("LIMIT") else {
        return (text, None);
    };
    let limit = tail.get(at + 5..).and_then(|number| number.trim().parse().ok());
    (text.get(..depth_end + at).unwrap_or(text), limit)
}

fn split_top(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

/// `Contact(Id, Name WHERE ...)` is a query over Contact written otherwise.
fn returned(binder: &Binder, part: &str) -> ApiResult<Bound> {
    let (name, inside) = match part.split_once('(') {
        Some((name, inside)) => (name.trim(), inside.trim().strip_suffix(')').unwrap_or(inside)),
        None => (part, "Id"),
    };
    let upper = inside.to_ascii_uppercase();
    let at = [" WHERE ", " ORDER BY ", " LIMIT "]
        .iter()
        .filter_map(|word| upper.find(word))
        .min();
    let (fields, tail) = inside.split_at(at.unwrap_or(inside.len()));
    let query: Query = parse(&format!("SELECT {fields} FROM {name} {tail}"))?;
    if query
        .select
        .iter()
        .any(|select| !matches!(select, Select::Field(_)))
    {
        return Err(malformed("RETURNING takes fields only"));
    }
    binder.query(&query)
}

/// Whether a row is one the search means.
pub fn hit(object: &Object, row: &Row, group: Group, terms: &[String]) -> bool {
    object.fields().any(|field| {
        let looked_at = match (group, field.kind) {
            (Group::Email, kind) => matches!(kind, Kind::Email(_)),
            (Group::Phone, kind) => matches!(kind, Kind::Phone(_)),
            (Group::Name, _) => matches!(
                field.name,
                "Name" | "FirstName" | "LastName" | "Subject" | "Title"
            ),
            (Group::All, kind) => !matches!(kind, Kind::Boolean | Kind::Base64 | Kind::JunctionIds),
        };
        let value = row.text(field.name);
        looked_at && !value.is_empty() && {
            let value = value.to_lowercase();
            terms.iter().any(|term| matches_term(&value, term))
        }
    })
}

/// Whole words match; `*` at the end lets a word begin with the term.
fn matches_term(value: &str, term: &str) -> bool {
    let whole = |word: &str| match term.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => word == term,
    };
    whole(value) || value.split([' ', ',', ';']).any(whole)
}
