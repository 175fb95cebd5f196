//! The program `covenant`.

use std::process::ExitCode;

/// A run allocates many small strings and maps of JSON, which this allocator serves faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    covenant::cli::main()
}
