//! `covenant replay`: runs each broken check of a run again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::config::{Config, DEFAULT};
use super::number::{MaxWait, PollTimeout, RequestTimeout};
use super::target_choice::{TargetArguments, patches};
use super::unused;
use super::verify::transcript_of;
use super::{BasisChoice, Exit, Failure, block_on_unless_stopped, message, print};
use crate::contract::TextSource;
use crate::reference::{DEFECTS, VARIANTS};
use crate::report::{NO_END, Report, terminal};
use crate::runner::{Again, Replayed, assess_and_free, broken_checks, replay};
use crate::scenario::RunContext;
use crate::transcript::{Reading, RunStart, read};

/// Arguments of `covenant replay`.
///
/// A run of the embedded reference is replayed with the same defects and variants. Any other target is named again,
/// here or in covenant.toml: a transcript may come from anyone, so what it says of target and adapter is shown and
/// never run.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder, or its transcript.jsonl
    transcript: PathBuf,
    /// Defect to leave out of the replay (repeatable), to show that it is fixed without it
    #[arg(long, value_name = "NAME")]
    without_defect: Vec<String>,
    /// Folder of .toml files, or one file, with your own scenarios, if the run was made with them
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    for name in &arguments.without_defect {
        patches(&[], std::slice::from_ref(name))?;
    }
    let path = transcript_of(&arguments.transcript)?;
    let mut reading = read(&path).map_err(|error| Failure::new(Exit::Usage, error))?;
    let before = assess_and_free(&mut reading);
    let broken = broken_checks(&before);
    if before.outcome.is_none() {
        message(&format!("interrupted: {NO_END}\n"));
    }
    if broken.is_empty() {
        print("nothing was broken: there is nothing to replay\n")?;
        return Ok(Exit::of(&before, false, BasisChoice::All));
    }
    if before.is_audit() {
        return Err(not_replayed(
            "an audit uses its token up: for another, run covenant audit URL --token-file FILE with a new token",
        ));
    }
    show_recorded(&before);
    let mut asked = target(arguments, &before, &reading.start)?;
    unused::refuse(&arguments.target, &asked)?;
    asked.defect.retain(|name| !arguments.without_defect.contains(name));
    let again = Again {
        target: asked.target(None)?,
        contract: asked.contract_text().or_else(|| {
            let recorded = &reading.start.contract;
            (recorded.contract_source == TextSource::User).then(|| recorded.clone())
        }),
        run_context: run_context(&asked, &reading)?,
        scenarios: arguments.scenarios.clone(),
    };
    let mut all = Vec::new();
    let ended = block_on_unless_stopped(async {
        for check in broken {
            let replayed = replay(&reading, check, &again).await;
            let id = &check.evaluation.check;
            let line = format!("{} {} {}: {}", id.clause, id.aspect, id.id, sentence(&replayed));
            print(&format!("{}\n", terminal(&line)))?;
            all.push(replayed);
        }
        Ok::<(), Failure>(())
    });
    match ended {
        Err(interrupted) if exit(&all) != Exit::Broken => return Err(interrupted),
        // What was seen before counts.
        Err(_) => {}
        Ok(printed) => printed?,
    }
    Ok(match exit(&all) {
        // What was not played, or is lost, is not known.
        Exit::Kept if before.is_interrupted() => Exit::Interrupted,
        exit => exit,
    })
}

fn not_replayed(why: &str) -> Failure {
    Failure::new(Exit::NotReplayed, anyhow::anyhow!("cannot be replayed: {why}"))
}

/// Shows what the transcript says of target and adapter.
fn show_recorded(report: &Report) {
    message(&format!("target: {}\n", terminal(&report.recorded_target())));
    if let Some(words) = report.recorded_arguments() {
        message(&format!("its arguments, as recorded: {}\n", terminal(&words)));
    }
}

