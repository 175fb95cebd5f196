//! Plays the selected scenarios in parallel.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use serde_json::json;

use super::contract_text::find;
use super::tasks::{Checked, Ended, Part, Reporting};
use super::{Event, Observer, property_case, spoken, way_back};
use crate::check::{Evaluation, Verdict, evaluate};
use crate::clock::{Clock, Stopwatch};
use crate::contract::{Basis, HeldText, TextSource};
use crate::operator::platform::Describe;
use crate::operator::{Description, OperatorError, OperatorMethod, TargetRequest, Targets};
use crate::property::{Property, Setting};
use crate::scenario::{Loaded, RunContext};
use crate::transcript::{Outcome, RunStart, Trace, Transcript};
use crate::{Blame, Fault, Stage};

/// The name of the lease in which the operator client describes itself.
const DESCRIPTION: &str = "stages/description";
/// The time between two looks for a fault of the environment.
const FAULT_INTERVAL: Duration = Duration::from_millis(100);

/// The parts of a run.
pub struct Run {
    /// The run's entry in the transcript. The contract text is filled in when it is found.
    pub start: RunStart,
    /// The contract text that the target is held to. `None` finds it before the first accept.
    pub contract: Option<HeldText>,
    /// The scenarios of the stages, the handshake first. An authenticated audit has none.
    pub stages: Vec<Loaded>,
    /// The scenarios to play.
    pub scenarios: Vec<Loaded>,
    /// The properties, with the number of cases of each.
    pub properties: Vec<(&'static Property, u32)>,
    /// The maximum number of shrinking steps for a case that breaks.
    pub shrinks: u32,
    /// The number of times that a scenario with a broken check is played again.
    pub retries: u32,
    /// The source of targets.
    pub targets: Arc<dyn Targets>,
    /// The run context of the scenarios.
    pub run_context: RunContext,
    /// The number of scenarios that run in parallel.
    pub jobs: usize,
    /// The bases whose first broken check ends the run. Empty: no breach ends it.
    pub fail_fast: BTreeSet<Basis>,
    /// The time that the run may take; `None` for as long as it takes.
    pub deadline: Option<Deadline>,
    /// The path of the transcript.
    pub transcript: PathBuf,
    /// The stop signal: becomes true to end the run.
    pub stop: watch::Receiver<bool>,
}

/// The time that a run may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The time, from the begin of the run.
    pub after: Duration,
    /// The time as the user gave it.
    pub text: String,
}

impl Deadline {
    /// Returns the outcome of a run when its time is over. Without a deadline it never is.
    async fn over(deadline: Option<&Self>, since: Stopwatch) -> Outcome {
        let Some(Self { after, text }) = deadline else { return std::future::pending().await };
        let left = after.saturating_sub(since.elapsed());
        let _ = tokio::time::timeout(left, std::future::pending::<()>()).await;
        Outcome::EndedAtDeadline { deadline: text.clone() }
    }
}

/// Plays a run and returns its outcome. The transcript holds the results. An error is a fault of the
/// environment: the transcript could not be written, or the machine lacks something.
pub async fn play(run: Run, observer: Arc<dyn Observer>) -> Result<Outcome, Fault> {
    play_and_keep(run, observer).await.outcome
}

/// A run that was played.
#[derive(Debug)]
pub struct Played {
    /// The outcome, as [`play`] returns it.
    pub outcome: Result<Outcome, Fault>,
    /// The transcript, whose file may be gone. `None` if it could not be created.
    pub transcript: Option<Transcript>,
}

/// Plays a run as [`play`] does, and keeps the transcript open, so that what was evaluated before a fault can be read.
pub async fn play_and_keep(mut run: Run, observer: Arc<dyn Observer>) -> Played {
    let (clock, since) = (Clock::system(), Stopwatch::start());
    let began = clock.now();
    // On a task of its own, so that no work of the run is taken for a pause.
    let mut watching = JoinSet::new();
    let pauses = run.run_context.pauses.clone();
    watching.spawn(async move { pauses.watch().await });
    let held = contract_text(&run, since).await;
    run.go_by(&held);
    observer.event(Event::ContractText(held));
    let transcript = match Transcript::create_of(&run.transcript, run.start.clone(), began) {
        Ok(transcript) => transcript,
        Err(error) => return Played { outcome: Err(Fault::of_environment(&error)), transcript: None },
    };
    observer.event(Event::Started {
        scenarios: run.scenarios.len() + run.properties.len() + run.stages.len() + run.stages.len().min(1),
    });
    let mut stop = run.stop.clone();
    let outcome = tokio::select! {
        outcome = play_all(&run, &transcript, &observer) => outcome,
        _ = stop.wait_for(|stop| *stop) => Outcome::Interrupted,
        over = Deadline::over(run.deadline.as_ref(), since) => over,
        fault = fault(&transcript) => fault.into(),
    };
    run.targets.close().await;
    transcript.end(outcome.clone(), &clock);
    let outcome = fault_of(&transcript).map_or(Ok(outcome), Err);
    Played { outcome, transcript: Some(transcript) }
}

