//! `covenant replay`: runs each broken check of a run again.

use std::path::PathBuf;

use clap::Args;

use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on, print};
use crate::check::Verdict;
use crate::property::of_trace;
use crate::report::{EvaluatedCheck, Report};
use crate::suite::{CASES, Plan, Selection, Target, assess};
use crate::transcript::{Reading, read};
use crate::with_causes;

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
    let mut path = arguments.transcript.clone();
    if path.is_dir() {
        path.push("transcript.jsonl");
    }
    let reading = read(&path).map_err(|error| Failure::new(Exit::Usage, error))?;
    let before = assess(&reading);
    let broken: Vec<&EvaluatedCheck> = before.checks.iter().filter(|check| is_broken(check)).collect();
    if broken.is_empty() {
        print("nothing was broken: there is nothing to replay\n")?;
        return Ok(Exit::Kept);
    }
    let mut recorded = TargetArguments::of_record(&reading.start.target_arguments)?;
    recorded.defect.retain(|name| !arguments.without_defect.contains(name));
    let target = recorded.target(None)?;
    let run_context = recorded.run_context(None);
    let mut still_broken = false;
    for check in broken {
        let contract = recorded.contract_text();
        let run = Plan { run_context: run_context.clone(), contract, ..run_of(&reading, check, &target)? };
        let evaluation = match block_on(run.run_to_report())? {
            Ok(after) => answer(check, &after),
            Err(error) => format!("cannot be replayed: {}", with_causes(&error)),
        };
        still_broken |= evaluation == STILL_BROKEN;
        let id = &check.evaluation.check;
        print(&format!("{} {} {}: {evaluation}\n", id.clause, id.aspect, id.id))?;
    }
    Ok(if still_broken { Exit::Broken } else { Exit::Kept })
}

const STILL_BROKEN: &str = "still broken";

fn is_broken(check: &EvaluatedCheck) -> bool {
    check.evaluation.result.verdict == Verdict::Broken
}

fn answer(before: &EvaluatedCheck, after: &Report) -> String {
    if let Some(void) = &after.void {
        return format!("cannot be replayed: the run is void: {void}");
    }
    let same = after.checks.iter().find(|check| check.evaluation.check.id == before.evaluation.check.id);
    match same.map(|check| &check.evaluation.result) {
        Some(result) if result.verdict == Verdict::Broken => STILL_BROKEN.to_owned(),
        Some(result) if result.verdict == Verdict::Kept => "fixed".to_owned(),
        Some(result) => format!("cannot be replayed: {}", result.actual),
        None => "cannot be replayed: the check no longer exists".to_owned(),
    }
}

/// Plans a run of the one scenario or property that holds the check, with its recorded settings.
fn run_of(reading: &Reading, check: &EvaluatedCheck, target: &Target) -> Result<Plan, Failure> {
    let scenario = check.evaluation.check.scenario.trim_end_matches(" again").to_owned();
    let selection = match of_trace(&scenario) {
        Some(property) => Selection::of_properties(&[property.to_owned()]),
        None => Selection::new(&[scenario], &[]),
    };
    let cases = reading.start.settings.get("cases").and_then(serde_json::Value::as_u64);
    Ok(Plan {
        seed: reading.start.seed,
        target: target.clone(),
        selection: selection.map_err(|error| Failure::new(Exit::Usage, error))?,
        cases: cases.and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES),
        ..Plan::default()
    })
}
