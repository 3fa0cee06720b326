//! The `jobmill` binary.

use std::process::ExitCode;

/// Many threads make and drop small buffers; this allocator does not make them wait.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // With huge pages, each thread's first small buffers would take two megabytes. Where they
    // cannot be turned off, the process is larger, and nothing else.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    jobmill::cli::main()
}
