//! The planned checks of a scenario.

use crate::check::PlannedCheck;
use crate::contract::TextRange;
use crate::scenario::Loaded;

/// Returns the planned checks of a scenario, for every contract text, under the name of its trace.
#[must_use]
pub fn planned(trace: &str, loaded: &Loaded) -> Vec<PlannedCheck> {
    let checks = loaded.scenario.checks.iter().map(toml::Spanned::get_ref);
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
