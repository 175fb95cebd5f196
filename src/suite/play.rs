//! Playing the selected scenarios, side by side.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::check::{Verdict, evaluate};
use crate::clock::{Clock, Seed, Stopwatch};
use crate::operator::{TargetRequest, Targets};
use crate::property::{Property, Setting, check};
use crate::scenario::{Loaded, RunContext, play_on, without_target};
use crate::transcript::{Outcome, RunStart, ScenarioStart, Trace, Transcript, TranscriptError};

/// What a run needs.
pub struct Run {
    /// What the transcript says of the run.
    pub start: RunStart,
    /// The sanity scenario that the run begins and ends with; none where all of it is a visit.
    pub sanity: Option<Loaded>,
    /// The scenarios.
    pub scenarios: Vec<Loaded>,
    /// Properties, and how many cases of each.
    pub properties: Vec<(&'static Property, u32)>,
    /// How often a case that breaks is made smaller at most.
    pub shrinks: u32,
    /// Where targets come from.
    pub targets: Arc<dyn Targets>,
    /// What the scenarios are played in.
    pub run_context: RunContext,
    /// How many scenarios are played side by side.
    pub jobs: usize,
    /// Where the transcript is written.
    pub transcript: PathBuf,
    /// Becomes true when the run is to end now.
    pub stop: watch::Receiver<bool>,
}

/// Something that happened in a run, for whoever shows its progress.
#[derive(Clone, Debug)]
pub enum Event {
    /// It begins, with so many scenarios.
    Started {
        /// Scenarios, the sanity one counted twice.
        scenarios: usize,
    },
    /// A scenario begins.
    Began {
        /// Its id.
        scenario: String,
    },
    /// A scenario ended.
    Ended {
        /// Its id.
        scenario: String,
        /// How.
        outcome: Outcome,
        /// In real time.
        took: Duration,
    },
}

/// Whoever shows a run's progress.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}

/// A run that could not be played at all: the machine's fault.
#[derive(Debug, Error)]
pub enum Fault {
    /// The transcript can't be written.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// It could be begun and then not be written.
    #[error("the transcript could not be written whole: {0}")]
    Write(String),
}

/// Plays a run to its end, whatever that is. What came of it stands in its transcript.
pub async fn play(run: Run, observer: Arc<dyn Observer>) -> Result<Outcome, Fault> {
    let clock = Clock::system();
    let transcript = Transcript::create(&run.transcript, run.start.clone(), &clock)?;
    observer.event(Event::Started {
        scenarios: run.scenarios.len() + run.properties.len() + 2 * usize::from(run.sanity.is_some()),
    });
    let mut stop = run.stop.clone();
    let outcome = tokio::select! {
        outcome = play_all(&run, &transcript, &observer) => outcome,
        _ = stop.wait_for(|stop| *stop) => Outcome::Interrupted,
    };
    run.targets.close().await;
    transcript.end(outcome.clone(), &clock);
    match transcript.fault() {
        Some(fault) => Err(Fault::Write(fault)),
        None => Ok(outcome),
    }
}

async fn play_all(run: &Run, transcript: &Transcript, observer: &Arc<dyn Observer>) -> Outcome {
    let part = |loaded: &Loaded, run_context: &RunContext| Part {
        loaded: loaded.clone(),
        seed: run.start.seed,
        targets: run.targets.clone(),
        transcript: transcript.clone(),
        run_context: run_context.clone(),
        observer: observer.clone(),
    };
    let mut run_context = run.run_context.clone();
    if let Some(sanity) = &run.sanity {
        let first = part(sanity, &run_context).play().await;
        if first.outcome() != Some(&Outcome::Completed) {
            return first.outcome().cloned().unwrap_or(Outcome::Interrupted);
        }
        // From here on the peers run what the target runs, so that none of them differs unasked.
        run_context.release = run_context.release.or_else(|| first.release());
    }
    let places = Arc::new(Semaphore::new(run.jobs.max(1)));
    // Dropped with this future, and every scenario with it: that is how a run is stopped.
    let mut playing = JoinSet::new();
    for loaded in &run.scenarios {
        let (part, places) = (part(loaded, &run_context), places.clone());
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            part.play().await
        });
    }
    for (property, cases) in &run.properties {
        let checked = Checked {
            property,
            setting: setting(run, *cases, &run_context),
            transcript: transcript.clone(),
            observer: observer.clone(),
        };
        let places = places.clone();
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            checked.play().await
        });
    }
    while playing.join_next().await.is_some() {}
    let Some(sanity) = &run.sanity else { return Outcome::Completed };
    let again = Loaded { id: format!("{} again", sanity.id), ..sanity.clone() };
    let last = part(&again, &run_context).play().await;
    last.outcome().cloned().unwrap_or(Outcome::Interrupted)
}

