//! A small HTTP client of our own API, for the command line and the demonstration.
//!
//! It knows the documented routes and nothing else: whatever the command line can do, `curl` can.

mod address;
mod connection;
mod problem;
mod query;

pub use address::{Address, AddressError};
pub use connection::{Answer, Client, ClientError, Request};
pub use problem::Refusal;
pub use query::Query;
