//! Firestore: documents of typed fields, how they are written, and how they are found.
//!
//! A write is a pure function of the documents as they stand ([`Plan::run`]); a query is a pure
//! function of the documents of a collection ([`Query::run`]). Whoever keeps the documents calls
//! them within its own transaction or page.

mod document;
mod name;
mod path;
mod plan;
pub mod query;
mod transform;
mod value;
mod write;

pub use document::{Document, Micros, field_mask};
pub use name::{DocumentName, Parent};
pub use path::FieldPath;
pub use plan::{Plan, Ran, Written};
pub use query::{Found, Query};
pub use transform::{Change, Transform};
pub use value::{Field, Fields};
pub use write::{Action, Expect, Write, document_fields};
