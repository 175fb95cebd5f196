//! `covenant verify`: evaluates a finished run again, without a target.

use std::path::PathBuf;

use clap::Args;

use super::known::KnownBreaches;
use super::report_format::{DEFAULT, Format};
use super::{BasisChoice, Exit, Failure, exit_of};
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
    /// Exit with code 3 if something is unproven
    #[arg(long)]
    strict: bool,
    /// TOML file with known breaches, which do not fail the run; see `covenant known`
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
    /// Basis of the checks that the exit code counts: breaches, and with --strict what is unproven. The report shows
    /// every basis
    #[arg(long, value_name = "BASIS", value_enum, default_value_t)]
    basis: BasisChoice,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = RunFolder::transcript_of(&arguments.transcript);
    let mut reading = read(&path).map_err(unreadable)?;
    let report = KnownBreaches::applied_to(arguments.known.as_deref(), assess_and_free(&mut reading))?;
    arguments.format.print(&report)?;
    Ok(exit_of(&report, arguments.strict, arguments.basis))
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
