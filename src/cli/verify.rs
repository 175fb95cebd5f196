//! `covenant verify`: evaluates a finished run again, without a target.

use std::path::PathBuf;

use clap::Args;

use super::run::{Format, show};
use super::{Exit, Failure};
use crate::suite::assess;
use crate::transcript::read;

/// Arguments of `covenant verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The transcript.jsonl of a run's folder, or the folder
    transcript: PathBuf,
    /// What standard output gets
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail also where something could not be proved
    #[arg(long)]
    strict: bool,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut path = arguments.transcript.clone();
    if path.is_dir() {
        path.push("transcript.jsonl");
    }
    let reading = read(&path).map_err(|error| {
        Failure::usage(format!(
            "{error}\nhint: a transcript is the transcript.jsonl of a run's folder, unchanged"
        ))
    })?;
    let report = assess(&reading);
    show(&report, arguments.format)?;
    Ok(Exit::of(&report, arguments.strict))
}