fn setting(run: &Run, cases: u32, run_context: &RunContext) -> Setting {
    Setting {
        targets: run.targets.clone(),
        seed: run.start.seed,
        cases,
        shrinks: run.shrinks,
        run_context: run_context.clone(),
        words: super::words(),
        breaks,
    }
}

/// One property of a run.
struct Checked {
    property: &'static Property,
    setting: Setting,
    transcript: Transcript,
    observer: Arc<dyn Observer>,
}

impl Checked {
    async fn play(self) -> Trace {
        let took = Stopwatch::start();
        let scenario = self.property.trace();
        self.observer.event(Event::Began { scenario: scenario.clone() });
        let handle = tokio::runtime::Handle::current();
        let Self { property, setting, transcript, observer } = self;
        let start = ScenarioStart { source: property.sample().unwrap_or_default(), seed: setting.seed };
        let told = transcript.clone();
        let checked =
            tokio::task::spawn_blocking(move || check(property, &setting, &transcript, &handle)).await;
        // A panic is a fault of the suite's own, and says nothing of the target.
        let trace = checked.unwrap_or_else(|fault| {
            let recorder = told.begin(&scenario, start, Clock::system());
            recorder.end(Outcome::Suite { reason: fault.to_string() })
        });
        let outcome = trace.outcome().cloned().unwrap_or(Outcome::Interrupted);
        observer.event(Event::Ended { scenario, outcome, took: took.elapsed() });
        trace
    }
}

/// Whether a trace breaks what its scenario announces.
fn breaks(loaded: &Loaded, trace: &Trace) -> bool {
    super::planned(trace.scenario(), loaded)
        .iter()
        .any(|check| evaluate(check, Some(trace)).result.verdict == Verdict::Broken)
}

/// One scenario of a run.
struct Part {
    loaded: Loaded,
    seed: Seed,
    targets: Arc<dyn Targets>,
    transcript: Transcript,
    run_context: RunContext,
    observer: Arc<dyn Observer>,
}

impl Part {
    async fn play(self) -> Trace {
        let took = Stopwatch::start();
        self.observer.event(Event::Began { scenario: self.loaded.id.clone() });
        let trace = self.play_on().await;
        let outcome = trace.outcome().cloned().unwrap_or(Outcome::Interrupted);
        let scenario = self.loaded.id.clone();
        self.observer.event(Event::Ended { scenario, outcome, took: took.elapsed() });
        trace
    }

    async fn play_on(&self) -> Trace {
        let request = TargetRequest {
            scenario: &self.loaded.id,
            seed: self.seed,
            alone: self.loaded.scenario.alone,
            durable: self.loaded.scenario.durable,
        };
        match self.targets.lease(request).await {
            Ok(lease) => play_on(&self.loaded, lease, &self.transcript, self.seed, &self.run_context).await,
            Err(error) => self.without_target(&error),
        }
    }

    fn without_target(&self, error: &crate::operator::OperatorError) -> Trace {
        let start =
            ScenarioStart { source: self.loaded.source.clone(), seed: self.seed.derive(&self.loaded.id) };
        let recorder = self.transcript.begin(&self.loaded.id, start, Clock::system());
        recorder.end(without_target(error))
    }
}
