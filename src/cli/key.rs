//! `covenant key`: makes and shows keys that sign attestations.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::output_format::OutputFormat;
use super::{Exit, Failure, message, print};
use crate::certify::{KeyError, PublicKey, SigningKey, public_path};
use crate::runner::{refuse_existing, write_new_private, write_new_whole};

/// Arguments of `covenant key`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an Ed25519 key, and write both halves as PEM.
    ///
    /// The private key is not encrypted: only its owner can read the file (mode 0600), and `covenant certify` refuses one
    /// that others can read. Beside it stands the public key, `covenant-key.pub.pem`, which verifiers need.
    New(NewArguments),
    /// Show the id of a key, and its public half.
    Show(ShowArguments),
}

#[derive(Debug, Args)]
struct NewArguments {
    /// File of the private key
    #[arg(long, value_name = "FILE", default_value = "covenant-key.pem")]
    out: PathBuf,
    /// Replace files of the same names
    #[arg(long)]
    force: bool,
    /// Format on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// PEM file of a public or a private key
    key: PathBuf,
    /// Format on standard output
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: OutputFormat,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::New(arguments) => new(arguments),
        Command::Show(arguments) => show(arguments),
    }
}

fn new(arguments: &NewArguments) -> Result<Exit, Failure> {
    let public = public_path(&arguments.out);
    let name = arguments.out.to_string_lossy();
    if name.ends_with(".pub") || name.ends_with(".pub.pem") {
        return Err(Failure::usage(format!(
            "--out {name}: this is the name of a public key; name the file of the private one"
        )));
    }
    for path in [&arguments.out, &public] {
        if path.is_dir() {
            return Err(Failure::usage(format!(
                "{}: this is a folder; name a file with --out",
                path.display()
            )));
        }
        refuse_existing(path, arguments.force)?;
    }
    let key = SigningKey::generate().map_err(failure)?;
    // The public half first: a private key that is replaced is gone for ever.
    write_new_whole(&public, key.public().pem().as_bytes(), arguments.force)?;
    write_new_private(&arguments.out, key.pem().as_bytes(), arguments.force)?;
    message(&format!("files: {}, {}\n", arguments.out.display(), public.display()));
    message(
        "hint: keep the private key to yourself, and give the public one to verifiers by a way that they trust\n",
    );
    print_key(&key.public(), Some(&arguments.out), arguments.format)?;
    Ok(Exit::Kept)
}

fn show(arguments: &ShowArguments) -> Result<Exit, Failure> {
    let key = PublicKey::read_either(&arguments.key).map_err(failure)?;
    print_key(&key, None, arguments.format)?;
    Ok(Exit::Kept)
}

fn print_key(key: &PublicKey, private: Option<&Path>, format: OutputFormat) -> Result<(), Failure> {
    let (id, pem) = (key.id(), key.pem());
    print(&match format {
        OutputFormat::Text => format!("key id: {id}\n{pem}"),
        OutputFormat::Json => {
            let files = private.map(|private| json!({"private": private, "public": public_path(private)}));
            let mut value = json!({"id": id, "public_key": pem});
            if let Some(files) = files {
                value["files"] = files;
            }
            format!("{value:#}\n")
        }
    })
}

/// Returns the failure to use a key.
pub(super) fn failure(error: KeyError) -> Failure {
    let exit = if matches!(error, KeyError::NotMade) { Exit::Environment } else { Exit::Usage };
    Failure::new(exit, error)
}
