//! `covenant verify`: evaluates a finished run again, without a target.

use std::path::PathBuf;

use clap::Args;

use super::exit_options::ExitOptions;
use super::report_format::{DEFAULT, Format};
use super::{Exit, Failure};
use crate::runner::{RunFolder, assess_and_free};
use crate::transcript::{ReadError, read};
use crate::with_causes;

/// Arguments of `covenant verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder, or its transcript.jsonl
    transcript: PathBuf,
    /// Format of the report on standard output
    #[arg(long, value_name = "FORMAT", value_parser = Format::parser(), default_value = DEFAULT)]
    format: Format,
    #[command(flatten)]
    exit: ExitOptions,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = RunFolder::transcript_of(&arguments.transcript);
    let mut reading = read(&path).map_err(unreadable)?;
    let report = arguments.exit.with_known(assess_and_free(&mut reading))?;
    arguments.format.print(&report)?;
    Ok(arguments.exit.exit(&report, false))
}

/// Returns the failure to read a transcript. An empty one has a code of its own.
pub(super) fn unreadable(error: ReadError) -> Failure {
    if matches!(error, ReadError::Empty { .. }) {
        return Failure::new(Exit::NothingEvaluated, error);
    }
    Failure::usage(format!(
        "{}\nhint: a transcript is the unchanged transcript.jsonl of a run folder",
        with_causes(&error)
    ))
}
