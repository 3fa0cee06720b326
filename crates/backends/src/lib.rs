//! Drivers behind the storage port. Each backend is a sibling folder with the same file names.

pub mod sqlite;
