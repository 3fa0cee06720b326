//! The shapes that all of Google's REST services share.

pub mod error;

pub use error::{Error, Status};
