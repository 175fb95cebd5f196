//! The program `covenant`.

use std::process::ExitCode;

fn main() -> ExitCode {
    covenant::cli::main()
}
