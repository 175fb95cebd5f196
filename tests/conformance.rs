//! Each check of the suite as a test by name, for `cargo test`, nextest and editors.
//!
//! To list the tests nothing is started and nothing is played. The first test that runs plays the scenarios of all tests
//! that the arguments select, once, as one run of the program.
//!
//! - `COVENANT_TEST_ARGUMENTS`: arguments of `covenant run`, as a shell reads them, that name a target:
//!   `--adapter 'python3 adapter.py'`. Without it the target is the reference, or that of a `covenant.toml`.
//! - `COVENANT_TEST_SEED`: the seed of the run, 1 by default.
//!
//! A broken check fails, and so does a check that the arguments keep the run from playing. What does not apply is ignored,
//! with the reason. So is what is unproven, other than of the
//! reference, of which everything is to be proved.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use covenant::Stage;
use covenant::check::{PlannedCheck, Verdict};
use covenant::contract::TextRange;
use covenant::property::{PROPERTIES, Property};
use covenant::report::{EvaluatedCheck, Report};
use covenant::runner::{library, planned_with_texts, property_case};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

const ARGUMENTS: &str = "COVENANT_TEST_ARGUMENTS";
const SEED: &str = "COVENANT_TEST_SEED";

fn main() {
    let arguments = Arguments::from_args();
    let checks = planned_checks();
    let run = Arc::new(SharedRun::default());
    let trials: Vec<Trial> = checks.iter().map(|(check, texts)| trial(check, *texts, &run)).collect();
    let is_selected = |trial: &Trial| !arguments.is_filtered_out(trial) && !arguments.is_ignored(trial);
    let selected = checks.iter().zip(&trials).filter(|(_, trial)| is_selected(trial));
    let scenarios: BTreeSet<String> = selected.map(|((check, _), _)| played_by(check).to_owned()).collect();
    let all = checks.iter().map(|(check, _)| played_by(check)).collect::<BTreeSet<_>>().len();
    run.only.get_or_init(|| if scenarios.len() == all { BTreeSet::new() } else { scenarios });
    libtest_mimic::run(&arguments, trials).exit();
}

/// Returns every check that a run can have, with the contract texts that ask for it.
fn planned_checks() -> Vec<(PlannedCheck, TextRange)> {
    let library = library(None).expect("the built-in scenarios are sound");
    let properties = PROPERTIES.iter().map(Property::trace);
    let properties = properties.map(|trace| property_case(&trace).expect("a case of the property"));
    let of_scenarios = library.iter().flat_map(|loaded| {
        // The handshake is played first and last.
        let again = (loaded.scenario.stage == Some(Stage::Handshake)).then(|| format!("{} again", loaded.id));
        let again = again.map(|id| planned_with_texts(&id, loaded)).unwrap_or_default();
        planned_with_texts(&loaded.id, loaded).into_iter().chain(again)
    });
    of_scenarios.chain(properties.flat_map(|case| planned_with_texts(&case.id, &case))).collect()
}

/// Returns the scenario or the property that a run plays for a check.
fn played_by(check: &PlannedCheck) -> &str {
    check.scenario.trim_end_matches(" again")
}

fn trial(check: &PlannedCheck, texts: TextRange, run: &Arc<SharedRun>) -> Trial {
    let (id, run) = (check.id.clone(), run.clone());
    let name = format!("{id} ({} {})", check.clause, check.aspect);
    Trial::ignorable_test(name, move || {
        let report = run.report.get_or_init(|| run.play()).as_ref().map_err(Failed::from)?;
        let found = report.checks.iter().find(|check| check.evaluation.check.id == id);
        result(report, texts, found)
    })
}

fn result(report: &Report, texts: TextRange, found: Option<&EvaluatedCheck>) -> Result<Completion, Failed> {
    if let Some(void) = &report.void {
        return Err(Failed::from(format!("the run is void: {void}")));
    }
    let Some(evaluated) = found else {
        let is_asked_for = report.contract.register().is_none_or(|register| texts.contains(register));
        if is_asked_for {
            return Err(Failed::from(format!("the run did not play it: see {ARGUMENTS}")));
        }
        return Ok(Completion::ignored_with("the contract text of the target does not have it"));
    };
    let result = &evaluated.evaluation.result;
    let shown = || {
        let (expected, actual) = (result.expected.join("; or "), &result.actual);
        let requirement = &evaluated.evaluation.check.requirement;
        let words = report.recorded_arguments().map(|words| format!("\nTARGET, as recorded: {words}"));
        let replay = format!("{}{}", evaluated.replay, words.unwrap_or_default());
        format!("{requirement}\nexpected: {expected}\nactual: {actual}\nreplay: {replay}")
    };
    match result.verdict {
        Verdict::Kept => Ok(Completion::Completed),
        Verdict::Broken => Err(Failed::from(format!("broken: {}", shown()))),
        Verdict::NotApplicable => Ok(Completion::ignored_with(format!("not applicable: {}", result.actual))),
        Verdict::Unproven if report.reference.is_some() => {
            Err(Failed::from(format!("unproven: {}", shown())))
        }
        Verdict::Unproven => Ok(Completion::ignored_with(format!("unproven: {}", result.actual))),
    }
}

/// The one run of all selected tests. It begins when the first of them does.
#[derive(Default)]
struct SharedRun {
    /// The scenarios and properties to play; empty for all.
    only: OnceLock<BTreeSet<String>>,
    report: OnceLock<Result<Report, String>>,
}

impl SharedRun {
    fn play(&self) -> Result<Report, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let out = folder.path().join("run");
        let given = std::env::var(ARGUMENTS).unwrap_or_default();
        let given = shlex::split(&given).ok_or_else(|| format!("{ARGUMENTS}: a quote has no end"))?;
        let seed = std::env::var(SEED).unwrap_or_else(|_| "1".to_owned());
        let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
        command.args(["run", "--quiet", "--seed", &seed, "--out"]).arg(&out).stdin(Stdio::null());
        for id in self.only.get().into_iter().flatten() {
            command.args(["--only", &globset::escape(id)]);
        }
        let output = command.args(given).output().map_err(|error| error.to_string())?;
        let report = std::fs::read(out.join("report.json")).map_err(|_| {
            let why = String::from_utf8_lossy(&output.stderr);
            format!("the run gave no report ({}):\n{why}", output.status)
        })?;
        serde_json::from_slice(&report).map_err(|error| error.to_string())
    }
}
