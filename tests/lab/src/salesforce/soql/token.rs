//! A query's text into tokens, each with its place.

use super::literal::Literal;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::moment::{parse_date, parse_moment};

/// The longest text between quotes.
const TEXT_LIMIT: usize = 4_000;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A name, perhaps dotted; keywords too.
    Word(String),
    /// A value.
    Value(Literal),
    /// An operator or a mark: `=`, `(`, `,` and so on.
    Mark(&'static str),
    /// The end of the text.
    End,
}

/// A token and its offset in characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub at: usize,
}

/// An error in the vendor's form: the text, a mark under the place, what is wrong.
pub fn error_at(code: &'static str, text: &str, at: usize, message: &str) -> ApiError {
    let line: String = text
        .chars()
        .map(|letter| if letter == '\n' { ' ' } else { letter })
        .collect();
    let from = at.saturating_sub(40);
    let shown: String = line.chars().skip(from).take(80).collect();
    let mark = " ".repeat(at - from);
    ApiError::new(
        code,
        format!("\n{shown}\n{mark}^\nERROR at Row:1:Column:{}\n{message}", at + 1),
    )
}

/// The tokens of a text.
///
/// # Errors
/// MALFORMED_QUERY for a character or a text that belongs in no query.
pub fn tokens(text: &str) -> ApiResult<Vec<Token>> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at).copied() {
        if letter.is_whitespace() {
            at += 1;
            continue;
        }
        let (kind, length) = token(text, &letters, at, letter)?;
        tokens.push(Token { kind, at });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, at });
    Ok(tokens)
}

fn token(text: &str, letters: &[char], at: usize, letter: char) -> ApiResult<(Kind, usize)> {
    if letter == '\'' {
        return quoted(text, letters, at);
    }
    for mark in ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ","] {
        if mark
            .chars()
            .enumerate()
            .all(|(place, wanted)| letters.get(at + place) == Some(&wanted))
        {
            return Ok((Kind::Mark(mark), mark.len()));
        }
    }
    let word: String = letters
        .iter()
        .skip(at)
        .take_while(|letter| belongs(**letter))
        .collect();
    let length = word.chars().count();
    if length == 0 {
        let message = format!("line 1:{at} no viable alternative at character '{letter}'");
        return Err(ApiError::new("MALFORMED_QUERY", message));
    }
    if letter.is_ascii_digit() || letter == '-' || letter == '+' {
        let value = number_or_time(&word).ok_or_else(|| unexpected(text, at, &word))?;
        return Ok((Kind::Value(value), length));
    }
    Ok((word_kind(word), length))
}

fn belongs(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-' | '+' | '%')
}

fn word_kind(word: String) -> Kind {
    let upper = word.to_ascii_uppercase();
    match upper.as_str() {
        "TRUE" => return Kind::Value(Literal::Flag(true)),
        "FALSE" => return Kind::Value(Literal::Flag(false)),
        "NULL" => return Kind::Value(Literal::Null),
        _ => {}
    }
    let (name, number) = upper.split_once(':').unwrap_or((&upper, "0"));
    if let Ok(number) = number.parse() {
        let known = super::literal::days(name, number, chrono::DateTime::UNIX_EPOCH, chrono_tz::UTC);
        if known.is_some() {
            return Kind::Value(Literal::Relative(name.to_owned(), number));
        }
    }
    Kind::Word(word)
}

fn number_or_time(word: &str) -> Option<Literal> {
    if let Some(date) = parse_date(word) {
        return Some(Literal::Date(date));
    }
    if word.contains('T') {
        // A moment must say its zone; the plus sign of an undecoded URL arrives as a space and fails.
        let zoned = word.ends_with('Z') || word.get(19..).is_some_and(|tail| tail.contains(['+', '-']));
        return zoned.then(|| parse_moment(word)).flatten().map(Literal::Moment);
    }
    word.parse().ok().map(Literal::Number)
}

/// `unexpected token`, in the vendor's form.
pub fn unexpected(text: &str, at: usize, shown: &str) -> ApiError {
    error_at(
        "MALFORMED_QUERY",
        text,
        at,
        &format!("unexpected token: '{shown}'"),
    )
}

fn quoted(text: &str, letters: &[char], start: usize) -> ApiResult<(Kind, usize)> {
    let mut value = String::new();
    let mut at = start + 1;
    while let Some(letter) = letters.get(at) {
        match letter {
            '\'' => {
                if value.chars().count() > TEXT_LIMIT {
                    return Err(error_at(
                        "MALFORMED_QUERY",
                        text,
                        start,
                        "string literal too long",
                    ));
                }
                return Ok((Kind::Value(Literal::Text(value)), at + 1 - start));
            }
            '\\' => {
                at += 1;
                value.push(escape(letters.get(at)).ok_or_else(|| {
                    error_at(
                        "MALFORMED_QUERY",
                        text,
                        at,
                        "Invalid string literal. Illegal character sequence",
                    )
                })?);
            }
            letter => value.push(*letter),
        }
        at += 1;
    }
    Err(ApiError::new(
        "MALFORMED_QUERY",
        format!("line 1:{start} mismatched character '<EOF>' expecting '''"),
    ))
}

fn escape(letter: Option<&char>) -> Option<char> {
    Some(match letter? {
        'n' | 'N' => '\n',
        'r' | 'R' => '\r',
        't' | 'T' => '\t',
        'b' | 'B' => '\u{8}',
        'f' | 'F' => '\u{c}',
        '"' => '"',
        '\'' => '\'',
        '\\' => '\\',
        '_' => '_',
        '%' => '%',
        _ => return None,
    })
}
