//! Jobmill's doors: HTTP, command line, page, configuration.

pub mod boot;
pub mod cli;
pub mod client;
pub mod config;
pub mod http;
pub mod load;

mod selftest;
mod web;
mod wire;
mod worker;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
