//! The `jobmill` binary.

use std::process::ExitCode;

/// Many threads make and drop small buffers; this allocator does not make them wait.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    jobmill::cli::main()
}
