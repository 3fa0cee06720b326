//! Google's own REST paths: over the bare wire, and with the clients that people have.
//!
//! The Python and Node clients are installed into folders under `target` by `cargo xtask test`;
//! where a client cannot be had its test says so and is skipped.

#[cfg(test)]
#[path = "../hostile/server.rs"]
mod server;

#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod document_002;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod executions;
#[cfg(test)]
mod gcloud;
#[cfg(test)]
mod likeness;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod program;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod workflows;
