//! SOQL, as much of it as a connector uses (SOQL and SOSL Reference).
//!
//! A text becomes [`token`]s, these an [`ast`] by [`parse`], this a bound query whose names are
//! real fields by [`bind`], and this rows by [`run`]. [`find`] is the little of SOSL that looks
//! people up by address.

pub mod ast;
pub mod bind;
pub mod evaluate;
pub mod find;
pub mod literal;
pub mod parse;
pub mod run;
pub mod token;

#[cfg(test)]
mod tests;
