//! `covenant verify`: evaluates a finished run again, without a target, or verifies an attestation.

use std::path::PathBuf;

use clap::Args;

use super::exit_options::ExitOptions;
use super::report_format::{DEFAULT, Format};
use super::verify_attestation::{self, AttestationArguments};
use super::{Exit, Failure, message};
use crate::runner::{ATTESTATION, RunFolder, assess_and_free};
use crate::transcript::{ReadError, read};
use crate::with_causes;

/// Arguments of `covenant verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of an attestation it verifies who signed it, whether it is valid, and with its run at hand, whether the files are those \
                  that it names and the verdicts follow from them. Exit code 0 if it holds and states PASSED, 3 for WARNED, 1 for \
                  FAILED, 9 if it does not hold or no key is given."
)]
pub(super) struct Arguments {
    /// Run folder, its transcript.jsonl, or an attestation
    #[arg(value_name = "FILE")]
    transcript: PathBuf,
    /// Format of the report on standard output
    #[arg(long, value_name = "FORMAT", value_parser = Format::parser(), default_value = DEFAULT)]
    format: Format,
    #[command(flatten)]
    exit: ExitOptions,
    #[command(flatten)]
    attestation: AttestationArguments,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    if let Some((path, bytes)) = arguments.attestation.attestation(&arguments.transcript)? {
        let Arguments { attestation, format, exit, .. } = arguments;
        return verify_attestation::main((&path, &bytes), attestation, *format, exit);
    }
    let signed = arguments.transcript.join(ATTESTATION);
    if signed.is_file() {
        let file = signed.display();
        message(&format!(
            "hint: this evaluates the run alone; its attestation: covenant verify {file} --key PUBLIC-KEY\n"
        ));
    }
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