/// Returns when the environment has failed: nothing that is played afterwards counts.
async fn fault(transcript: &Transcript) -> Fault {
    let mut ticks = tokio::time::interval(FAULT_INTERVAL);
    loop {
        ticks.tick().await;
        if let Some(fault) = fault_of(transcript) {
            return fault;
        }
    }
}

fn fault_of(transcript: &Transcript) -> Option<Fault> {
    let unwritten = transcript.fault().map(|why| format!("the transcript could not be written whole: {why}"));
    unwritten.or_else(|| transcript.shortage()).map(Fault::environment)
}

/// Returns the contract text of the run. A run that is stopped meanwhile has none.
async fn contract_text(run: &Run, since: Stopwatch) -> HeldText {
    if let Some(held) = &run.contract {
        return held.clone();
    }
    let mut stop = run.stop.clone();
    tokio::select! {
        held = find(&run.targets, run.start.seed, &run.run_context) => held,
        _ = stop.wait_for(|stop| *stop) => HeldText::unknown(TextSource::Nothing),
        _ = Deadline::over(run.deadline.as_ref(), since) => HeldText::unknown(TextSource::Nothing),
    }
}

async fn play_all(run: &Run, transcript: &Transcript, observer: &Arc<dyn Observer>) -> Outcome {
    let mut run_context = run.run_context.clone();
    let observed = observer.clone();
    run_context.real_time.announcer =
        Some(Arc::new(move |text: &str| observed.event(Event::Waiting { text: text.to_owned() })));
    let mut session = Session {
        run,
        transcript,
        observer,
        run_context,
        places: Arc::new(Semaphore::new(run.jobs.max(1))),
        failed_stages: BTreeMap::new(),
    };
    let Some((handshake, stages)) = run.stages.split_first() else {
        return session.play_scenarios().await.unwrap_or(Outcome::Completed);
    };
    let Ended { trace: first, checks } = session.part(handshake).play().await;
    if first.outcome() != Some(&Outcome::Completed) {
        return first.outcome().cloned().unwrap_or(Outcome::Interrupted);
    }
    if let Some(ended) = session.ended_by(&checks) {
        return ended;
    }
    // The peers of all later scenarios report the release of the target, so that none differs by accident,
    // unless the user gave them another.
    session.run_context.target_release = session.run_context.target_release.or_else(|| first.release());
    session.run_context.release = session.run_context.release.or_else(|| first.release());
    let tried = session.try_stages(stages).await;
    if let Some(ended) = tried.iter().find_map(|stage| session.ended_by(&stage.checks)) {
        return ended;
    }
    let mut tried: Vec<Trace> = tried.into_iter().map(|stage| stage.trace).chain([first]).collect();
    let described = description(run).await.unwrap_or_default();
    session.run_context.spoken = spoken::find(&described, &tried);
    if let Some(heard) = spoken::listen(run, &session.run_context, transcript).await {
        tried.push(heard);
        session.run_context.spoken = spoken::find(&described, &tried);
    }
    session.run_context.way_back =
        way_back::find(run, &session.run_context, &described, &tried, transcript).await;
    if let Some(ended) = session.play_scenarios().await {
        return ended;
    }
    let again = Loaded { id: format!("{} again", handshake.id), ..handshake.clone() };
    let last = session.part(&again).play().await.trace;
    last.outcome().cloned().unwrap_or(Outcome::Interrupted)
}

/// Asks the operator client to describe itself.
async fn description(run: &Run) -> Result<Description, OperatorError> {
    let seed = run.start.seed;
    let request = TargetRequest { scenario: DESCRIPTION, seed, alone: false, durable: false };
    let lease = run.targets.lease(request).await?;
    let described = lease.operator.call(Describe::METHOD, json!({})).await?;
    Description::read(&described)
}

/// A run that is being played.
struct Session<'a> {
    run: &'a Run,
    transcript: &'a Transcript,
    observer: &'a Arc<dyn Observer>,
    run_context: RunContext,
    places: Arc<Semaphore>,
    /// The stages that failed on this target, with the reason.
    failed_stages: BTreeMap<Stage, String>,
}

