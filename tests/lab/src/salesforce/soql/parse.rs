//! Tokens into a query, by recursive descent.

use super::ast::{Condition, Operator, Order, Path, Query, Select};
use super::literal::Literal;
use super::token::{Kind, Token, error_at, tokens, unexpected};
use crate::salesforce::error::{ApiError, ApiResult};

/// The longest query, in characters.
const QUERY_LIMIT: usize = 100_000;

/// The query that a text is.
///
/// # Errors
/// MALFORMED_QUERY in the vendor's words, or QUERY_TOO_COMPLICATED for a text beyond the limit.
pub fn parse(text: &str) -> ApiResult<Query> {
    if text.chars().count() > QUERY_LIMIT {
        let message = format!("SOQL statements cannot be longer than {QUERY_LIMIT} characters.");
        return Err(ApiError::new("MALFORMED_QUERY", message));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser {
        text,
        tokens,
        next: 0,
    };
    let query = parser.query()?;
    match parser.peek().kind {
        Kind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, distance: usize) -> Token {
        let at = (self.next + distance).min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).cloned().unwrap_or(Token {
            kind: Kind::End,
            at: 0,
        })
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn unexpected(&self) -> ApiError {
        let token = self.peek();
        match &token.kind {
            Kind::End => error_at(
                "MALFORMED_QUERY",
                self.text,
                token.at,
                "unexpected token: '<EOF>'",
            ),
            Kind::Word(word) => unexpected(self.text, token.at, word),
            Kind::Mark(mark) => unexpected(self.text, token.at, mark),
            Kind::Value(_) => {
                let rest: String = self
                    .text
                    .chars()
                    .skip(token.at)
                    .take_while(|c| !c.is_whitespace())
                    .collect();
                unexpected(self.text, token.at, &rest)
            }
        }
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(self.peek().kind, Kind::Word(word) if word.eq_ignore_ascii_case(wanted))
    }

    fn word_if(&mut self, wanted: &str) -> bool {
        let found = self.is_word(wanted);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect_word(&mut self, wanted: &str) -> ApiResult<()> {
        if self.word_if(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn mark_if(&mut self, wanted: &str) -> bool {
        let found = self.peek().kind == Kind::Mark(marked(wanted));
        if found {
            self.next += 1;
        }
        found
    }

    fn expect_mark(&mut self, wanted: &str) -> ApiResult<()> {
        if self.mark_if(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn path(&mut self) -> ApiResult<Path> {
        match self.peek() {
            Token {
                kind: Kind::Word(word),
                at,
            } => {
                self.next += 1;
                Ok(Path {
                    parts: word.split('.').map(str::to_owned).collect(),
                    at,
                })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn query(&mut self) -> ApiResult<Query> {
        self.expect_word("SELECT")?;
        let mut select = vec![self.select()?];
        while self.mark_if(",") {
            select.push(self.select()?);
        }
        self.expect_word("FROM")?;
        let from = self.path()?;
        let mut query = Query {
            select,
            from,
            scope: None,
            condition: None,
            order: Vec::new(),
            limit: None,
            offset: 0,
            all_rows: false,
        };
        if self.word_if("USING") {
            self.expect_word("SCOPE")?;
            query.scope = Some(self.path()?);
        }
        if self.word_if("WHERE") {
            query.condition = Some(self.condition()?);
        }
        if self.word_if("WITH") {
            self.path()?;
        }
        self.tail(&mut query)?;
        Ok(query)
    }

    fn tail(&mut self, query: &mut Query) -> ApiResult<()> {
        if self.word_if("ORDER") {
            self.expect_word("BY")?;
            query.order.push(self.order()?);
            while self.mark_if(",") {
                query.order.push(self.order()?);
            }
        }
        if self.word_if("LIMIT") {
            query.limit = Some(self.count()?);
        }
        if self.word_if("OFFSET") {
            query.offset = self.count()?;
            if query.offset > 2000 {
                let message = "Maximum SOQL offset allowed is 2000";
                return Err(ApiError::new("NUMBER_OUTSIDE_VALID_RANGE", message));
            }
        }
        if self.word_if("FOR") {
            self.path()?;
        }
        if self.word_if("ALL") {
            self.expect_word("ROWS")?;
            query.all_rows = true;
        }
        Ok(())
    }

    fn count(&mut self) -> ApiResult<usize> {
        match self.peek().kind {
            Kind::Value(Literal::Number(number)) if number >= 0.0 => {
                self.next += 1;
                Ok(number as usize)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn select(&mut self) -> ApiResult<Select> {
        if self.mark_if("(") {
            let query = self.query()?;
            self.expect_mark(")")?;
            return Ok(Select::Child(Box::new(query)));
        }
        let path = self.path()?;
        if !self.mark_if("(") {
            return Ok(Select::Field(path));
        }
        let function = path.parts.join(".").to_ascii_uppercase();
        if function == "COUNT" && self.mark_if(")") {
            return Ok(Select::Count);
        }
        let field = self.path()?;
        self.expect_mark(")")?;
        match function.as_str() {
            "FIELDS" => Ok(Select::Fields(field.parts.join(".").to_ascii_uppercase())),
            "TOLABEL" | "FORMAT" => Ok(Select::Field(field)),
            "COUNT" | "COUNT_DISTINCT" | "MAX" | "MIN" => {
                let alias = match self.peek().kind {
                    Kind::Word(word) if !word.eq_ignore_ascii_case("FROM") => {
                        self.next += 1;
                        Some(word)
                    }
                    _ => None,
                };
                Ok(Select::Aggregate {
                    function,
                    field,
                    alias,
                })
            }
            _ => Err(unexpected(self.text, path.at, &path.parts.join("."))),
        }
    }

    fn order(&mut self) -> ApiResult<Order> {
        let path = self.path()?;
        let descending = self.word_if("DESC");
        if !descending {
            self.word_if("ASC");
        }
        let mut nulls_last = false;
        if self.word_if("NULLS") {
            nulls_last = self.word_if("LAST");
            if !nulls_last {
                self.expect_word("FIRST")?;
            }
        }
        Ok(Order {
            path,
            descending,
            nulls_last,
        })
    }

    /// AND and OR must not stand side by side without parentheses.
    fn condition(&mut self) -> ApiResult<Condition> {
        let first = self.negation()?;
        for (word, other, build) in [
            ("AND", "OR", Condition::And as fn(Vec<Condition>) -> Condition),
            ("OR", "AND", Condition::Or as fn(Vec<Condition>) -> Condition),
        ] {
            if self.is_word(word) {
                let mut parts = vec![first];
                while self.word_if(word) {
                    parts.push(self.negation()?);
                }
                if self.is_word(other) {
                    return Err(self.unexpected());
                }
                return Ok(build(parts));
            }
        }
        Ok(first)
    }

    fn negation(&mut self) -> ApiResult<Condition> {
        if self.word_if("NOT") {
            return Ok(Condition::Not(Box::new(self.negation()?)));
        }
        if self.mark_if("(") {
            let inner = self.condition()?;
            self.expect_mark(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> ApiResult<Condition> {
        let path = self.path()?;
        let token = self.peek();
        match &token.kind {
            Kind::Mark(mark) => {
                let operator = operator(mark).ok_or_else(|| self.unexpected())?;
                self.next += 1;
                Ok(Condition::Compare {
                    path,
                    operator,
                    value: self.value()?,
                })
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("LIKE") => {
                self.next += 1;
                Ok(Condition::Compare {
                    path,
                    operator: Operator::Like,
                    value: self.value()?,
                })
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("IN") => {
                self.next += 1;
                self.membership(path, false)
            }
            Kind::Word(word) if word.eq_ignore_ascii_case("NOT") => {
                self.next += 1;
                self.expect_word("IN")?;
                self.membership(path, true)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn membership(&mut self, path: Path, negated: bool) -> ApiResult<Condition> {
        self.expect_mark("(")?;
        if self.is_word("SELECT") {
            let query = Box::new(self.query()?);
            self.expect_mark(")")?;
            return Ok(Condition::InQuery { path, negated, query });
        }
        let mut values = vec![self.value()?];
        while self.mark_if(",") {
            values.push(self.value()?);
        }
        self.expect_mark(")")?;
        Ok(Condition::In {
            path,
            negated,
            values,
        })
    }

    fn value(&mut self) -> ApiResult<Literal> {
        match self.peek().kind {
            Kind::Value(value) => {
                self.take();
                Ok(value)
            }
            _ => Err(self.unexpected()),
        }
    }
}

fn marked(wanted: &str) -> &'static str {
    match wanted {
        "(" => "(",
        ")" => ")",
        _ => ",",
    }
}

fn operator(mark: &str) -> Option<Operator> {
    Some(match mark {
        "=" => Operator::Equal,
        "!=" | "<>" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        _ => return None,
    })
}
