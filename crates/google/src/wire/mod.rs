//! The shapes that all of Google's REST services share.

pub mod body;
pub mod callback;
pub mod duration;
pub mod error;
pub mod execution;
pub mod field;
pub mod filter;
pub mod name;
pub mod operation;
pub mod order;
pub mod page;
pub mod pubsub;
pub mod read;
pub mod step;
pub mod workflow;

pub use error::{Error, Status};
pub use filter::Filter;
pub use name::{ExecutionName, LocationName, OperationName, WorkflowName};
pub use order::Order;
