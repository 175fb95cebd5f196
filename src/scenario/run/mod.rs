//! Playing a scenario against a target.

mod operator;
mod peers;
mod releases;
mod runner;

use std::net::IpAddr;
use std::time::Duration;

use semver::Version;
use toml::Spanned;
use url::Url;

use super::format::Step;
use super::load::Loaded;
use super::values::Unfilled;
use crate::clock::Seed;
use crate::net::Limits;
use crate::operator::{Lease, OperatorError};
use crate::peer::{DEFAULT_RELEASE, PeerError, PermittedChoices};
use crate::transcript::{Outcome, ScenarioStart, Trace, Transcript};
use runner::ScenarioRunner;

/// What a scenario is played in, whichever it is.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The address that the peers listen on.
    pub listen: IpAddr,
    /// The address that they advertise, where that is another; its port is theirs.
    pub advertise: Option<Url>,
    /// How long a finding, an event or a notice that is due is waited for.
    pub poll_timeout: Duration,
    /// What the peers read at most.
    pub limits: Limits,
    /// The time between two calls of the peers at least; none is as fast as they can.
    pub pace: Option<Duration>,
    /// How the peers use their freedom; none draws it by seed.
    pub permitted_choices: Option<PermittedChoices>,
    /// The release that the peers run, but for those that say another. None is the target's, as it
    /// tells it in the run's sanity scenario, or else the default one.
    pub release: Option<Version>,
}

impl RunContext {
    /// The release that the peers run.
    #[must_use]
    pub fn release(&self) -> &Version {
        self.release.as_ref().unwrap_or(&DEFAULT_RELEASE)
    }
}

/// Why a scenario could not go on.
#[derive(Debug)]
pub(super) enum StepError {
    /// The target did not do what the scenario needs.
    Target(String),
    /// The operator, or the machine behind them.
    OperatorClient(OperatorError),
    /// A peer, or the machine behind it.
    Peer(PeerError),
    /// The scenario itself is at fault.
    Scenario(String),
}

/// Plays a scenario to its end, whatever that is, and gives its trace. `seed` is the run's.
pub async fn play_on(
    loaded: &Loaded,
    lease: Lease,
    transcript: &Transcript,
    seed: Seed,
    run_context: &RunContext,
) -> Trace {
    let seed = seed.derive(&loaded.id);
    let start = ScenarioStart { source: loaded.source.clone(), seed };
    let recorder = transcript.begin(&loaded.id, start, lease.clock.clone());
    let mut ender = EndGuard { recorder: recorder.clone(), ended: false };
    let mut stage = ScenarioRunner::new(&loaded.scenario, lease, recorder, seed, run_context);
    let outcome = match stage.play(&loaded.scenario).await {
        Ok(()) => Outcome::Completed,
        Err((step, step_error)) => step_error.outcome(step),
    };
    stage.clear().await;
    ender.end(outcome)
}

/// Ends the trace, also where the future that plays it is dropped.
struct EndGuard {
    recorder: crate::transcript::Recorder,
    ended: bool,
}

impl EndGuard {
    fn end(&mut self, outcome: Outcome) -> Trace {
        self.ended = true;
        self.recorder.end(outcome)
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.recorder.end(Outcome::Interrupted);
        }
    }
}

impl StepError {
    fn outcome(self, step: u32) -> Outcome {
        let at = |reason: &str| at_step(step, reason);
        match self {
            Self::Target(reason) => Outcome::Target { reason: at(&reason) },
            Self::Scenario(reason) => Outcome::Suite { reason: at(&reason) },
            Self::Peer(error) => Outcome::Environment { reason: at(&error.to_string()) },
            Self::OperatorClient(error) => operator_outcome(&error, step),
        }
    }
}

/// How a trace ends for which there was no target, for want of operator.
#[must_use]
pub fn without_target(error: &OperatorError) -> Outcome {
    operator_outcome(error, 0)
}

fn operator_outcome(error: &OperatorError, step: u32) -> Outcome {
    let reason = at_step(step, &error.to_string());
    match error {
        OperatorError::Unsupported { method } => Outcome::Unsupported { method: method.clone() },
        OperatorError::Refused { .. } => Outcome::Target { reason },
        OperatorError::Adapter { .. } => Outcome::Adapter { reason },
        OperatorError::Environment { .. } => Outcome::Environment { reason },
    }
}

/// Step 0 is before the first.
fn at_step(step: u32, reason: &str) -> String {
    if step == 0 { reason.to_owned() } else { format!("step {step}: {reason}") }
}

impl From<OperatorError> for StepError {
    fn from(error: OperatorError) -> Self {
        Self::OperatorClient(error)
    }
}

impl From<Unfilled> for StepError {
    fn from(unfilled: Unfilled) -> Self {
        match unfilled {
            Unfilled::Scenario(reason) => Self::Scenario(reason),
            Unfilled::Target(reason) => Self::Target(reason),
        }
    }
}

impl From<PeerError> for StepError {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

/// The steps of a scenario with their numbers, from 1.
fn numbered(steps: &[Spanned<Step>]) -> impl Iterator<Item = (u32, &Step)> {
    (1..).zip(steps.iter().map(Spanned::get_ref))
}
