//! One play of a pair: two leased platforms, the relay between them, and what passed.

use std::net::IpAddr;
use std::time::Duration;

use semver::Version;
use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;

use super::steps::{NAMES, PairStep, StepOutcome};
use crate::clock::{Ids, Seed, read_moment};
use crate::gate::relay::{End, Relay, RelayError};
use crate::gate::template::Template;
use crate::net::Limits;
use crate::operator::platform::{Advance, Now, Start};
use crate::operator::{ClockSync, Lease, OperatorError, OperatorMethod, TargetRequest, Targets};
use crate::transcript::Trace;

/// The kind of the records, unless a platform names its own.
const KIND: &str = "skill";

/// The time without a call after which a platform that does not settle at once has done what follows from a step.
const QUIET: Duration = Duration::from_millis(250);

/// The largest difference of two clocks at which both take the certificates of the other for valid, in seconds.
const APART_MAX: i64 = 60;

/// An error that keeps two platforms from being played.
#[derive(Debug, Error)]
pub enum PairError {
    /// A platform cannot be leased or started.
    #[error("{which} cannot be started")]
    Start {
        /// The platform.
        which: String,
        /// The error of its operator client.
        source: OperatorError,
    },
    /// A platform started at no address.
    #[error("{which}: platform.start names no address of its federation plane: {found}")]
    Address {
        /// The platform.
        which: String,
        /// Name of it.
        found: String,
    },
    /// The relay cannot start.
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// Two platforms that federate.
pub(super) struct Pair {
    pub(super) platforms: [Lease; 2],
    pub(super) relay: Relay,
    pub(super) kind: String,
    pub(super) sample: Map<String, Value>,
    pub(super) ids: Ids,
    pub(super) steps: Vec<PairStep>,
    /// The id under which each platform keeps the other.
    pub(super) peer_ids: [Option<String>; 2],
}

/// Answers and calls of one of the two platforms.
#[derive(Clone, Debug)]
pub struct View {
    /// The exchanges, as a trace in which the platform is the target.
    pub trace: Trace,
    /// The exchanges as templates, each with the number of its step.
    pub passed: Vec<(u32, Template)>,
    /// The release that the platform disclosed.
    pub release: Option<Version>,
}

/// One play of a pair.
#[derive(Clone, Debug)]
pub struct PairPlay {
    /// Deeds of the operators.
    pub steps: Vec<PairStep>,
    /// Answers and calls of the proposer and of the joiner.
    pub views: [View; 2],
}

impl PairPlay {
    /// Returns why the two do not federate; `None` if they do.
    #[must_use]
    pub fn why_apart(&self) -> Option<String> {
        let of_join = self.steps.iter().filter(|step| step.is_of_join());
        let failed = of_join.filter(|step| step.outcome != StepOutcome::Done).map(PairStep::in_words);
        failed.into_iter().next()
    }

    /// Returns the steps that no method does, each with what was done instead.
    pub(super) fn replaced(&self) -> impl Iterator<Item = String> {
        let steps = self.steps.iter().filter(|step| matches!(step.outcome, StepOutcome::Replaced(_)));
        steps.map(PairStep::in_words)
    }

    /// Returns the steps of the join that could not be asked for, and the first one at which an adapter or the machine failed.
    pub(super) fn why_lacking(&self) -> Vec<String> {
        let of_join = self.steps.iter().filter(|step| step.is_of_join());
        of_join.filter_map(PairStep::why_not).chain(self.why_failed()).collect()
    }

