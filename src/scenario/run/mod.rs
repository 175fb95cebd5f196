//! Playing a scenario against a target.

mod operator;
mod peers;
mod releases;
mod stage;

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
use crate::operator::{HandsError, Lease};
use crate::peer::{PeerError, USUAL_RELEASE, Variation};
use crate::transcript::{Ending, ScenarioStart, Story, Transcript};
use stage::Stage;

/// What a scenario is played in, whichever it is.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The address that the peers listen on.
    pub listen: IpAddr,
    /// The address that they advertise, where that is another; its port is theirs.
    pub advertise: Option<Url>,
    /// How long a finding, an event or a notice that is due is waited for.
    pub patience: Duration,
    /// What the peers read at most.
    pub limits: Limits,
    /// The time between two calls of the peers at least; none is as fast as they can.
    pub pace: Option<Duration>,
    /// How the peers use their freedom; none draws it by seed.
    pub variation: Option<Variation>,
    /// The release that the peers run, but for those that say another. None is the target's, as it
    /// tells it in the run's well-behaved life, or else the usual one.
    pub release: Option<Version>,
}

impl Surroundings {
    /// The release that the peers run.
    #[must_use]
    pub fn release(&self) -> &Version {
        self.release.as_ref().unwrap_or(&USUAL_RELEASE)
    }
}

/// Why a scenario could not go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// The target did not do what the scenario needs.
    Target(String),
    /// The hands, or the machine behind them.
    Hands(HandsError),
    /// A peer, or the machine behind it.
    Peer(PeerError),
    /// The scenario itself is at fault.
    Scenario(String),
}

/// Plays a scenario to its end, whatever that is, and gives its story. `seed` is the run's.
pub async fn perform(
    loaded: &Loaded,
    lease: Lease,
    transcript: &Transcript,
    seed: Seed,
    surroundings: &Surroundings,
) -> Story {
    let seed = seed.derive(&loaded.id);
    let start = ScenarioStart { source: loaded.source.clone(), seed };
    let recorder = transcript.begin(&loaded.id, start, lease.clock.clone());
    let mut ender = Ender { recorder: recorder.clone(), ended: false };
    let mut stage = Stage::new(&loaded.scenario, lease, recorder, seed, surroundings);
    let ending = match stage.play(&loaded.scenario).await {
        Ok(()) => Ending::Completed,
        Err((step, halt)) => halt.ending(step),
    };
    stage.clear().await;
    ender.end(ending)
}

/// Ends the story, also where the future that plays it is dropped.
struct Ender {
    recorder: crate::transcript::Recorder,
    ended: bool,
}

impl Ender {
    fn end(&mut self, ending: Ending) -> Story {
        self.ended = true;
        self.recorder.end(ending)
    }
}

impl Drop for Ender {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.recorder.end(Ending::Interrupted);
        }
    }
}

impl Halt {
    fn ending(self, step: u32) -> Ending {
        let at = |reason: &str| at_step(step, reason);
        match self {
            Self::Target(reason) => Ending::Target { reason: at(&reason) },
            Self::Scenario(reason) => Ending::Suite { reason: at(&reason) },
            Self::Peer(error) => Ending::Environment { reason: at(&error.to_string()) },
            Self::Hands(error) => hands_ending(&error, step),
        }
    }
}

/// How a story ends for which there was no target, for want of hands.
#[must_use]
pub fn without_target(error: &HandsError) -> Ending {
    hands_ending(error, 0)
}

fn hands_ending(error: &HandsError, step: u32) -> Ending {
    let reason = at_step(step, &error.to_string());
    match error {
        HandsError::Unsupported { verb } => Ending::Unsupported { verb: verb.clone() },
        HandsError::Refused { .. } => Ending::Target { reason },
        HandsError::Adapter { .. } => Ending::Adapter { reason },
        HandsError::Environment { .. } => Ending::Environment { reason },
    }
}

/// Step 0 is before the first.
fn at_step(step: u32, reason: &str) -> String {
    if step == 0 { reason.to_owned() } else { format!("step {step}: {reason}") }
}

impl From<HandsError> for Halt {
    fn from(error: HandsError) -> Self {
        Self::Hands(error)
    }
}

impl From<Unfilled> for Halt {
    fn from(unfilled: Unfilled) -> Self {
        match unfilled {
            Unfilled::Scenario(reason) => Self::Scenario(reason),
            Unfilled::Target(reason) => Self::Target(reason),
        }
    }
}

impl From<PeerError> for Halt {
    fn from(error: PeerError) -> Self {
        Self::Peer(error)
    }
}

/// The steps of a scenario with their numbers, from 1.
fn numbered(steps: &[Spanned<Step>]) -> impl Iterator<Item = (u32, &Step)> {
    (1..).zip(steps.iter().map(Spanned::get_ref))
}
