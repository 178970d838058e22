//! The parser and the evaluator, by tables.