impl Session<'_> {
    /// Tries the stages that the run needs, and returns what they showed.
    async fn try_stages(&mut self, stages: &[Loaded]) -> Vec<Ended> {
        let mut tried = Vec::new();
        let mut playing = JoinSet::new();
        for loaded in stages {
            let (stage, part) = (loaded.scenario.stage, self.part(loaded));
            let places = self.places.clone();
            playing.spawn(async move {
                let _place = places.acquire_owned().await;
                (stage, part.play().await)
            });
        }
        while let Some(played) = playing.join_next().await {
            let Ok((Some(stage), ended)) = played else { continue };
            // A missing method or another failure shows in each scenario that meets it.
            if let Some(Outcome::Aborted(fault)) =
                ended.trace.outcome().filter(|outcome| is_of_target(outcome))
            {
                self.failed_stages.insert(stage, fault.to_string());
            }
            tried.push(ended);
        }
        tried.sort_by(|one, other| one.trace.scenario().cmp(other.trace.scenario()));
        tried
    }

    /// Plays the scenarios and the properties side by side. Returns the outcome of the run if a breach ended it.
    async fn play_scenarios(&self) -> Option<Outcome> {
        // Dropping this future drops every scenario, which stops the run.
        let mut playing = JoinSet::new();
        for loaded in &self.run.scenarios {
            let (part, blocked, places) = (self.part(loaded), self.blocked(loaded), self.places.clone());
            playing.spawn(async move {
                let _place = places.acquire_owned().await;
                match blocked {
                    Some(outcome) => part.leave_out(outcome),
                    None => part.play().await,
                }
            });
        }
        for (property, cases) in &self.run.properties {
            let checked = Checked {
                property,
                setting: self.setting(property, *cases),
                retries: self.run.retries,
                transcript: self.transcript.clone(),
                report: self.report(),
            };
            let blocked = property_case(&property.trace()).and_then(|case| self.blocked(&case));
            let places = self.places.clone();
            playing.spawn(async move {
                let _place = places.acquire_owned().await;
                match blocked {
                    Some(outcome) => checked.leave_out(outcome),
                    None => checked.play().await,
                }
            });
        }
        while let Some(played) = playing.join_next().await {
            let ended = played.ok().and_then(|played| self.ended_by(&played.checks));
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// Returns the outcome of a run that a scenario ends, because a check that counts is broken.
    fn ended_by(&self, checks: &[Evaluation]) -> Option<Outcome> {
        let counts = |one: &&Evaluation| self.run.fail_fast.contains(&one.check.basis);
        let mut broken = checks.iter().filter(|one| one.result.verdict == Verdict::Broken);
        let check = broken.find(counts)?.check.id.clone();
        Some(Outcome::EndedAtBreach { check })
    }

    /// Returns the outcome of a scenario that needs a stage which failed.
    fn blocked(&self, loaded: &Loaded) -> Option<Outcome> {
        let mut needs = loaded.scenario.needs().into_iter();
        let (stage, reason) =
            needs.find_map(|stage| Some((stage, self.failed_stages.get(&stage)?.clone())))?;
        Some(Outcome::Blocked { stage, reason })
    }

    fn part(&self, loaded: &Loaded) -> Part {
        Part {
            loaded: loaded.clone(),
            seed: self.run.start.seed,
            targets: self.run.targets.clone(),
            transcript: self.transcript.clone(),
            run_context: self.run_context.clone(),
            retries: self.run.retries,
            report: self.report(),
        }
    }

    fn setting(&self, property: &Property, cases: u32) -> Setting {
        let (observer, scenario) = (self.observer.clone(), property.trace());
        Setting {
            targets: self.run.targets.clone(),
            seed: self.run.start.seed,
            cases,
            shrinks: self.run.shrinks,
            retry: 0,
            run_context: self.run_context.clone(),
            breaks,
            on_case: Arc::new(move |progress| {
                observer.event(Event::Case { scenario: scenario.clone(), progress });
            }),
        }
    }

    fn report(&self) -> Reporting {
        Reporting { observer: self.observer.clone(), contract: self.run.start.contract.clone() }
    }
}

fn is_of_target(outcome: &Outcome) -> bool {
    outcome.blame() == Some(Blame::Target)
}

/// Returns true if a trace breaks a planned check of its scenario.
fn breaks(loaded: &Loaded, trace: &Trace) -> bool {
    super::planned(trace.scenario(), loaded)
        .iter()
        .any(|check| evaluate(check, Some(trace)).result.verdict == Verdict::Broken)
}
