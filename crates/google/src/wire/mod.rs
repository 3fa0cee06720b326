//! The shapes that all of Google's REST services share.

pub mod duration;
pub mod error;
pub mod field;
pub mod filter;
pub mod name;
pub mod order;
pub mod page;
pub mod read;

pub use error::{Error, Status};
pub use filter::Filter;
pub use name::{ExecutionName, LocationName, OperationName, WorkflowName};
pub use order::Order;
