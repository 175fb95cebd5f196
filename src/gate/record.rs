//! Plays the scenarios of the gate against a release, and records what it sent and accepted.

use std::sync::Arc;

use semver::Version;
use thiserror::Error;
use tokio::sync::watch;

use super::merge::merged;
use super::paired::PairError;
use super::recording::{FORMAT, LeftOut, Recorded, Recording};
use super::scenarios::{SCENARIOS, scenarios_sha256};
use super::template::Template;
use crate::clock::{Clock, Seed};
use crate::contract::HeldText;
use crate::peer::PermittedChoices;
use crate::runner::{HANDSHAKE, Observer, Plan, RunError, Selection, play};
use crate::scenario::LibraryError;
use crate::transcript::{Outcome, RunStart, Trace, read};
use crate::{Blame, Fault};

/// The seeds of the two plays of a recording. What differs between them differs by nature.
const SEEDS: [Seed; 2] = [Seed(1), Seed(2)];

/// The seed of a comparison, unless the user names one.
pub const SEED: Seed = Seed(1);

/// The part of the scenarios of the gate that is played.
#[derive(Clone, Debug, Default)]
pub enum Part {
    /// Every scenario of the gate.
    #[default]
    Whole,
    /// The scenarios with these ids.
    Only(Vec<String>),
}

/// An error that occurs when a release is played.
#[derive(Debug, Error)]
pub enum GateError {
    /// The run could not be prepared, played or read back.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The scenarios are invalid.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The release could not be evaluated.
    #[error("the target cannot be played: no peer could federate with it")]
    Unreached(#[source] Fault),
    /// Two platforms could not be played.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The two releases never federated, and nothing says which of them is to blame.
    #[error("the two never federated, so nothing is compared: {why}")]
    NotPaired {
        /// The step that was not done.
        why: String,
    },
    /// A scenario ended by a failure that is not the target's.
    #[error(
        "{scenario} ended by a failure that is not the target's, so the release is not recorded; remove its cause and record again"
    )]
    Failed {
        /// The id of the scenario.
        scenario: String,
        /// The failure.
        #[source]
        fault: Fault,
    },
    /// No scenario was recorded.
    #[error("no scenario completed in both plays, so nothing is recorded; the first: {why}")]
    NothingRecorded {
        /// Why the first scenario was left out.
        why: String,
    },
    /// The target discloses no release.
    #[error(
        "the target discloses no release (1.3), so it is unknown what to hold it to; name it with --release VERSION"
    )]
    NoRelease,
    /// The old release of a pair discloses none.
    #[error(
        "the old release discloses none (1.3), so it is unknown what the new one is held to; start one that discloses its \
         release, or name that of the embedded reference: reference:1.4.2"
    )]
    OldUnknown,
    /// The target is another release than the user names.
    #[error(
        "--release {named}: the target discloses {disclosed}; start that release, or name the one that it is"
    )]
    OtherRelease {
        /// The release that the user names.
        named: Version,
        /// The release that the target discloses.
        disclosed: Version,
    },
}

/// One play of a release.
#[derive(Debug)]
pub struct Play {
    /// The first entry of its transcript.
    pub start: RunStart,
    /// The release that the target disclosed in the handshake.
    pub release: Option<Version>,
    /// The trace of the handshake, which a run plays first.
    pub handshake: Option<Trace>,
    /// The scenarios that were played, each with its outcome and its exchanges.
    pub scenarios: Vec<Scene>,
}

/// A scenario that was played.
#[derive(Debug)]
pub struct Scene {
    /// The id of the scenario.
    pub id: String,
    /// The way in which it ended.
    pub outcome: Outcome,
    /// Its exchanges.
    pub exchanges: Vec<Template>,
}

/// Plays the scenarios of the gate. Each peer makes its plainest choices, so that only the seed differs between two
/// plays.
pub async fn play_release(
    plan: &Plan,
    seed: Seed,
    part: &Part,
    observer: Arc<dyn Observer>,
) -> Result<Play, GateError> {
    let ids: Vec<String> = match part {
        Part::Whole => SCENARIOS.iter().map(|id| (*id).to_owned()).collect(),
        Part::Only(ids) => ids.clone(),
    };
    let mut plan = plan.clone();
    plan.seed = seed;
    plan.cases = 0;
    plan.selection = Selection::new(&ids, &[]).map_err(RunError::from)?;
    plan.run_context.permitted_choices = Some(PermittedChoices::plain());
    let folder = tempfile::tempdir().map_err(|error| RunError::Fault(Fault::of_environment(&error)))?;
    let transcript = folder.path().join("transcript.jsonl");
    let (_running, stop) = watch::channel(false);
    let run = plan.prepare(transcript.clone(), stop)?;
    play(run, observer).await.map_err(RunError::from)?;
    let reading = read(&transcript).map_err(RunError::from)?;
    let scenarios = reading.traces().filter(|trace| SCENARIOS.contains(&trace.scenario()));
    let scenarios: Vec<Scene> = scenarios.map(|trace| scene(&trace)).collect();
    let handshake = reading.trace(HANDSHAKE);
    Ok(Play {
        start: reading.start.clone(),
        release: handshake.as_ref().and_then(Trace::release),
        handshake,
        scenarios,
    })
}

