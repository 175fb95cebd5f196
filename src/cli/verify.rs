//! `covenant verify`: evaluates a finished run again, without a target, or verifies an attestation.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit_options::ExitOptions;
use super::report_format::{DEFAULT, Format};
use super::verify_attestation::{self, AttestationArguments};
use super::{Exit, Failure, message};
use crate::report::terminal;
use crate::runner::{ATTESTATION, RunFolder, assess_and_free};
use crate::transcript::{ReadError, read};
use crate::{shell, with_causes};

/// Arguments of `covenant verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Of an attestation it verifies who signed it, whether it is valid, and with its run at hand, whether the files are those \
                  that it names and the verdicts follow from them. Exit code 0 if it holds and states PASSED, 3 for WARNED, 1 for \
                  FAILED, 9 if it does not hold or no key is given. A folder that holds an attestation and is named without --key \
                  or --trust is evaluated as a run, and gives 9 in place of 0: its signature was not checked."
)]
pub(super) struct Arguments {
    /// Run folder, its transcript.jsonl, or an attestation
    #[arg(value_name = "FILE")]
    transcript: PathBuf,
    /// Format of the report on standard output
    #[arg(long, value_name = "FORMAT", value_parser = Format::parser(), default_value = DEFAULT)]
    format: Format,
    /// Folder of .toml files, or one file, with your own scenarios, if the run was made with them, for entries of --known that
    /// name checks which it did not play
    #[arg(long, value_name = "PATH", requires = "known")]
    scenarios: Option<PathBuf>,
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
    let path = transcript_of(&arguments.transcript)?;
    let mut reading = read(&path).map_err(unreadable)?;
    let report = arguments.exit.with_known(assess_and_free(&mut reading), arguments.scenarios.as_deref())?;
    if let Some(original) = report.redacted_from() {
        message(&format!(
            "redacted copy: values are replaced by placeholders\n  original transcript: {}\n  this transcript:     {}\n",
            terminal(original),
            report.transcript_sha256
        ));
    }
    arguments.format.print(&report)?;
    let exit = arguments.exit.exit(&report, false);
    let attestation = arguments.transcript.join(ATTESTATION);
    Ok(if attestation.is_file() { unsigned(&attestation, &path, exit) } else { exit })
}

/// Says that the signature of an attested folder was not checked, and returns the exit code: success would read as if it
/// had been.
fn unsigned(attestation: &Path, transcript: &Path, exit: Exit) -> Exit {
    let word = |path: &Path| shell::word(&path.display().to_string());
    message(&format!(
        "NOT VERIFIED: this folder holds an attestation, and without --key or --trust its signature was not checked against any known \
         signer: the report above is of the transcript alone\nhint: covenant verify {} --key PUBLIC-KEY verifies it; covenant verify {} \
         evaluates the run alone\n",
        word(attestation),
        word(transcript)
    ));
    if exit == Exit::Kept { Exit::NotVerified } else { exit }
}

/// Returns the transcript of a run folder, or of the file itself. A folder that has a report alone has none to read.
pub(super) fn transcript_of(run: &Path) -> Result<PathBuf, Failure> {
    let path = RunFolder::transcript_of(run);
    if run.is_dir() && !path.exists() && RunFolder::report_of(run).exists() {
        return Err(Failure::usage(format!(
            "{}: it has a report and no transcript, as the folder of merged partitions\nhint: name the run folder of the \
             partition that played it",
            run.display()
        )));
    }
    Ok(path)
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
