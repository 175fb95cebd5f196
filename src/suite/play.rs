//! Playing the selected scenarios, side by side.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::check::{Verdict, decide};
use crate::clock::{Clock, Seed, Stopwatch};
use crate::operator::{Targets, Wish};
use crate::property::{Property, Setting, check};
use crate::scenario::{Loaded, Surroundings, perform, without_target};
use crate::transcript::{Ending, RunStart, ScenarioStart, Story, Transcript, TranscriptError};

/// What a run needs.
pub struct Run {
    /// What the transcript says of the run.
    pub start: RunStart,
    /// The well-behaved life that the run begins and ends with; none where all of it is a visit.
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
    pub surroundings: Surroundings,
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
        ending: Ending,
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
pub async fn play(run: Run, observer: Arc<dyn Observer>) -> Result<Ending, Fault> {
    let clock = Clock::system();
    let transcript = Transcript::create(&run.transcript, run.start.clone(), &clock)?;
    observer.event(Event::Started {
        scenarios: run.scenarios.len() + run.properties.len() + 2 * usize::from(run.sanity.is_some()),
    });
    let mut stop = run.stop.clone();
    let ending = tokio::select! {
        ending = play_all(&run, &transcript, &observer) => ending,
        _ = stop.wait_for(|stop| *stop) => Ending::Interrupted,
    };
    run.targets.close().await;
    transcript.end(ending.clone(), &clock);
    match transcript.fault() {
        Some(fault) => Err(Fault::Write(fault)),
        None => Ok(ending),
    }
}

async fn play_all(run: &Run, transcript: &Transcript, observer: &Arc<dyn Observer>) -> Ending {
    let part = |loaded: &Loaded, surroundings: &Surroundings| Part {
        loaded: loaded.clone(),
        seed: run.start.seed,
        targets: run.targets.clone(),
        transcript: transcript.clone(),
        surroundings: surroundings.clone(),
        observer: observer.clone(),
    };
    let mut surroundings = run.surroundings.clone();
    if let Some(sanity) = &run.sanity {
        let first = part(sanity, &surroundings).play().await;
        if first.ending() != Some(&Ending::Completed) {
            return first.ending().cloned().unwrap_or(Ending::Interrupted);
        }
        // From here on the peers run what the target runs, so that none of them differs unasked.
        surroundings.release = surroundings.release.or_else(|| first.release());
    }
    let places = Arc::new(Semaphore::new(run.jobs.max(1)));
    // Dropped with this future, and every scenario with it: that is how a run is stopped.
    let mut playing = JoinSet::new();
    for loaded in &run.scenarios {
        let (part, places) = (part(loaded, &surroundings), places.clone());
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            part.play().await
        });
    }
    for (property, cases) in &run.properties {
        let checked = Checked {
            property,
            setting: setting(run, *cases, &surroundings),
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
    let Some(sanity) = &run.sanity else { return Ending::Completed };
    let again = Loaded { id: format!("{} again", sanity.id), ..sanity.clone() };
    let last = part(&again, &surroundings).play().await;
    last.ending().cloned().unwrap_or(Ending::Interrupted)
}

fn setting(run: &Run, cases: u32, surroundings: &Surroundings) -> Setting {
    Setting {
        targets: run.targets.clone(),
        seed: run.start.seed,
        cases,
        shrinks: run.shrinks,
        surroundings: surroundings.clone(),
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
    async fn play(self) -> Story {
        let took = Stopwatch::start();
        let scenario = self.property.story();
        self.observer.event(Event::Began { scenario: scenario.clone() });
        let handle = tokio::runtime::Handle::current();
        let Self { property, setting, transcript, observer } = self;
        let start = ScenarioStart { source: property.sample().unwrap_or_default(), seed: setting.seed };
        let told = transcript.clone();
        let checked =
            tokio::task::spawn_blocking(move || check(property, &setting, &transcript, &handle)).await;
        // A panic is a fault of the suite's own, and says nothing of the target.
        let story = checked.unwrap_or_else(|fault| {
            let recorder = told.begin(&scenario, start, Clock::system());
            recorder.end(Ending::Suite { reason: fault.to_string() })
        });
        let ending = story.ending().cloned().unwrap_or(Ending::Interrupted);
        observer.event(Event::Ended { scenario, ending, took: took.elapsed() });
        story
    }
}

/// Whether a story breaks what its scenario announces.
fn breaks(loaded: &Loaded, story: &Story) -> bool {
    super::declared(story.scenario(), loaded)
        .iter()
        .any(|check| decide(check, Some(story)).judgement.verdict == Verdict::Broken)
}

/// One scenario of a run.
struct Part {
    loaded: Loaded,
    seed: Seed,
    targets: Arc<dyn Targets>,
    transcript: Transcript,
    surroundings: Surroundings,
    observer: Arc<dyn Observer>,
}

impl Part {
    async fn play(self) -> Story {
        let took = Stopwatch::start();
        self.observer.event(Event::Began { scenario: self.loaded.id.clone() });
        let story = self.perform().await;
        let ending = story.ending().cloned().unwrap_or(Ending::Interrupted);
        let scenario = self.loaded.id.clone();
        self.observer.event(Event::Ended { scenario, ending, took: took.elapsed() });
        story
    }

    async fn perform(&self) -> Story {
        let wish = Wish {
            scenario: &self.loaded.id,
            seed: self.seed,
            alone: self.loaded.scenario.alone,
            durable: self.loaded.scenario.durable,
        };
        match self.targets.lease(wish).await {
            Ok(lease) => perform(&self.loaded, lease, &self.transcript, self.seed, &self.surroundings).await,
            Err(error) => self.without_target(&error),
        }
    }

    fn without_target(&self, error: &crate::operator::HandsError) -> Story {
        let start =
            ScenarioStart { source: self.loaded.source.clone(), seed: self.seed.derive(&self.loaded.id) };
        let recorder = self.transcript.begin(&self.loaded.id, start, Clock::system());
        recorder.end(without_target(error))
    }
}
