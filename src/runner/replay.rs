//! Replays the broken checks of a run.

use std::path::PathBuf;

use super::{CASES, Plan, RunError, Selection, SelectionError, Target};
use crate::check::Verdict;
use crate::contract::HeldText;
use crate::property::of_trace;
use crate::report::{EvaluatedCheck, Report};
use crate::scenario::RunContext;
use crate::transcript::Reading;
use crate::with_causes;

/// The result of the replay of one broken check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// The check is kept now.
    Fixed,
    /// The check is broken again.
    StillBroken,
    /// The check could not be evaluated again.
    NotReplayable {
        /// The reason, for a person.
        reason: String,
    },
}

/// Returns the broken checks of a report.
#[must_use]
pub fn broken_checks(report: &Report) -> Vec<&EvaluatedCheck> {
    let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
    report.checks.iter().filter(is_broken).collect()
}

/// Settings that a replay takes from the user and not from the transcript, which may come from anyone.
#[derive(Clone, Debug)]
pub struct Again {
    /// The target.
    pub target: Target,
    /// The contract text that the target is held to. `None` finds it before the first accept.
    pub contract: Option<HeldText>,
    /// The run context.
    pub run_context: RunContext,
    /// The user's own scenarios: a folder or a file.
    pub scenarios: Option<PathBuf>,
}

/// Plays again the one scenario or property that holds the check, with its recorded settings.
pub async fn replay(reading: &Reading, check: &EvaluatedCheck, again: &Again) -> Replayed {
    match plan(reading, check, again) {
        Ok(plan) => compare(check, plan.run_to_report().await),
        Err(error) => Replayed::NotReplayable { reason: with_causes(&error) },
    }
}

fn plan(reading: &Reading, check: &EvaluatedCheck, again: &Again) -> Result<Plan, SelectionError> {
    let scenario = check.evaluation.check.scenario.trim_end_matches(" again").to_owned();
    let selection = match of_trace(&scenario) {
        Some(property) => Selection::of_properties(&[property.to_owned()]),
        None => Selection::new(&[scenario], &[]),
    };
    let cases = reading.start.settings.get("cases").and_then(serde_json::Value::as_u64);
    Ok(Plan {
        seed: reading.start.seed,
        target: again.target.clone(),
        selection: selection?,
        cases: cases.and_then(|cases| u32::try_from(cases).ok()).unwrap_or(CASES),
        contract: again.contract.clone(),
        run_context: again.run_context.clone(),
        scenarios: again.scenarios.clone(),
        ..Plan::default()
    })
}

fn compare(before: &EvaluatedCheck, after: Result<Report, RunError>) -> Replayed {
    let not_replayable = |reason: String| Replayed::NotReplayable { reason };
    let after = match after {
        Ok(after) => after,
        Err(error) => return not_replayable(with_causes(&error)),
    };
    if let Some(void) = after.void {
        return not_replayable(format!("the run is void: {void}"));
    }
    let same = after.checks.into_iter().find(|check| check.evaluation.check.id == before.evaluation.check.id);
    match same.map(|check| check.evaluation.result) {
        Some(result) if result.verdict == Verdict::Broken => Replayed::StillBroken,
        Some(result) if result.verdict == Verdict::Kept => Replayed::Fixed,
        Some(result) => not_replayable(result.actual),
        None => not_replayable("the check no longer exists".to_owned()),
    }
}
