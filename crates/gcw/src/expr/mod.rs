//! The `${…}` expression language: text → tokens → tree; evaluation of the resolved form.

pub mod ast;
pub mod eval;
pub mod lex;
pub mod operate;
pub mod parse;
