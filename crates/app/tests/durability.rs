//! What the server promises about the disk, tried on the real binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "durability/server.rs"]
mod server;

#[path = "durability/full_disk.rs"]
mod full_disk;
#[path = "durability/kill.rs"]
mod kill;
#[path = "durability/sync.rs"]
mod sync;
