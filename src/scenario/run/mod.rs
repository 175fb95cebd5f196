//! Plays a scenario against a target.

mod courier;
mod declaration;
mod excerpts;
mod inventory;
mod keeper;
mod named_records;
mod operator;
mod pauses;
mod peers;
mod real_time;
mod reason;
mod releases;
mod runner;
mod settling;
mod time;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use semver::Version;
use toml::Spanned;
use url::Url;

use super::check_spec::CheckSpec;
use super::fit::fit;
use super::format::{Scenario, Step};
use super::load::Loaded;
use super::own_names::with_own_names;
use crate::Fault;
use crate::clock::{Clock, Seed};
use crate::net::Limits;
use crate::operator::{Kinds, Lease, NamedRecord, OperatorError, TargetRequest, Targets};
use crate::peer::{DEFAULT_RELEASE, PeerError, PermittedChoices};
use crate::pki::Identity;
use crate::transcript::{
    Outcome, Recorder, ScenarioStart, Spoken, Trace, Transcript, WayBack, What, spoken_note,
};
pub use keeper::SnapshotKeeper;
pub(crate) use keeper::may_have_acted;
pub use pauses::Pauses;
pub use real_time::{Announcer, RealTime};
pub(crate) use reason::no_success;
use runner::ScenarioRunner;

/// The poll interval for a target that does not settle at once.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The run context, which every scenario of a run shares.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The address that the peers listen on.
    pub listen: IpAddr,
    /// The address that the peers advertise, if it is not their own. The port stays theirs.
    pub advertise: Option<Url>,
    /// The poll timeout: the time to wait for a finding, an event or a notice that is due.
    pub poll_timeout: Duration,
    /// The limits on what the peers read.
    pub limits: Limits,
    /// The minimum time between two calls of the peers. `None` sets no minimum.
    pub pace: Option<Duration>,
    /// The permitted choices of the peers. `None` draws them from the seed.
    pub permitted_choices: Option<PermittedChoices>,
    /// The release of the peers, unless a peer has its own. `None` takes the release that the target reports
    /// in the handshake, or else the default.
    pub release: Option<Version>,
    /// The release that the target reports in the handshake. Scenarios derive the releases of
    /// neighbours from it (`${release.…}`). With `None` they derive them from that of the peers.
    pub target_release: Option<Version>,
    /// The digest of the contract text that the peers name, unless a peer has its own. With `None` they name
    /// none.
    pub contract_digest: Option<String>,
    /// The evidence that calls of the target reach the peers, apart from what a scenario itself shows. `None` if
    /// nothing does.
    pub way_back: Option<WayBack>,
    /// The additions of the binding that the target is shown to speak, apart from what a scenario itself shows.
    pub spoken: Spoken,
    /// The identity of the peers' servers. With `None` each peer has one of its own authority.
    pub server_identity: Option<Identity>,
    /// True if a target may be called with plain HTTP where that is not this machine.
    pub plain_http: bool,
    /// True if the user names authorities for the target: they certify other hosts too, so the certificate has to be for
    /// the host of the target's URL.
    pub host_names_checked: bool,
    /// The waits in real time that the scenarios may make.
    pub real_time: RealTime,
    /// The pauses of this process so far.
    pub pauses: Pauses,
    /// The records that the user names, for a target whose operator can store none.
    pub records: Vec<NamedRecord>,
    /// The kinds that the user names for the target. `None` takes those that the operator client names.
    pub kinds: Option<Arc<Kinds>>,
    /// Keeper of the keys of a peering; `None` where the operator client can revoke it.
    pub keeper: Option<Arc<dyn SnapshotKeeper>>,
    /// A function that returns whether a trace which goes on breaks one of these checks that cites a label: a step that waits
    /// then reads again.
    pub breaks_so_far: fn(&[CheckSpec], &Trace, &str) -> bool,
}

impl RunContext {
    /// Returns the release of the peers.
    #[must_use]
    pub fn release(&self) -> &Version {
        self.release.as_ref().unwrap_or(&DEFAULT_RELEASE)
    }

    /// Returns whether the user states that the target can reach the peers.
    #[must_use]
    pub fn states_way_back(&self) -> bool {
        self.way_back == Some(WayBack::Stated)
    }

    /// Returns the release from which those of neighbours are derived.
    #[must_use]
    pub fn target_release(&self) -> &Version {
        self.target_release.as_ref().unwrap_or_else(|| self.release())
    }
}

/// Need of a scenario in which a peer moves, if the user gives the address of the peers.
const FIXED_ADDRESS: &str =
    "a peer is to move to another address, and `--advertise` fixes the address of each peer";

/// An error that ends a scenario.
#[derive(Debug)]
pub(super) enum StepError {
    /// The operator client has no method that the scenario needs.
    Unsupported { method: String },
    /// The scenario cannot go on.
    Fault(Fault),
}