/// Returns the arguments of the target: those of the command line, those that make the embedded reference the same
/// again, or those of `covenant.toml`.
fn target(arguments: &Arguments, before: &Report, start: &RunStart) -> Result<TargetArguments, Failure> {
    let config = config(arguments)?;
    let given = arguments.target.clone();
    match &start.reference {
        _ if given.name_target() => Ok(given.or(&config)),
        Some(names) => {
            let of_peers = Config { peers: config.peers, ..Config::default() };
            embedded(given, names).map(|embedded| embedded.or(&of_peers))
        }
        None => {
            let named = given.or(&config);
            if named.name_target() {
                return Ok(named);
            }
            let recorded = before.recorded_arguments().map_or_else(String::new, |words| {
                format!(
                    "\nhint: the run was made with {} (as recorded: check it before you use it)",
                    terminal(&words)
                )
            });
            Err(Failure::usage(format!(
                "the target of the run is not the embedded reference, and none is named: name yours with --adapter or \
                 --operator (and --target), or in covenant.toml; a transcript names none, because it may come from \
                 anyone{recorded}"
            )))
        }
    }
}

/// Reads the configuration file. One in a folder that holds the transcript too may have come with it, so it has to be
/// named.
fn config(arguments: &Arguments) -> Result<Config, Failure> {
    let named = arguments.target.config.as_deref();
    let transcript = transcript_of(&arguments.transcript)?.canonicalize().ok();
    let found = Path::new(DEFAULT).canonicalize().ok();
    let came_with_it = transcript
        .zip(found.as_deref().and_then(Path::parent))
        .is_some_and(|(transcript, folder)| transcript.starts_with(folder));
    if named.is_none() && came_with_it {
        message(&format!(
            "{DEFAULT} is not read, because the transcript is in the same folder or below it; if the file is yours, name it \
             with --config {DEFAULT}\n"
        ));
        return Ok(Config::default());
    }
    Config::find(named)
}

/// Returns the arguments of the embedded reference with these defects and variants.
fn embedded(given: TargetArguments, names: &[String]) -> Result<TargetArguments, Failure> {
    let mut embedded = given;
    for name in names {
        if DEFECTS.iter().any(|defect| defect.name == name) {
            embedded.defect.push(name.clone());
        } else if VARIANTS.iter().any(|variant| variant.name == name) {
            embedded.variant.push(name.clone());
        } else {
            return Err(not_replayed(&format!("no defect or variant is called {}", terminal(name))));
        }
    }
    Ok(embedded)
}

/// Returns the run context: the settings of the run where the command line gives no other.
fn run_context(asked: &TargetArguments, reading: &Reading) -> Result<RunContext, Failure> {
    let recorded = |name: &str| reading.start.settings.get(name);
    // A transcript may set what the options of `covenant run` take.
    let seconds = |name: &str| recorded(name)?.as_u64();
    let settled = TargetArguments {
        request_timeout: asked
            .request_timeout
            .or_else(|| seconds("request_timeout_seconds").and_then(RequestTimeout::new)),
        max_wait: asked.max_wait.or_else(|| seconds("max_wait_seconds").and_then(MaxWait::new)),
        release: asked.release.clone().or_else(|| recorded("release")?.as_str()?.parse().ok()),
        ..asked.clone()
    };
    settled.run_context(seconds("poll_timeout_seconds").and_then(PollTimeout::new))
}

fn sentence(replayed: &Replayed) -> String {
    match replayed {
        Replayed::Fixed => "fixed".to_owned(),
        Replayed::StillBroken => "still broken".to_owned(),
        Replayed::NotReplayable { reason } => format!("cannot be replayed: {reason}"),
    }
}

/// Returns the exit code: a breach that is still there goes before a check that could not be evaluated.
fn exit(all: &[Replayed]) -> Exit {
    let is_open = |replayed: &Replayed| matches!(replayed, Replayed::NotReplayable { .. });
    if all.contains(&Replayed::StillBroken) {
        Exit::Broken
    } else if all.iter().any(is_open) {
        Exit::NotReplayed
    } else {
        Exit::Kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_cannot_be_replayed_is_never_green() {
        let open = || Replayed::NotReplayable { reason: "why".to_owned() };
        assert_eq!(exit(&[Replayed::Fixed]), Exit::Kept);
        assert_eq!(exit(&[Replayed::Fixed, open()]), Exit::NotReplayed);
        assert_eq!(exit(&[open(), Replayed::StillBroken]), Exit::Broken);
    }
}
