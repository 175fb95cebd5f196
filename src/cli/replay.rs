//! `covenant replay`: runs each broken check of a run again.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on, print};
use crate::runner::{Replayed, RunFolder, assess, broken_checks, replay};
use crate::transcript::read;

/// Arguments of `covenant replay`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder, or its transcript.jsonl
    transcript: PathBuf,
    /// Defect to leave out of the replay (repeatable), to show that it is fixed without it
    #[arg(long, value_name = "NAME")]
    without_defect: Vec<String>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = RunFolder::transcript_of(&arguments.transcript);
    let reading = read(&path).map_err(|error| Failure::new(Exit::Usage, error))?;
    let before = assess(&reading);
    let broken = broken_checks(&before);
    if broken.is_empty() {
        print("nothing was broken: there is nothing to replay\n")?;
        return Ok(Exit::Kept);
    }
    let mut recorded = TargetArguments::of_record(&reading.start.target_arguments)?;
    recorded.defect.retain(|name| !arguments.without_defect.contains(name));
    let target = recorded.target(None)?;
    let poll_timeout = reading.start.settings.get("poll_timeout_seconds").and_then(Value::as_u64);
    let run_context = recorded.run_context(poll_timeout)?;
    let mut still_broken = false;
    for check in broken {
        let replayed = replay(&reading, check, &target, recorded.contract_text(), &run_context);
        let replayed = block_on(replayed)?.map_err(|error| Failure::new(Exit::Usage, error))?;
        still_broken |= replayed == Replayed::StillBroken;
        let id = &check.evaluation.check;
        print(&format!("{} {} {}: {}\n", id.clause, id.aspect, id.id, sentence(&replayed)))?;
    }
    Ok(if still_broken { Exit::Broken } else { Exit::Kept })
}

fn sentence(replayed: &Replayed) -> String {
    match replayed {
        Replayed::Fixed => "fixed".to_owned(),
        Replayed::StillBroken => "still broken".to_owned(),
        Replayed::NotReplayable { reason } => format!("cannot be replayed: {reason}"),
    }
}