/// Leases a target, plays a scenario on it and returns its trace, whatever the outcome. `seed` is the seed of
/// the run.
pub async fn play_scenario(
    loaded: &Loaded,
    targets: &dyn Targets,
    transcript: &Transcript,
    seed: Seed,
    run_context: &RunContext,
) -> Trace {
    let Scenario { alone, durable, .. } = loaded.scenario;
    match targets.lease(TargetRequest { scenario: &loaded.id, seed, alone, durable }).await {
        Ok(lease) => play_on(loaded, lease, transcript, seed, run_context).await,
        Err(error) => {
            let start = ScenarioStart { source: loaded.source.clone(), seed: seed.derive(&loaded.id) };
            let recorder = transcript.begin(&loaded.trace(), start, Clock::system());
            recorder.end(without_target(error))
        }
    }
}

/// Plays a scenario on a leased target and returns its trace, whatever the outcome. `seed` is the seed of the
/// run.
async fn play_on(
    loaded: &Loaded,
    lease: Lease,
    transcript: &Transcript,
    seed: Seed,
    run_context: &RunContext,
) -> Trace {
    let seed = seed.derive(&loaded.id);
    let start = ScenarioStart { source: loaded.source.clone(), seed };
    let recorder = transcript.begin(&loaded.trace(), start, lease.clock.clone());
    let paused_before = run_context.pauses.in_all();
    let mut end_guard = EndGuard { recorder: recorder.clone(), ended: false };
    let with_names = (!lease.is_fresh).then(|| with_own_names(&loaded.scenario));
    let written = with_names.as_ref().unwrap_or(&loaded.scenario);
    let kinds = run_context.kinds.as_deref().or_else(|| lease.operator.kinds());
    let fitted = kinds.map(|kinds| fit(written, kinds)).transpose();
    let fitted = match fitted {
        Ok(fitted) => fitted,
        Err(lacks) => return end_guard.end(Outcome::lacking_kinds(&lacks)),
    };
    if run_context.advertise.is_some() && moves_a_peer(written) {
        return end_guard.end(Outcome::Lacking { lacks: FIXED_ADDRESS.to_owned() });
    }
    let scenario = fitted.as_ref().map_or(written, |fitted| &fitted.scenario);
    let mut stage = ScenarioRunner::new(scenario, lease, recorder, seed, run_context);
    if let Some(fitted) = &fitted {
        stage.use_kinds_of(fitted);
    }
    let played = stage.play(scenario).await;
    if played.is_ok() {
        note_way_back(&end_guard.recorder, run_context);
    }
    // A final breach that rests on an addition stands after a failed step too.
    note_spoken(&end_guard.recorder, loaded, run_context);
    let outcome = match played {
        Ok(()) => Outcome::Completed,
        Err(error) => error.into(),
    };
    stage.clear().await;
    run_context.pauses.note(&end_guard.recorder, paused_before);
    end_guard.end(outcome)
}

/// Returns whether a peer moves to another address.
fn moves_a_peer(scenario: &Scenario) -> bool {
    let mut steps = scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
    steps.any(|step| matches!(step, Step::Move(_)))
}

/// Notes in a trace in which no call of the target arrived what shows the way back in this run, so that the trace
/// can be evaluated by itself.
fn note_way_back(recorder: &Recorder, run_context: &RunContext) {
    let shown = run_context.way_back.as_ref().filter(|_| recorder.trace().arrival().is_none());
    if let Some(way_back) = shown {
        recorder.record(None, None, What::Note(way_back.note()));
    }
}

/// Notes what the target speaks of the additions that a check of the scenario rests on, unless the trace shows it.
fn note_spoken(recorder: &Recorder, loaded: &Loaded, run_context: &RunContext) {
    let trace = recorder.trace();
    let mut spoken = run_context.spoken.clone();
    spoken.retain(|addition, _| loaded.scenario.rests_on(*addition) && !trace.speaks(*addition));
    if !spoken.is_empty() {
        recorder.record(None, None, What::Note(spoken_note(&spoken)));
    }
}

/// A guard that ends the trace, even if the future that plays the scenario is dropped.
struct EndGuard {
    recorder: Recorder,
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

/// Returns the outcome of a scenario that got no target because the operator client failed.
fn without_target(error: OperatorError) -> Outcome {
    StepError::from(error).into()
}

impl StepError {
    /// Adds the step that failed.
    fn at(self, step: Option<u32>) -> Self {
        match self {
            Self::Fault(fault) => Self::Fault(Fault { step, ..fault }),
            unsupported @ Self::Unsupported { .. } => unsupported,
        }
    }

    fn target(reason: impl Into<String>) -> Self {
        Self::Fault(Fault::target(reason))
    }

    fn scenario(reason: impl Into<String>) -> Self {
        Self::Fault(Fault::scenario(reason))
    }
}

impl From<StepError> for Outcome {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Unsupported { method } => Self::Unsupported { method },
            StepError::Fault(fault) => Self::Aborted(fault),
        }
    }
}

impl From<OperatorError> for StepError {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Unsupported { method } => Self::Unsupported { method },
            OperatorError::Refused { method, code, message } => {
                Self::Fault(Fault::target(format!("{message} ({code})")).of_method(method))
            }
            OperatorError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Fault> for StepError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<PeerError> for StepError {
    fn from(error: PeerError) -> Self {
        Self::Fault(error.into())
    }
}

/// Numbers the steps of a scenario, from 1.
fn numbered(steps: &[Spanned<Step>]) -> impl Iterator<Item = (u32, &Step)> {
    (1..).zip(steps.iter().map(Spanned::get_ref))
}
