//! The planned checks of a scenario.

use crate::check::{self, PlannedCheck};
use crate::contract::TextRange;
use crate::scenario::{CheckSpec, Loaded};
use crate::transcript::Trace;

/// Returns the planned checks of a scenario, for every contract text, under the name of its trace.
#[must_use]
pub fn planned(trace: &str, loaded: &Loaded) -> Vec<PlannedCheck> {
    planned_of(trace, loaded.scenario.checks.iter().map(toml::Spanned::get_ref))
}

/// Returns whether the trace of a step with this label, which goes on, breaks a check that cites the label. The step then
/// reads again, until its time is over: what is due may still come.
#[must_use]
pub(super) fn breaks_so_far(checks: &[CheckSpec], trace: &Trace, label: &str) -> bool {
    let planned = planned_of(trace.scenario(), checks.iter());
    planned.iter().any(|check| check::breaks_so_far(check, trace, label))
}

fn planned_of<'a>(trace: &str, checks: impl Iterator<Item = &'a CheckSpec>) -> Vec<PlannedCheck> {
    (1..)
        .zip(checks)
        .map(|(number, check)| PlannedCheck {
            id: format!("{trace}#{number}"),
            scenario: trace.to_owned(),
            clause: check.clause,
            aspect: check.aspect,
            check: check.check.clone(),
            basis: check.basis,
            rests_on: check.rests_on.clone(),
            deepens: check.deepens,
            requirement: check.requirement.clone(),
            with: check.with.clone(),
        })
        .collect()
}

/// Returns the planned checks of a scenario, each with the contract texts for which it holds.
#[must_use]
pub fn planned_with_texts(id: &str, loaded: &Loaded) -> Vec<(PlannedCheck, TextRange)> {
    let texts = loaded.scenario.checks.iter().map(|check| check.get_ref().texts());
    planned(id, loaded).into_iter().zip(texts).collect()
}
