//! The tasks of a run: a scenario or a property, played until no further play is due.

use std::sync::Arc;
use std::time::Duration;

use super::evaluate::evaluations;
use super::retries::Plays;
use super::{Event, Observer, property_case};
use crate::Fault;
use crate::check::Evaluation;
use crate::clock::{Clock, Seed, Stopwatch};
use crate::contract::HeldText;
use crate::operator::Targets;
use crate::property::{Property, Setting, check};
use crate::scenario::{Loaded, RunContext, play_scenario, trace_name};
use crate::transcript::{Outcome, ScenarioStart, Trace, Transcript};

/// A scenario or a property that ended: the trace of its first play, and its checks as all plays show them.
pub(super) struct Ended {
    pub(super) trace: Trace,
    pub(super) checks: Vec<Evaluation>,
}

/// Reports to the observer of a run what happens.
#[derive(Clone)]
pub(super) struct Reporting {
    pub(super) observer: Arc<dyn Observer>,
    pub(super) contract: HeldText,
}

impl Reporting {
    fn began(&self, scenario: &str) {
        self.observer.event(Event::Began { scenario: scenario.to_owned() });
    }

    /// Evaluates the checks of a play.
    fn evaluated(&self, loaded: Option<&Loaded>, trace: &Trace) -> Vec<Evaluation> {
        loaded.map(|loaded| evaluations(loaded, trace, &self.contract)).unwrap_or_default()
    }

    /// Reports the end of a scenario, with its checks.
    fn ended(&self, trace: Trace, checks: Vec<Evaluation>, took: Duration) -> Ended {
        let outcome = trace.outcome().cloned().unwrap_or(Outcome::Interrupted);
        let scenario = trace.scenario().to_owned();
        self.observer.event(Event::Ended { scenario, outcome, checks: checks.clone(), took });
        Ended { trace, checks }
    }
}

/// The task of one property.
pub(super) struct Checked {
    pub(super) property: &'static Property,
    pub(super) setting: Setting,
    pub(super) retries: u32,
    pub(super) transcript: Transcript,
    pub(super) report: Reporting,
}

impl Checked {
    /// Records that the property was not checked.
    pub(super) fn leave_out(self, outcome: Outcome) -> Ended {
        let source = self.property.sample().unwrap_or_default();
        let start = ScenarioStart { source, seed: self.setting.seed };
        let id = self.property.trace();
        let trace = self.transcript.begin(&id, start, Clock::system()).end(outcome);
        let checks = self.report.evaluated(property_case(&id).as_ref(), &trace);
        self.report.ended(trace, checks, Duration::ZERO)
    }

    pub(super) async fn play(self) -> Ended {
        let took = Stopwatch::start();
        let scenario = self.property.trace();
        self.report.began(&scenario);
        let case = property_case(&scenario);
        let first = self.play_once(0).await;
        let mut plays = Plays::new(self.report.evaluated(case.as_ref(), &first));
        while let Some(retry) = plays.next(self.retries) {
            let trace = self.play_once(retry).await;
            plays.add(self.report.evaluated(case.as_ref(), &trace));
        }
        self.report.ended(first, plays.merged(), took.elapsed())
    }

    /// Plays all cases. A further play looks for no shortest case: the first one found it.
    async fn play_once(&self, retry: u32) -> Trace {
        let Self { property, transcript, .. } = self;
        let (property, reported) = (*property, transcript.clone());
        let shrinks = if retry == 0 { self.setting.shrinks } else { 0 };
        let setting = Setting { shrinks, retry, ..self.setting.clone() };
        let start = ScenarioStart { source: property.sample().unwrap_or_default(), seed: setting.seed };
        let handle = tokio::runtime::Handle::current();
        let checked =
            tokio::task::spawn_blocking(move || check(property, &setting, &reported, &handle)).await;
        // A panic is an internal error and proves nothing about the target.
        checked.unwrap_or_else(|fault| {
            let recorder = transcript.begin(&trace_name(&property.trace(), retry), start, Clock::system());
            recorder.end(Fault::suite(fault.to_string()).into())
        })
    }
}

/// The task of one scenario.
pub(super) struct Part {
    pub(super) loaded: Loaded,
    pub(super) seed: Seed,
    pub(super) targets: Arc<dyn Targets>,
    pub(super) transcript: Transcript,
    pub(super) run_context: RunContext,
    pub(super) retries: u32,
    pub(super) report: Reporting,
}

impl Part {
    /// Records that the scenario was not played.
    pub(super) fn leave_out(self, outcome: Outcome) -> Ended {
        let start =
            ScenarioStart { source: self.loaded.source.clone(), seed: self.seed.derive(&self.loaded.id) };
        let trace = self.transcript.begin(&self.loaded.id, start, Clock::system()).end(outcome);
        let checks = self.report.evaluated(Some(&self.loaded), &trace);
        self.report.ended(trace, checks, Duration::ZERO)
    }

    pub(super) async fn play(mut self) -> Ended {
        let took = Stopwatch::start();
        self.report.began(&self.loaded.id);
        let first = self.play_once().await;
        let mut plays = Plays::new(self.report.evaluated(Some(&self.loaded), &first));
        while let Some(retry) = plays.next(self.retries) {
            self.loaded.retry = retry;
            let trace = self.play_once().await;
            plays.add(self.report.evaluated(Some(&self.loaded), &trace));
        }
        self.report.ended(first, plays.merged(), took.elapsed())
    }

    async fn play_once(&self) -> Trace {
        let Self { loaded, seed, targets, transcript, run_context, .. } = self;
        play_scenario(loaded, targets.as_ref(), transcript, *seed, run_context).await
    }
}
