//! Plays the cases of a property, and shrinks the one that breaks.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rand::Rng;
use tokio::runtime::Handle;

use super::Property;
use crate::Fault;
use crate::clock::{Clock, Seed};
use crate::operator::Targets;
use crate::scenario::{Loaded, RunContext, Scenario, load, play_scenario, trace_name, write};
use crate::transcript::{Note, NoteKind, Outcome, ScenarioStart, Trace, Transcript, What};

/// The settings of a property check.
#[derive(Clone)]
pub struct Setting {
    /// The source of targets.
    pub targets: Arc<dyn Targets>,
    /// The run's seed.
    pub seed: Seed,
    /// The number of cases.
    pub cases: u32,
    /// The maximum number of shrinking steps for a case that breaks.
    pub shrinks: u32,
    /// The number of the play, as [`Loaded::retry`] has it.
    pub retry: u32,
    /// The run context of the cases.
    pub run_context: RunContext,
    /// A function that returns true if a trace breaks a planned check of its scenario.
    pub breaks: fn(&Loaded, &Trace) -> bool,
    /// Called before each case.
    pub on_case: Arc<dyn Fn(CaseProgress) + Send + Sync>,
}

/// How far a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseProgress {
    /// The number of the case that is played, from 1.
    pub case: usize,
    /// The number of all cases.
    pub cases: usize,
    /// A case broke, and a shorter one is looked for.
    pub is_shrinking: bool,
}

/// Checks a property and records its trace in the transcript: every case, with the shrunk case as the source.
/// It may block, so call it where that is allowed.
pub fn check(property: &Property, setting: &Setting, transcript: &Transcript, handle: &Handle) -> Trace {
    let played = RefCell::new(Cases::default());
    let aborted = RefCell::new(None);
    let edge_cases = (property.edge_cases)().into_iter().map(|edge_case| (edge_case, 1));
    let mut histories = edge_cases.chain([((property.scenarios)(), setting.cases)]);
    let tried = histories.try_for_each(|(histories, cases)| {
        try_out(property, setting, (&histories, cases), &played, &aborted, handle)
    });
    let mut cases = played.into_inner();
    let mut outcome = Outcome::Completed;
    match tried.map_err(|fault| *fault) {
        Ok(()) => {}
        // The case could not be shrunk, so its trace is recorded already.
        Err(TestError::Fail(_, case)) if cases.ends_with(&case) => {}
        Err(TestError::Fail(why, case)) => match play(property, setting, &case, cases.count(), handle) {
            Ok(shortest) => {
                cases.reported.push(shortest);
                // A panic in a case is no breach by the target.
                if !cases.reported.iter().any(|(loaded, trace)| (setting.breaks)(loaded, trace)) {
                    outcome = Fault::suite(format!("a case failed, and broke nothing: {why}")).into();
                }
            }
            Err(other) => outcome = other.outcome,
        },
        // The property gets the blame of the case that was aborted.
        Err(TestError::Abort(reason)) => {
            let fault = || Fault::suite(reason.to_string()).into();
            outcome = aborted.take().unwrap_or_else(fault);
        }
    }
    record_all(property, setting, transcript, cases, outcome)
}

/// The number of cases that are recorded in full. Further cases that broke nothing are only counted, so that
/// a run of ten thousand cases fits in memory.
const REPORTED_MAX: usize = 100;

/// The number of entries after which cases are only counted, because a target may produce many entries in one
/// case.
const ENTRIES_REPORTED_MAX: usize = 4000;

/// The cases that were played.
#[derive(Default)]
struct Cases {
    reported: Vec<(Loaded, Trace)>,
    /// The number of entries of the recorded cases.
    entries: usize,
    /// The number of cases that were only counted.
    more: usize,
    /// The number of cases that need a method which the operator client lacks, and the first such method.
    left_out: (usize, Option<String>),
    /// The number of cases that need more than the target's kinds have, and what the first one needs. A property
    /// draws from those kinds, so nothing is missing without these cases.
    beyond_kinds: (usize, Option<String>),
}

impl Cases {
    fn count(&self) -> usize {
        self.reported.len() + self.more + self.left_out.0 + self.beyond_kinds.0
    }

