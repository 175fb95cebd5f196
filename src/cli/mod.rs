//! The command line, one file per subcommand. Parses, calls and prints; decides no verdict. Data goes to
//! standard output, everything else to standard error.

mod adapter;
mod attest;
mod audit;
mod behaviour_choice;
mod certify;
mod config;
mod contract_choice;
mod descriptors;
mod docs;
mod doctor;
mod duration;
mod embedded_release;
mod event_lines;
mod exit_code;
mod exit_options;
mod explain;
mod flood;
mod gate;
mod gate_pairs;
mod gate_way;
mod golden;
mod guard;
mod identity;
mod init;
mod key;
mod known;
mod list;
mod number;
mod operator;
mod operator_choice;
mod output_format;
mod pair_target;
mod peer;
mod pem;
mod percent;
mod progress;
mod replay;
mod report;
mod report_format;
mod run;
mod schema;
mod selftest;
mod shell;
mod show;
mod stop;
mod target;
mod target_choice;
#[cfg(test)]
mod tests;
mod unused;
mod url;
mod values;
mod verify;
mod verify_attestation;

pub use config::Config;
pub use exit_code::{BasisChoice, Exit};

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use crate::report::Report;
use crate::runner::FileError;
use crate::wire::harmless::visible;
use crate::{Fault, secret, with_causes};

/// Checks whether a platform keeps the Powernode Federation Social Contract.
///
/// covenant plays the other platform of a federation, conforming or misbehaving, over real mutual TLS. For
/// each of the twelve commitments it reports whether the target keeps it, with evidence.
#[derive(Debug, Parser)]
#[command(name = "covenant", version, about, max_term_width = 100, after_help = exit_codes())]
struct Arguments {
    /// Show the log on standard error
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

/// Returns the table of exit codes for the help.
fn exit_codes() -> String {
    let rows = exit_code::EXITS.iter().map(|row| format!("\n  {:>3}  {}", row.exit as u8, row.meaning));
    format!("Exit codes:{}", rows.collect::<String>())
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the suite against a target [default: the embedded reference platform].
    Run(run::Arguments),
    /// Audit a platform that someone else operates, as an anonymous client or, with a token, as a peer.
    Audit(audit::Arguments),
    /// Diagnose the target, the adapter and the ports before a run.
    Doctor(doctor::Arguments),
    /// Write a commented covenant.toml.
    Init(init::Arguments),
    /// List what the suite has: scenarios, clauses, checks, methods, defects and more.
    List(list::Arguments),
    /// Evaluate the transcript of a finished run again, without a target, or verify an attestation.
    Verify(verify::Arguments),
    /// Play the whole suite and sign an attestation of what it shows.
    Certify(Box<certify::Arguments>),
    /// Write a person's word, with its evidence, about a clause that no wire shows.
    Attest(attest::Arguments),
    /// Print an entry of a run's transcript, such as the exchange that shows a breach.
    Show(show::Arguments),
    /// Explain a clause, check, scenario, behaviour, defect, variant, property, method, rule, profile or exit code.
    Explain(explain::Arguments),
    /// Replay each broken check of a run: fixed, still broken, or not replayable.
    Replay(replay::Arguments),
    /// Compare two reports, or merge the partitions of a run.
    Report(report::Arguments),
    /// Renew a file of known breaches from a report.
    Known(known::Arguments),
    /// Make a key that signs attestations, or show a key's id.
    Key(key::Arguments),
    /// Hold a release to what the release before sent and accepted, for a pipeline.
    Gate(Box<gate::Arguments>),
    /// Compare, accept or record golden exchanges of the reference platform.
    Golden(golden::Arguments),
    /// Measure the suite with every seeded defect and every variant.
    Selftest(selftest::Arguments),
    /// Simulate misbehaving peers beside your platform, until stopped.
    Peer(Box<peer::Arguments>),
    /// Drive handshakes at a target that is yours, at a rate.
    Flood(flood::Arguments),
    /// Serve the reference platform alone, for tests.
    Target(target::Arguments),
    /// Serve the reference platform through the adapter protocol, or check an adapter.
    Adapter(adapter::Arguments),
    /// Print the JSON Schemas of the files and messages that covenant reads and writes.
    Schema(schema::Arguments),
    /// Print a generated page of the documents.
    #[command(hide = true)]
    Docs(docs::Arguments),
    /// Print or write a completion script for a shell.
    Completions(shell::CompletionArguments),
    /// Print the manual page, or write a page for each subcommand.
    Man(shell::ManArguments),
}

/// Parses the command line.
fn parse() -> Result<Arguments, clap::Error> {
    let mut command = values::taking_negative_numbers(Arguments::command());
    let matches =
        command.try_get_matches_from_mut(values::with_tokens_joined(std::env::args_os().collect()))?;
    values::refuse_empty(&mut command, &matches)?;
    Arguments::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    descriptors::prepare();
    // A URL with a password is refused below, and its error does not repeat the password.
    for argument in std::env::args_os() {
        secret::learn_own_urls(&argument.to_string_lossy());
    }
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    if arguments.verbose {
        tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(|| Masked)
            .with_max_level(LevelFilter::DEBUG)
            .init();
    }
    let evaluation = match arguments.command {
        Command::Run(arguments) => run::main(&arguments),
        Command::Audit(arguments) => audit::main(&arguments),
        Command::Doctor(arguments) => doctor::main(&arguments),
        Command::Init(arguments) => init::main(&arguments),
        Command::List(arguments) => list::main(&arguments),
        Command::Verify(arguments) => verify::main(&arguments),
        Command::Certify(arguments) => certify::main(&arguments),
        Command::Attest(arguments) => attest::main(&arguments),
        Command::Show(arguments) => show::main(&arguments),
        Command::Explain(arguments) => explain::main(&arguments),
        Command::Replay(arguments) => replay::main(&arguments),
        Command::Report(arguments) => report::main(&arguments),
        Command::Known(arguments) => known::main(&arguments),
        Command::Key(arguments) => key::main(&arguments),
        Command::Gate(arguments) => gate::main(&arguments),
        Command::Golden(arguments) => golden::main(&arguments),
        Command::Selftest(arguments) => selftest::main(&arguments),
        Command::Peer(arguments) => peer::main(&arguments),
        Command::Flood(arguments) => flood::main(&arguments),
        Command::Target(arguments) => target::main(&arguments),
        Command::Adapter(arguments) => adapter::main(&arguments),
        Command::Schema(arguments) => schema::main(&arguments),
        Command::Docs(arguments) => docs::main(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::manual(&arguments),
    };
    let exit = evaluation.unwrap_or_else(|failure| {
        message(&format!("error: {}\n", with_causes(failure.error.as_ref())));
        failure.exit
    });
    exit.into()
}

/// The error of a command, with its exit code.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: error.into() }
    }

    fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!(message.into()))
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let is_usage = matches!(
            error,
            FileError::Watch(_)
                | FileError::Peering(_)
                | FileError::Finished(_)
                | FileError::Certified(_)
                | FileError::Exists(_)
                | FileError::IsSpecial(_)
        );
        let exit = if is_usage { Exit::Usage } else { Exit::Environment };
        Self::new(exit, error)
    }
}

/// The blame of a fault gives the exit code.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault.blame.into(), fault)
    }
}

/// Shows what clap says about the arguments: help, the version, or an error, which quotes them.
fn refuse(error: &clap::Error) -> ExitCode {
    use std::io::Write;
    let text = error.render().ansi().to_string();
    let text = secret::without_own(&text);
    // A password may be too short to be known by itself.
    let text = secret::without_userinfo(&text);
    let written = if error.use_stderr() {
        anstream::stderr().write_all(text.as_bytes())
    } else {
        anstream::stdout().write_all(text.as_bytes())
    };
    // A reader may have closed the pipe.
    let _ = written;
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
}

/// Writes a text for a person to standard error, without secrets and without characters that hide text. Ignores a
/// closed standard error.
fn message(text: &str) {
    use std::io::Write;
    let _ = anstream::stderr().write_all(visible(&secret::without_any(text)).as_bytes());
}

/// Standard error for the log, which may quote what crosses the wire.
struct Masked;

impl std::io::Write for Masked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The log writes one event at a time.
        let text = String::from_utf8_lossy(bytes);
        anstream::stderr().write_all(visible(&secret::without_any(&text)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        anstream::stderr().flush()
    }
}

/// Writes the requested data to standard output, without the secrets that the user gave.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let text = secret::without_own(text);
    let mut stdout = anstream::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // A reader may close the pipe early: `covenant list clauses | head`.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Environment, anyhow::Error::new(error).context("standard output")))
        }
        _ => Ok(()),
    }
}

/// Returns the exit code of a report. If it does not count a breach that the report shows, standard error says so.
fn exit_of(report: &Report, strict: bool, basis: BasisChoice) -> Exit {
    if let Some(uncounted) = basis.uncounted(report) {
        message(&format!("{uncounted}\n"));
    }
    Exit::of(report, strict, basis)
}

/// Runs a future to completion on all cores.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let output = runtime.block_on(future);
    // Tasks that still run hold nothing that a finished command needs.
    runtime.shutdown_background();
    Ok(output)
}

/// Runs a future as [`block_on`] does, unless a signal asks to stop. The future is dropped then, with the adapters, the
/// platforms and the temporary folders that it holds.
fn block_on_unless_stopped<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let output = runtime.block_on(async {
        tokio::select! {
            output = future => Some(output),
            () = stop::stopped() => None,
        }
    });
    if output.is_none() {
        runtime.block_on(stop::tasks_ended());
    }
    runtime.shutdown_background();
    output.ok_or_else(|| {
        Failure::new(Exit::Interrupted, anyhow::anyhow!("interrupted: the command did not end"))
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(|error| Failure::new(Exit::Environment, error))
}
