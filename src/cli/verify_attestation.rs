//! `covenant verify` of an attestation.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::certify::exit_of_result;
use super::exit_options::ExitOptions;
use super::pem::fingerprint;
use super::report_format::Format;
use super::{Exit, Failure, print};
use crate::certify::{ATTESTATION_BYTES_MAX, Asked, Envelope, Evidence, Trust, Verification, run_of};
use crate::clock::Clock;
use crate::input;
use crate::runner::ATTESTATION;

/// Options for an attestation.
#[derive(Debug, Args)]
#[command(next_help_heading = "An attestation")]
pub(super) struct AttestationArguments {
    /// Run folder with the transcript and the report that it names [default: its own folder]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// PEM file with the public key of the signer
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    key: Option<PathBuf>,
    /// TOML file with the keys that count for you; see docs/certification.md
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Release that the target has now: another one ends the validity
    #[arg(long = "current-release", value_name = "VERSION")]
    release: Option<String>,
    /// PEM file with the certificate that the target has now
    #[arg(long = "current-certificate", value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Later attestation, which may supersede this one
    #[arg(long, value_name = "FILE")]
    newer: Option<PathBuf>,
    /// File that a person shows for a word in the attestation
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

impl AttestationArguments {
    /// Returns the options that the command line has, with a word that goes with them; `None` if it has none.
    fn given(&self) -> Option<(String, &'static str)> {
        let options = [
            ("--run", self.run.is_some()),
            ("--key", self.key.is_some()),
            ("--trust", self.trust.is_some()),
            ("--current-release", self.release.is_some()),
            ("--current-certificate", self.certificate.is_some()),
            ("--newer", self.newer.is_some()),
            ("--evidence", self.evidence.is_some()),
        ];
        let given = options.into_iter().filter(|(_, is_given)| *is_given);
        let given: Vec<&str> = given.map(|(name, _)| name).collect();
        (!given.is_empty())
            .then(|| (given.join(" and "), if given.len() == 1 { "belongs" } else { "belong" }))
    }

    /// Returns the attestation that the user names: a file, or a folder that holds one. `None` if it is something else,
    /// which is read as a transcript.
    pub(super) fn attestation(&self, path: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, Failure> {
        let Some((options, belong)) = self.given() else {
            let is_likely =
                !path.is_dir() && path.metadata().is_ok_and(|found| found.len() <= ATTESTATION_BYTES_MAX);
            let bytes = if is_likely { input::read(path, ATTESTATION_BYTES_MAX).ok() } else { None };
            return Ok(bytes.filter(|bytes| Envelope::is_like(bytes)).map(|bytes| (path.to_owned(), bytes)));
        };
        let refused = |what: &str| {
            let shown = path.display();
            Err(Failure::usage(format!(
                "{shown}: {what}, and {options} {belong} to an attestation: name the attestation in place of {shown}, or leave \
                 {options} out"
            )))
        };
        let file = if path.is_dir() { path.join(ATTESTATION) } else { path.to_owned() };
        if path.is_dir() && file.symlink_metadata().is_err() {
            return refused("this folder holds no attestation.json");
        }
        let named = input::read(&file, ATTESTATION_BYTES_MAX);
        let is_attestation = named.as_ref().is_ok_and(|bytes| Envelope::is_like(bytes));
        // Bundles of in-toto are lines of JSON, too.
        if !is_attestation && file.extension().is_some_and(|extension| extension == "jsonl") {
            return refused("this is a transcript");
        }
        let named = named.map_err(|error| Failure::usage(format!("attestation {error}")))?;
        Ok(Some((file, named)))
    }

    fn trust(&self) -> Result<Option<Trust>, Failure> {
        let trust = match (&self.key, &self.trust) {
            (Some(key), _) => Trust::of_key(key).map(Some),
            (None, Some(file)) => Trust::read(file).map(Some),
            (None, None) => Ok(None),
        };
        trust.map_err(|error| Failure::new(Exit::Usage, error))
    }

    fn current_certificate(&self) -> Result<Option<String>, Failure> {
        self.certificate.as_deref().map(|path| fingerprint("--current-certificate", path)).transpose()
    }
}

/// Verifies an attestation, prints each point, and returns what the result and the points come to.
pub(super) fn main(
    (path, bytes): (&Path, &[u8]),
    arguments: &AttestationArguments,
    format: Format,
    exit: &ExitOptions,
) -> Result<Exit, Failure> {
    if let Some(option) = exit.given() {
        return Err(Failure::usage(format!(
            "{option}: an attestation has a result of its own, which this does not change; leave it out"
        )));
    }
    if let Some(run) = arguments.run.as_deref().filter(|run| !run.is_dir()) {
        return Err(Failure::usage(format!(
            "--run {}: no folder; name the folder of the run, with transcript.jsonl and report.json",
            run.display()
        )));
    }
    let trust = arguments.trust()?;
    let certificate = arguments.current_certificate()?;
    let newer = arguments.newer.as_deref().map(|path| {
        let bytes = input::read(path, ATTESTATION_BYTES_MAX);
        bytes.map(|bytes| (path.display().to_string(), bytes))
    });
    let newer = newer.transpose().map_err(|error| Failure::usage(format!("--newer {error}")))?;
    let evidence = arguments.evidence.as_deref().map(Evidence::of).transpose();
    let evidence = evidence.map_err(|error| Failure::usage(format!("--evidence {error}")))?;
    let run = run_of(path, arguments.run.as_deref());
    let verification = Verification::of(&Asked {
        attestation: bytes,
        run: run.as_deref(),
        trust: trust.as_ref(),
        release: arguments.release.as_deref(),
        certificate: certificate.as_deref(),
        newer: newer.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
        evidence: evidence.as_ref().map(|file| (file.name.as_str(), file.sha256.as_str())),
        now: Clock::system().now(),
    });
    print(&match format.name() {
        "text" => verification.text(),
        "json" => {
            let value = json!({"holds": verification.holds(), "result": verification.result(),
                "points": verification.points, "statement": verification.statement});
            format!("{value:#}\n")
        }
        other => {
            return Err(Failure::usage(format!("--format {other}: an attestation is shown as text or json")));
        }
    })?;
    Ok(verification.result().map_or(Exit::NotVerified, exit_of_result))
}