    fn leave_out(&mut self, method: String) {
        self.left_out.0 += 1;
        self.left_out.1.get_or_insert(method);
    }

    fn pass_over(&mut self, lacks: String) {
        self.beyond_kinds.0 += 1;
        self.beyond_kinds.1.get_or_insert(lacks);
    }

    fn ends_with(&self, scenario: &Scenario) -> bool {
        self.reported.last().is_some_and(|(loaded, _)| loaded.scenario == *scenario)
    }

    /// Records a case, or counts it if it broke nothing and there is no room.
    fn keep(&mut self, loaded: Loaded, trace: Trace, broken: bool) {
        let has_room = self.reported.len() < REPORTED_MAX && self.entries < ENTRIES_REPORTED_MAX;
        if broken || has_room {
            self.entries += trace.entries().len();
            self.reported.push((loaded, trace));
        } else {
            self.more += 1;
        }
    }
}

/// Plays the cases until one breaks, and shrinks that one.
fn try_out(
    property: &Property,
    setting: &Setting,
    (histories, cases): (&BoxedStrategy<Scenario>, u32),
    played: &RefCell<Cases>,
    aborted: &RefCell<Option<Outcome>>,
    handle: &Handle,
) -> Result<(), Box<TestError<Scenario>>> {
    let seed = setting.seed.derive(&property.trace());
    let shrinking = Cell::new(false);
    let all = (property.edge_cases)().len() + setting.cases as usize;
    let tried = runner(seed, cases, setting.shrinks).run(histories, |scenario| {
        let case = played.borrow().count();
        (setting.on_case)(CaseProgress { case: case + 1, cases: all, is_shrinking: shrinking.get() });
        let completed = play(property, setting, &scenario, case, handle);
        let completed = match (&completed, (property.reduced)(&scenario)) {
            (Err(Incomplete { outcome: Outcome::Unsupported { .. }, .. }), Some(reduced)) => {
                play(property, setting, &reduced, case, handle)
            }
            _ => completed,
        };
        let (loaded, trace) = match completed {
            Ok(completed) => completed,
            Err(Incomplete { outcome: Outcome::Unsupported { method }, case }) => {
                // A final breach stands, as in a scenario that lacks a method.
                let broken = case.filter(|case| (setting.breaks)(&case.0, &case.1));
                match broken.map(|case| *case).filter(|_| !shrinking.get()) {
                    Some((loaded, trace)) => played.borrow_mut().keep(loaded, trace, true),
                    None => played.borrow_mut().leave_out(method),
                }
                return Ok(());
            }
            Err(Incomplete { outcome: Outcome::Lacking { lacks }, .. }) => {
                played.borrow_mut().pass_over(lacks);
                return Ok(());
            }
            Err(Incomplete { outcome, case }) => {
                // A final breach stands. The case stays as it was generated: a shorter one may not end in the same way.
                let broken = case.filter(|case| (setting.breaks)(&case.0, &case.1));
                if let Some((loaded, trace)) = broken.map(|case| *case).filter(|_| !shrinking.get()) {
                    played.borrow_mut().keep(loaded, trace, true);
                }
                aborted.replace(Some(outcome));
                return Err(TestCaseError::reject("the case did not complete"));
            }
        };
        if played.borrow().reported.first().is_some_and(|(first, _)| !announces_the_same(first, &loaded)) {
            return Err(TestCaseError::reject("two cases announce different checks"));
        }
        let broken = (setting.breaks)(&loaded, &trace);
        if !shrinking.get() {
            played.borrow_mut().keep(loaded, trace, broken);
        }
        shrinking.set(shrinking.get() || broken);
        if broken { Err(TestCaseError::fail("broken")) } else { Ok(()) }
    });
    tried.map_err(Box::new)
}

/// Compares the planned checks of two cases. They must be equal, because they are evaluated together.
fn announces_the_same(one: &Loaded, other: &Loaded) -> bool {
    let checks = |loaded: &Loaded| -> Vec<_> {
        loaded.scenario.checks.iter().map(|check| check.get_ref().clone()).collect()
    };
    checks(one) == checks(other)
}

