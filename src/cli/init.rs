//! `covenant init`: writes a commented `covenant.toml`.

use std::path::PathBuf;

use clap::Args;

use super::config::{COMMENTED, DEFAULT};
use super::{Exit, Failure, message};
use crate::runner::write_whole;

/// Arguments of `covenant init`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Path of the file to write
    #[arg(default_value = DEFAULT, value_name = "FILE")]
    path: PathBuf,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = &arguments.path;
    // A link to nothing is something too: it is not replaced.
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "{}: it exists already and was not changed; name another file",
            path.display()
        )));
    }
    write_whole(path, COMMENTED.as_bytes())?;
    message(&format!("{}: edit it, then `covenant doctor`\n", path.display()));
    Ok(Exit::Kept)
}
