//! `covenant attest`: writes a person's word about a clause that no wire shows.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output_format::OutputFormat;
use super::{Exit, Failure, message, print};
use crate::certify::PersonsWord;
use crate::clock::Clock;
use crate::contract::ClauseId;
use crate::runner::{refuse_existing, write_new_whole};
use crate::shell::flag;

/// Arguments of `covenant attest`.
#[derive(Debug, Args)]
#[command(
    after_help = "The word is shown as a person's in every report and attestation, and never counted as kept. The evidence stays \
                  where it is: the word holds its SHA-256, and `covenant verify ATTESTATION --evidence FILE` compares."
)]
pub(super) struct Arguments {
    /// Clause that no wire shows: 4.4
    #[arg(value_parser = super::run::clause)]
    clause: ClauseId,
    /// Name of the person whose word it is
    #[arg(long, value_name = "NAME")]
    by: String,
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
    let word = PersonsWord::new(*clause, statement, by, evidence, Clock::system().now())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    write_new_whole(&out, word.toml().as_bytes(), arguments.force)?;
    message(&format!("files: {}\nnext: covenant run {}\n", out.display(), flag("--attest", out.display())));
    print(&match arguments.format {
        OutputFormat::Text => format!("{clause}: {}\n", word.text()),
        OutputFormat::Json => format!("{:#}\n", json!({"file": out, "word": word})),
    })?;
    Ok(Exit::Kept)
}