/// Records all cases in one trace. The scenario of the last case becomes its source.
fn record_all(
    property: &Property,
    setting: &Setting,
    transcript: &Transcript,
    cases: Cases,
    outcome: Outcome,
) -> Trace {
    // If no case completed, the checks of a case are planned all the same.
    let last = cases.reported.last().map(|(loaded, _)| loaded.source.clone());
    let source = last.or_else(|| property.sample()).unwrap_or_default();
    let start = ScenarioStart { source, seed: setting.seed.derive(&property.trace()) };
    let name = trace_name(&property.trace(), setting.retry);
    let recorder = transcript.begin(&name, start, Clock::system());
    let is_empty = cases.reported.is_empty();
    for (number, (_, trace)) in (1..).zip(cases.reported) {
        for entry in trace.entries() {
            let label = entry.label.as_deref().map(|label| format!("{label}@{number}"));
            match &*entry.what {
                What::Scenario(_) => {
                    let note = Note {
                        kind: NoteKind::Case,
                        message: format!("case {number}"),
                        facts: serde_json::Value::Null,
                    };
                    recorder.record(None, None, What::Note(note));
                }
                What::Run(_) | What::End(_) => {}
                _ => {
                    recorder.record_again(entry, label.as_deref());
                }
            }
        }
    }
    if cases.more > 0 {
        let note = Note {
            kind: NoteKind::Cases,
            message: format!("{} cases more, none of them broken", cases.more),
            facts: serde_json::Value::Null,
        };
        recorder.record(None, None, What::Note(note));
    }
    match cases.left_out.1 {
        // No case could be played.
        Some(method) if outcome == Outcome::Completed && is_empty => {
            recorder.end(Outcome::Unsupported { method })
        }
        Some(method) => {
            let note = Note {
                kind: NoteKind::CasesLeftOut,
                message: format!("{} cases left out: they need the method {method}", cases.left_out.0),
                facts: serde_json::json!({"method": method}),
            };
            recorder.record(None, None, What::Note(note));
            recorder.end(outcome)
        }
        None => match cases.beyond_kinds.1 {
            Some(lacks) if outcome == Outcome::Completed && is_empty => {
                recorder.end(Outcome::Lacking { lacks })
            }
            _ => recorder.end(outcome),
        },
    }
}

/// A case that did not complete.
struct Incomplete {
    outcome: Outcome,
    /// The case as far as it was played; `None` if it could not begin.
    case: Option<Box<(Loaded, Trace)>>,
}

impl From<Fault> for Incomplete {
    fn from(fault: Fault) -> Self {
        Self { outcome: fault.into(), case: None }
    }
}

/// Plays one case against a fresh target, in memory. An error is a case that did not complete.
fn play(
    property: &Property,
    setting: &Setting,
    scenario: &Scenario,
    case: usize,
    handle: &Handle,
) -> Result<(Loaded, Trace), Incomplete> {
    let id = format!("{} {case}", property.trace());
    let source = write(scenario).map_err(|error| Fault::suite(error.to_string()))?;
    let loaded = load(&id, &id, &source).map_err(|error| Fault::suite(error.to_string()))?;
    let (targets, transcript) = (setting.targets.as_ref(), Transcript::in_memory());
    let trace = play_scenario(&loaded, targets, &transcript, setting.seed, &setting.run_context);
    let trace = handle.block_on(trace);
    let outcome = match trace.outcome() {
        Some(Outcome::Completed) => match trace.lacks() {
            Some(lacks) => Outcome::lacking_kinds(lacks),
            None => return Ok((loaded, trace)),
        },
        other => other.cloned().unwrap_or(Outcome::Interrupted),
    };
    Err(Incomplete { outcome, case: Some(Box::new((loaded, trace))) })
}

