//! `covenant attest`: writes a person's word about a clause that no wire shows.

use std::path::{Path, PathBuf};

use clap::Args;
use semver::Version;
use serde_json::json;

use super::output_format::OutputFormat;
use super::pem::fingerprint;
use super::target_choice::release;
use super::url::has_no_secret;
use super::{Exit, Failure, message, print};
use crate::certify::{PersonsWord, WordTarget};
use crate::clock::Clock;
use crate::contract::ClauseId;
use crate::runner::{refuse_existing, write_new_whole};
use crate::shell::flag;

/// Arguments of `covenant attest`.
#[derive(Debug, Args)]
#[command(
    after_help = "The word counts for the target and the release that it names, as long as the profile of a certification says. It is \
                  shown as a person's in every report and attestation, and never counted as kept. The evidence stays where it is: the \
                  word holds its SHA-256, and `covenant verify ATTESTATION --evidence FILE` compares."
)]
pub(super) struct Arguments {
    /// Clause that no wire shows: 4.4
    #[arg(value_parser = super::run::clause)]
    clause: ClauseId,
    /// Name of the person whose word it is
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Target that the word is about: its address or its name, as a report has them; `embedded` for the embedded reference
    #[arg(long, value_name = "URL|NAME")]
    target: String,
    /// Release of the target that the word is about
    #[arg(long, value_name = "VERSION", value_parser = release)]
    release: Version,
    /// PEM file with the certificate of the target: the word is about this certificate alone
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// File that shows it, such as the notes of a call
    #[arg(long, value_name = "FILE")]
    evidence: PathBuf,
    /// Statement of the person
    #[arg(long, value_name = "TEXT", default_value = "the clause is kept")]
    statement: String,
    /// File to write [default: attested-CLAUSE.toml]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace a file of the same name
    #[arg(long)]
    force: bool,
    /// Format on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { clause, by, evidence, statement, .. } = arguments;
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("attested-{clause}.toml")));
    refuse_existing(&out, arguments.force)?;
    for (option, path) in [("--evidence", Some(evidence)), ("--certificate", arguments.certificate.as_ref())]
    {
        if path.is_some_and(|path| is_same_file(path, &out)) {
            return Err(Failure::usage(format!(
                "{}: this is the file of {option}, which the word would replace; name another with --out",
                out.display()
            )));
        }
    }
    // The value is not repeated: it may hold a password.
    if let Ok(url) = arguments.target.trim().parse() {
        has_no_secret(&url).map_err(|why| Failure::usage(format!("--target: {why}")))?;
    }
    let certificate = arguments.certificate.as_deref();
    let target = WordTarget {
        name: arguments.target.trim().to_owned(),
        release: arguments.release.clone(),
        certificate_sha256: certificate.map(|path: &Path| fingerprint("--certificate", path)).transpose()?,
    };
    let word = PersonsWord::new(*clause, statement, by, target, evidence, Clock::system().now())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    write_new_whole(&out, word.toml().as_bytes(), arguments.force)?;
    message(&format!("files: {}\nnext: covenant run {}\n", out.display(), flag("--attest", out.display())));
    print(&match arguments.format {
        OutputFormat::Text => format!("{clause}: {}\n", word.text()),
        OutputFormat::Json => format!("{:#}\n", json!({"file": out, "word": word})),
    })?;
    Ok(Exit::Kept)
}

/// Returns whether two paths lead to the same file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}
