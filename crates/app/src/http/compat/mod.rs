//! The source documents' own routes, in their own words: thin translations.
//!
//! Document 004's routes are the canonical API: `POST /jobs` with a body without `flow`.

pub(crate) mod document_000;
pub(crate) mod document_001;
pub(crate) mod document_002;