fn runner(seed: Seed, cases: u32, shrinks: u32) -> TestRunner {
    let mut bytes = [0_u8; 32];
    seed.rng().fill_bytes(&mut bytes);
    let config = Config {
        cases,
        max_shrink_iters: shrinks,
        failure_persistence: None,
        max_global_rejects: 0,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::Blame;
    use crate::operator::OperatorMethod;
    use crate::operator::peer::List;
    use crate::operator::{Embedded, EmbeddedOptions};
    use crate::property::build::{operator, titled};
    use crate::property::whole::whole;
    use crate::runner::run_context;
    use crate::scenario::Step;
    use crate::scenario::format::Expect;

    /// The number of reads after which the target goes wrong.
    const TOO_OFTEN: usize = 3;

    fn reads(times: usize) -> Scenario {
        titled("Reads").steps(std::iter::repeat_n(operator(List::METHOD, Value::Null), times))
    }

    fn reads_of(trace: &Trace) -> usize {
        let methods =
            trace.entries().iter().filter_map(|entry| entry.operation()).map(|asked| &*asked.method);
        methods.filter(|method| *method == "peer.list").count()
    }

    fn is_too_often(_: &Loaded, trace: &Trace) -> bool {
        reads_of(trace) >= TOO_OFTEN
    }

    const READS: Property = Property {
        name: "reads",
        commitment: 1,
        about: "however often it is read, it does not go wrong",
        edge_cases: Vec::new,
        scenarios: || (1..=40_usize).prop_map(reads).boxed(),
        reduced: |_| None,
    };

    fn setting(shrinks: u32) -> Setting {
        let listen = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let settings = serde_json::json!({});
        Setting {
            targets: Arc::new(Embedded::new(EmbeddedOptions { listen, patches: vec![], settings })),
            seed: Seed(1),
            cases: 12,
            shrinks,
            retry: 0,
            run_context: RunContext { poll_timeout: Duration::ZERO, ..run_context(listen) },
            breaks: is_too_often,
            on_case: Arc::new(|_| {}),
        }
    }

    /// Returns the number of reads in each recorded case of a property, with a maximum of `shrinks` shrinking
    /// steps.
    fn reported(property: &Property, shrinks: u32) -> Vec<usize> {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let trace = check(property, &setting(shrinks), &Transcript::in_memory(), runtime.handle());
        assert_eq!(trace.outcome(), Some(&Outcome::Completed));
        let reported: Vec<usize> = trace.cases().iter().map(reads_of).collect();
        // The last case is the one that can be saved and run.
        assert_eq!(
            trace.start().map(|start| &*start.source),
            reported.last().and_then(|times| write(&reads(*times)).ok()).as_deref()
        );
        reported
    }

    #[test]
    fn a_case_that_breaks_shrinks_to_the_shortest_that_still_does() {
        let as_generated = reported(&READS, 0);
        let (first_broken, before) = as_generated.split_last().expect("a case");
        assert!(
            *first_broken > TOO_OFTEN && before.iter().all(|times| *times < TOO_OFTEN),
            "{as_generated:?}"
        );
        let shrunk = reported(&READS, 400);
        assert_eq!(shrunk, [&*as_generated, &[TOO_OFTEN]].concat());
    }

    #[test]
    fn an_edge_case_that_breaks_shrinks_too() {
        let edge_cases = || vec![whole(0..9).prop_map(|actions| reads(actions.len())).boxed()];
        let property = Property { edge_cases, ..READS };
        assert_eq!(reported(&property, 0), [9]);
        assert_eq!(reported(&property, 400), [9, TOO_OFTEN]);
    }

    #[test]
    fn a_case_that_the_target_ends_is_recorded_if_it_breaks_and_the_property_is_aborted() {
        /// Reads, and a step that fails.
        fn ended(times: usize) -> Scenario {
            let data = serde_json::json!({"no": "such member"});
            reads(times).step(Step::Expect(Expect { status: vec![], data, of: None }))
        }
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let trace = |scenarios| {
            let property = Property { scenarios, ..READS };
            check(&property, &setting(400), &Transcript::in_memory(), runtime.handle())
        };
        let broken = trace(|| Just(TOO_OFTEN).prop_map(ended).boxed());
        assert!(matches!(broken.outcome(), Some(Outcome::Aborted(fault)) if fault.blame == Blame::Target));
        assert_eq!(broken.cases().iter().map(reads_of).collect::<Vec<_>>(), [TOO_OFTEN]);
        let whole = trace(|| Just(1).prop_map(ended).boxed());
        assert!(matches!(whole.outcome(), Some(Outcome::Aborted(_))));
        assert!(!whole.is_property(), "a case that broke nothing and did not complete shows nothing");
    }
}
