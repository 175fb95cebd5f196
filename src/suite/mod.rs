//! One whole run: plan, play, evaluate, score.
//!
//! The checks are planned before anything runs, in the transcript itself. The sanity scenario, from proposal
//! to exit, runs first and last; if it fails, the run is void and no clause is called broken. The report is
//! made from the written transcript, so that a run and `covenant verify` of its transcript agree.

mod adapter_check;
mod audit;
mod catalogue;
mod contract_text;
mod evaluate;
mod golden_report;
mod goldens;
mod plan;
mod play;
mod selection;
mod selftest;
mod target;
mod watch;

pub use adapter_check::{Finding, MethodLine, check_adapter};
pub use audit::{Audit, LeftBehind, left_behind};
pub use catalogue::{SCENARIOS, library};
pub use evaluate::{assess, exit_blame, property_case};
pub use golden_report::{difference, golden_report};
pub use goldens::{Compared, GoldenError, compare_goldens, record_golden};
pub use plan::{CASES, Plan, RunError, run_context};
pub use play::{Event, Fault, Observer, Run, play};
pub use selection::{Selection, SelectionError};
pub use selftest::{Row, Table, probe};
pub use target::{ExternalTarget, Target};
pub use watch::{Watch, WatchError, Watched};

use crate::check::{Evaluation, PlannedCheck, evaluate_under};
use crate::contract::{HeldText, TextRange};
use crate::scenario::Loaded;
use crate::transcript::Trace;

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

/// Evaluates the planned checks of a scenario that hold for the contract text of the run.
fn evaluated(id: &str, loaded: &Loaded, trace: Option<&Trace>, held: &HeldText) -> Vec<Evaluation> {
    let checks = planned_with_texts(id, loaded).into_iter();
    checks.filter_map(|(check, texts)| evaluate_under(&check, trace, held, texts)).collect()
}
