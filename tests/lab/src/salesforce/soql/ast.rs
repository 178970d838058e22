//! The shape of a query as written.

use super::literal::Literal;

/// A dotted name and where it stands in the text, in characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The parts, `["Account", "Name"]`.
    pub parts: Vec<String>,
    /// Offset of the first character.
    pub at: usize,
}

/// One element of the SELECT list.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// A field, perhaps of a parent.
    Field(Path),
    /// A subquery over a child relationship; its `from` is the relationship's name.
    Child(Box<Query>),
    /// `COUNT()`.
    Count,
    /// `COUNT(f)`, `MAX(f)`, `MIN(f)`, with an alias if given.
    Aggregate {
        function: String,
        field: Path,
        alias: Option<String>,
    },
    /// `FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)`.
    Fields(String),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `LIKE`
    Like,
}

/// A WHERE condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of them.
    And(Vec<Condition>),
    /// One of them.
    Or(Vec<Condition>),
    /// Not it.
    Not(Box<Condition>),
    /// A comparison with one value.
    Compare {
        path: Path,
        operator: Operator,
        value: Literal,
    },
    /// `IN` or `NOT IN` a list.
    In {
        path: Path,
        negated: bool,
        values: Vec<Literal>,
    },
    /// `IN` or `NOT IN` a subquery.
    InQuery {
        path: Path,
        negated: bool,
        query: Box<Query>,
    },
}

/// One element of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// By what.
    pub path: Path,
    /// From great to small.
    pub descending: bool,
    /// Nulls at the end.
    pub nulls_last: bool,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The SELECT list.
    pub select: Vec<Select>,
    /// Object or relationship name.
    pub from: Path,
    /// USING SCOPE.
    pub scope: Option<Path>,
    /// WHERE.
    pub condition: Option<Condition>,
    /// ORDER BY.
    pub order: Vec<Order>,
    /// LIMIT.
    pub limit: Option<usize>,
    /// OFFSET.
    pub offset: usize,
    /// `ALL ROWS`.
    pub all_rows: bool,
}
