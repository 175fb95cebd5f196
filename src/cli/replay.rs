//! `covenant replay`: what was broken in a run, tried again.

use std::path::PathBuf;

use clap::Args;

use super::run::named;
use super::{Exit, Failure, block_on, print};
use crate::check::Verdict;
use crate::property::of_story;
use crate::reference::{DEFECTS, Patch, VARIANTS};
use crate::report::{JudgedCheck, Report};
use crate::suite::{CASES, EmbeddedRun, Selection, assess};
use crate::transcript::{Reading, read};

/// Arguments of `covenant replay`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The transcript.jsonl of a run's folder, or the folder
    transcript: PathBuf,
    /// Leave these defects away this time (repeatable): is it fixed without them?
    #[arg(long, value_name = "NAME")]
    without_defect: Vec<String>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut path = arguments.transcript.clone();
    if path.is_dir() {
        path.push("transcript.jsonl");
    }
    let reading = read(&path).map_err(|error| Failure::usage(error.to_string()))?;
    let before = assess(&reading);
    let broken: Vec<&JudgedCheck> = before.checks.iter().filter(|check| is_broken(check)).collect();
    if broken.is_empty() {
        print("nothing was broken: there is nothing to replay\n")?;
        return Ok(Exit::Kept);
    }
    let patches = patches(&reading, &arguments.without_defect)?;
    let mut still_broken = false;
    for check in broken {
        let run = run_of(&reading, check, &patches)?;
        let outcome = match block_on(run.judge())? {
            Ok(after) => answer(check, &after),
            Err(error) => format!("cannot be replayed: {error}"),
        };
        still_broken |= outcome == STILL_BROKEN;
        let id = &check.outcome.check;
        print(&format!("{} {} {}: {outcome}\n", id.clause, id.face, id.id))?;
    }
    Ok(if still_broken { Exit::Broken } else { Exit::Kept })
}

const STILL_BROKEN: &str = "still broken";

fn is_broken(check: &JudgedCheck) -> bool {
    check.outcome.judgement.verdict == Verdict::Broken
}

fn answer(before: &JudgedCheck, after: &Report) -> String {
    if let Some(void) = &after.void {
        return format!("cannot be replayed: the run is void: {void}");
    }
    let same = after.checks.iter().find(|check| check.outcome.check.id == before.outcome.check.id);
    match same.map(|check| &check.outcome.judgement) {
        Some(judgement) if judgement.verdict == Verdict::Broken => STILL_BROKEN.to_owned(),
        Some(judgement) if judgement.verdict == Verdict::Kept => "fixed".to_owned(),
        Some(judgement) => format!("cannot be replayed: {}", judgement.actual),
        None => "cannot be replayed: there is no such check any more".to_owned(),
    }
}

/// Just the scenario, or the property, of one check, as it was.
fn run_of(
    reading: &Reading,
    check: &JudgedCheck,
    patches: &[&'static Patch],
) -> Result<EmbeddedRun, Failure> {
    let scenario = check.outcome.check.scenario.trim_end_matches(" again").to_owned();
    let selection = match of_story(&scenario) {
        Some(property) => Selection::of_properties(&[property.to_owned()]),
        None => Selection::new(&[scenario], &[]),
    };
    let cases = reading.start.settings.get("cases").and_then(serde_json::Value::as_u64);
    Ok(EmbeddedRun {
        seed: reading.start.seed,
        patches: patches.to_vec(),
        selection: selection.map_err(|error| Failure::usage(error.to_string()))?,
        cases: cases.and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES),
        ..EmbeddedRun::default()
    })
}

/// The defects and variants that the run had, without those that are to be left away.
fn patches(reading: &Reading, without: &[String]) -> Result<Vec<&'static Patch>, Failure> {
    let mut patches = Vec::new();
    for argument in &reading.start.target_arguments {
        if let Some(name) = argument.strip_prefix("--defect ") {
            if !without.iter().any(|other| other == name) {
                patches.push(named(DEFECTS, "defect", name)?);
            }
        } else if let Some(name) = argument.strip_prefix("--variant ") {
            patches.push(named(VARIANTS, "variant", name)?);
        } else {
            return Err(Failure::usage(format!("cannot be replayed: the run was made with {argument}")));
        }
    }
    Ok(patches)
}
