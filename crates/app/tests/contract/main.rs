//! The server keeps to its own OpenAPI document, tried by Schemathesis.
//!
//! No answer lies outside the document: neither its status nor its media type nor its schema, nor
//! a header; no 5XX at all; a route that needs a key refuses whoever has none. The requests are
//! made from the document, good ones and bad ones, and from the answers of others before.
//!
//! Schemathesis is a Python program that `cargo xtask test` installs; without it the test is
//! skipped. What it checks stands in `contract/schemathesis.toml`.

#[cfg(test)]
#[path = "../hostile/server.rs"]
mod server;

#[cfg(test)]
mod run;