    /// Returns the first step at which an adapter or the machine failed, with the reason.
    pub(super) fn why_failed(&self) -> Option<String> {
        let is_failed =
            |step: &&PairStep| matches!(step.outcome, StepOutcome::Failed(_)) && !step.is_of_join();
        self.steps.iter().find(is_failed).and_then(PairStep::why_not)
    }
}

/// Plays the life of a federation between a platform that proposes and one that joins.
pub async fn play_pair(
    targets: [&dyn Targets; 2],
    names: [&str; 2],
    seed: Seed,
    listen: IpAddr,
) -> Result<PairPlay, PairError> {
    let (first, started_first) = leased(targets[0], 0, names[0], seed).await?;
    let (second, started_second) = leased(targets[1], 1, names[1], seed).await?;
    bring_together([&first, &second]).await;
    let ends = [end(&first, &started_first, names[0])?, end(&second, &started_second, names[1])?];
    let relay = Relay::start(ends, listen, Limits::default())?;
    let (kind, sample) = kind_of([&first, &second]);
    let ids = Ids::new(first.clock.clone(), seed.derive("pair"));
    let platforms = [first, second];
    let mut pair = Pair { platforms, relay, kind, sample, ids, steps: vec![], peer_ids: [None, None] };
    pair.live().await?;
    let views = [pair.view(0), pair.view(1)];
    Ok(PairPlay { steps: pair.steps, views })
}

/// Leases and starts a platform.
async fn leased(
    targets: &dyn Targets,
    place: usize,
    name: &str,
    seed: Seed,
) -> Result<(Lease, Value), PairError> {
    let scenario = format!("pair/{}", NAMES[place]);
    let request = TargetRequest { scenario: &scenario, seed, alone: true, durable: true };
    let start = |source| PairError::Start { which: name.to_owned(), source };
    let lease = targets.lease(request).await.map_err(start)?;
    let started = lease.operator.call(Start::METHOD, json!({})).await.map_err(start)?;
    Ok((lease, started))
}

fn end(lease: &Lease, started: &Value, which: &str) -> Result<End, PairError> {
    let wrong = || PairError::Address { which: which.to_owned(), found: started["base_url"].to_string() };
    let base_url: Url = started["base_url"].as_str().and_then(|url| url.parse().ok()).ok_or_else(wrong)?;
    Ok(End {
        base_url,
        ca_bundle_pem: started["ca_bundle_pem"].as_str().map(ToOwned::to_owned),
        caller: lease.caller,
        clock: lease.clock.clone(),
    })
}

/// Sets the clocks of the relay by those of the platforms, and moves the platform whose clock is behind forward: a
/// certificate of the other one would not be valid yet.
async fn bring_together(leases: [&Lease; 2]) {
    for lease in leases {
        follow(lease).await;
    }
    let [first, second] = leases.map(|lease| lease.clock.now());
    let apart = second.duration_since(first).as_secs();
    let (behind, seconds) = if apart > 0 { (leases[0], apart) } else { (leases[1], -apart) };
    if seconds > APART_MAX {
        let moved = behind.operator.call(Advance::METHOD, json!({"seconds": seconds})).await;
        if moved.is_ok() && behind.clock_sync == ClockSync::Independent {
            behind.clock.advance_seconds(seconds);
        }
        follow(behind).await;
    }
}

async fn follow(lease: &Lease) {
    if lease.clock_sync != ClockSync::Follow {
        return;
    }
    if let Ok(reported) = lease.operator.call(Now::METHOD, json!({})).await
        && let Some(now) = reported["now"].as_str().and_then(read_moment)
    {
        lease.clock.set(now, true);
    }
}

/// Returns the kind of the records, and a record of it.
fn kind_of(leases: [&Lease; 2]) -> (String, Map<String, Value>) {
    let kinds = leases.iter().find_map(|lease| lease.operator.kinds()?.iter().next());
    match kinds {
        Some(kind) => (kind.kind.clone(), kind.sample.clone()),
        None => (KIND.to_owned(), Map::from_iter([("name".to_owned(), json!("Weaving"))])),
    }
}

impl Pair {
    /// Waits until a platform has done what follows from a step.
    pub(super) async fn settle(&self, who: usize) {
        if self.platforms[who].operator.settles_at_once()
            && self.platforms[1 - who].operator.settles_at_once()
        {
            return;
        }
        loop {
            let arrived = self.relay.arrived();
            let _ = tokio::time::timeout(QUIET, std::future::pending::<()>()).await;
            if self.relay.arrived() == arrived {
                return;
            }
        }
    }

    fn view(&self, of: usize) -> View {
        let trace = self.relay.ended(of);
        let steps = trace.exchanges().map(|(entry, _)| entry.step.unwrap_or_default());
        let named =
            |number: u32| self.steps.iter().find(|step| step.number == number).map(|step| step.name.clone());
        let passed = steps.zip(Template::all(&trace));
        let passed =
            passed.map(|(step, template)| (step, Template { label: named(step), ..template })).collect();
        let release = trace.release();
        View { trace, passed, release }
    }
}
