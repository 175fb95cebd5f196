//! `covenant verify`: evaluates a finished run again, without a target.

use std::path::PathBuf;

use clap::Args;

use super::report_format::{DEFAULT, Format};
use super::{BasisChoice, Exit, Failure, exit_of};
use crate::runner::{RunFolder, assess_and_free};
use crate::transcript::read;
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
    /// Basis of the checks that the exit code counts: breaches, and with --strict what is unproven. The report shows
    /// every basis
    #[arg(long, value_name = "BASIS", value_enum, default_value_t)]
    basis: BasisChoice,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = RunFolder::transcript_of(&arguments.transcript);
    let mut reading = read(&path).map_err(|error| {
        Failure::usage(format!(
            "{}\nhint: a transcript is the unchanged transcript.jsonl of a run folder",
            with_causes(&error)
        ))
    })?;
    let report = assess_and_free(&mut reading);
    arguments.format.print(&report)?;
    Ok(exit_of(&report, arguments.strict, arguments.basis))
}