fn scene(trace: &Trace) -> Scene {
    Scene {
        id: trace.scenario().to_owned(),
        outcome: trace.outcome().cloned().unwrap_or(Outcome::Interrupted),
        exchanges: Template::all(trace),
    }
}

impl Play {
    /// Returns the release of the target: that which it discloses, and which must be the one that the user names.
    pub fn release(&self, named: Option<&Version>) -> Result<Version, GateError> {
        match (&self.release, named) {
            (Some(disclosed), Some(named)) if disclosed != named => {
                Err(GateError::OtherRelease { named: named.clone(), disclosed: disclosed.clone() })
            }
            (Some(release), _) | (None, Some(release)) => Ok(release.clone()),
            (None, None) => Err(self.unreached().map_or(GateError::NoRelease, GateError::Unreached)),
        }
    }

    /// Returns the fault that ended the handshake; `None` if it completed.
    #[must_use]
    pub fn unreached(&self) -> Option<Fault> {
        let handshake = self.scenarios.iter().find(|scene| scene.id == HANDSHAKE)?;
        match &handshake.outcome {
            Outcome::Completed => None,
            Outcome::Aborted(fault) => Some(fault.clone()),
            other => Some(Fault::environment(format!("the handshake did not complete: {other:?}"))),
        }
    }

    fn contract(&self) -> HeldText {
        self.start.contract.clone()
    }
}

/// Records a release: plays it twice, and keeps what both plays have.
pub async fn record(
    plan: &Plan,
    named: Option<&Version>,
    part: &Part,
    observer: Arc<dyn Observer>,
) -> Result<Recording, GateError> {
    let first = play_release(plan, SEEDS[0], part, observer.clone()).await?;
    if let Some(fault) = first.unreached() {
        return Err(GateError::Unreached(fault));
    }
    let release = first.release(named)?;
    let second = play_release(plan, SEEDS[1], part, observer).await?;
    if let Some(fault) = second.unreached() {
        return Err(GateError::Unreached(fault));
    }
    for scene in first.scenarios.iter().chain(&second.scenarios) {
        if let Outcome::Aborted(fault) = &scene.outcome
            && fault.blame != Blame::Target
        {
            return Err(GateError::Failed { scenario: scene.id.clone(), fault: fault.clone() });
        }
    }
    let (contract, target) = (first.contract(), first.start.target.clone());
    let mut recording = Recording {
        format: FORMAT,
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        scenarios_sha256: scenarios_sha256()?,
        release,
        contract,
        target,
        recorded_at: Clock::system().now(),
        scenarios: vec![],
        left_out: vec![],
        sha256: String::new(),
    };
    for scene in first.scenarios {
        let again = second.scenarios.iter().find(|other| other.id == scene.id);
        let outcome_again = again.map_or(&Outcome::Interrupted, |again| &again.outcome);
        let cut = [&scene.outcome, outcome_again].into_iter().find(|outcome| **outcome != Outcome::Completed);
        if let Some(cut) = cut {
            recording.left_out.push(LeftOut { why: why(cut), id: scene.id });
            continue;
        }
        let (exchanges, left_out) = merged(scene.exchanges, again.map_or(&[], |again| &again.exchanges));
        recording.left_out.extend(left_out.into_iter().map(|why| LeftOut { id: scene.id.clone(), why }));
        recording.scenarios.push(Recorded { id: scene.id, exchanges });
    }
    if recording.scenarios.is_empty() {
        let why = recording.left_out.first().map(|left_out| left_out.why.clone()).unwrap_or_default();
        return Err(GateError::NothingRecorded { why });
    }
    Ok(recording.sealed())
}

/// Returns in words why a scenario did not complete.
pub(super) fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed => "it completed".to_owned(),
        Outcome::Aborted(fault) => crate::with_causes(fault),
        Outcome::Unsupported { method } => format!("the operator client has no method {method}"),
        Outcome::Lacking { lacks } => lacks.clone(),
        Outcome::Blocked { stage, reason } => format!("the stage {stage} failed: {reason}"),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::EndedAtBreach { check } => format!("ended at the check {check}"),
        Outcome::EndedAtDeadline { deadline } => format!("ended at the deadline of {deadline}"),
    }
}
