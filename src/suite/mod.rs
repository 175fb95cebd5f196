//! One whole run: announce, play, judge, score.
//!
//! What will be judged is announced before anything runs, in the transcript's own lines. The
//! sanity scenario, a well-behaved life from proposal to exit, goes first and last; where it fails,
//! the run is void and no clause is called broken. The report is made of the transcript as it was
//! written, so that a run and `covenant judge` of its transcript can't differ.

mod adapter_check;
mod assess;
mod audit;
mod catalogue;
mod golden_report;
mod goldens;
mod plan;
mod play;
mod selection;
mod selftest;
mod target;
mod watch;

pub use adapter_check::{Finding, VerbLine, check_adapter};
pub use assess::{assess, exit_blame, property_case};
pub use audit::{Audit, LeftBehind, left_behind};
pub use catalogue::{SCENARIOS, library, words};
pub use golden_report::{difference, golden_report};
pub use goldens::{Compared, GoldenError, compare_goldens, record_golden};
pub use plan::{CASES, Plan, RunError, surroundings};
pub use play::{Event, Fault, Observer, Run, play};
pub use selection::{Selection, SelectionError};
pub use selftest::{Row, Table, probe};
pub use target::{Plugged, Target};
pub use watch::{Watch, WatchError, Watched};

use crate::check::Declared;
use crate::scenario::Loaded;

/// The checks that a scenario announces, under the name that its story has.
#[must_use]
pub fn declared(story: &str, loaded: &Loaded) -> Vec<Declared> {
    let checks = loaded.scenario.checks.iter().map(toml::Spanned::get_ref);
    (1..)
        .zip(checks)
        .map(|(number, check)| Declared {
            id: format!("{story}#{number}"),
            scenario: story.to_owned(),
            clause: check.clause,
            face: check.face,
            judge: check.judge.clone(),
            basis: check.basis,
            requirement: check.requirement.clone(),
            with: check.with.clone(),
        })
        .collect()
}
