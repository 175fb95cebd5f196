//! Many peers of one target: each with an identity of its own, all on one listener.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{SimulateError, simulated};
use crate::clock::{Clock, Seed};
use crate::contract::HeldText;
use crate::operator::Address;
use crate::peer::{
    Behaviour, CallOutcome, Options, Peer, PeerError, PermittedChoices, Profile, SharedListener, Standing,
    StepContext, TargetAddress,
};
use crate::scenario::RunContext;
use crate::transcript::{Direction, Entry, Observer, ScenarioStart, Transcript, What};
use crate::with_causes;

/// The number of calls and of audit entries that one of many peers keeps in memory.
const INBOX_MAX: usize = 1;
const AUDIT_MAX: usize = 4;
/// The number of handshakes and heartbeats that are under way at the same time.
const AT_ONCE: usize = 64;

/// The number of handshakes of a peer, as long as the target does not answer.
const ATTEMPTS: u32 = 3;

/// The number of different reasons of failures that are counted, and what stands for the others.
const REASONS_MAX: usize = 20;
const OTHER: &str = "other reasons";

/// The settings of many peers.
#[derive(Clone, Debug)]
pub struct Many {
    /// The seed of every choice.
    pub seed: Seed,
    /// The address of the shared listener.
    pub listen: SocketAddr,
    /// The address of the target.
    pub address: Address,
    /// A token for each peer: their number is that of the peers.
    pub tokens: Vec<String>,
    /// The behaviours of each peer.
    pub behaviours: Vec<&'static Behaviour>,
    /// The time between two heartbeats of one peer, over which those of all are spread.
    pub every: Duration,
    /// The contract text that the peers acknowledge; `None` for that of the default profile.
    pub contract: Option<HeldText>,
    /// The addresses, timeouts and limits.
    pub run_context: RunContext,
}

/// Counts of many peers so far.
#[derive(Debug, Default)]
pub struct ManyCounts {
    federated: AtomicU64,
    refused: AtomicU64,
    answered: AtomicU64,
    rejected: AtomicU64,
    unanswered: AtomicU64,
    received: AtomicU64,
    reasons: Mutex<Reasons>,
}

/// How often each reason of a failure was given.
type Reasons = BTreeMap<String, u64>;

impl ManyCounts {
    /// Returns the number of peers that federated.
    #[must_use]
    pub fn federated(&self) -> u64 {
        self.federated.load(Ordering::Relaxed)
    }

    /// Returns the number of heartbeats that were answered with success.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

impl ManyCounts {
    /// Returns why calls failed, the most frequent reason first, with the number of times.
    #[must_use]
    pub fn reasons(&self) -> Vec<(String, u64)> {
        let mut reasons: Vec<_> = lock(&self.reasons).clone().into_iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        reasons
    }

    /// Counts a failure by what was called and why it failed.
    fn fails(&self, call: &str, outcome: &Result<CallOutcome, PeerError>) {
        let why = match outcome {
            Ok(outcome) => simulated::why(outcome),
            Err(error) => with_causes(error),
        };
        let mut reasons = lock(&self.reasons);
        let own = format!("{call}: {why}");
        // A target may give another text each time.
        let is_full = !reasons.contains_key(&own) && reasons.len() >= REASONS_MAX;
        let reason = if is_full { OTHER.to_owned() } else { own };
        *reasons.entry(reason).or_default() += 1;
    }
}

fn lock(reasons: &Mutex<Reasons>) -> MutexGuard<'_, Reasons> {
    reasons.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for ManyCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        write!(f, "{} federated", get(&self.federated))?;
        if get(&self.refused) > 0 {
            write!(f, ", {} not admitted", get(&self.refused))?;
        }
        write!(f, "; heartbeats: {} answered", get(&self.answered))?;
        write!(f, ", {} refused, {} without a response", get(&self.rejected), get(&self.unanswered))?;
        write!(f, "; {} calls of the target", get(&self.received))
    }
}

/// Counts the target's calls.
impl Observer for ManyCounts {
    fn recorded(&self, entry: &Entry) {
        let from_target =
            matches!(&*entry.what, What::Exchange(exchange) if exchange.direction == Direction::FromTarget);
        if from_target {
            self.received.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Many running peers.
#[derive(Debug)]
pub struct ManyPeers {
    listener: SharedListener,
    peers: Vec<(Peer, String)>,
    every: Duration,
    counts: Arc<ManyCounts>,
}

impl ManyPeers {
    /// Starts the listener and the peers. Nothing was sent yet.
    pub fn start(many: Many) -> Result<Self, SimulateError> {
        let clock = Clock::system();
        let context = &many.run_context;
        let listener = SharedListener::start(many.listen, context.advertise.clone(), &clock, context.limits)?;
        let counts = Arc::new(ManyCounts::default());
        let transcript = Transcript::in_memory();
        let mut profile = Profile::of_release(context.release());
        if let Some(contract) = &many.contract {
            profile.contract_digest = json!(contract.digest_to_send());
        }
        // A kept connection of each peer would take the most memory, here and at the target.
        let permitted_choices = PermittedChoices { reuse_connections: false, ..PermittedChoices::plain() };
        let mut peers = Vec::with_capacity(many.tokens.len());
        for (number, token) in (1..).zip(many.tokens) {
            let name = format!("p{number}");
            let seed = many.seed.derive(&name);
            let start = ScenarioStart { source: String::new(), seed };
            let options = Options {
                seed,
                clock: clock.clone(),
                behaviours: many.behaviours.clone(),
                recorder: transcript.begin_observed(&name, start, clock.clone(), counts.clone()),
                name,
                listen: many.listen,
                advertise: context.advertise.clone(),
                profile: profile.clone(),
                permitted_choices,
                limits: context.limits,
                snapshot: None,
                server_identity: None,
                pace: None,
            };
            let listener = Some(listener.clone());
            let standing = Standing { inbox_max: INBOX_MAX, audit_max: AUDIT_MAX, listener };
            let peer = Peer::start_standing(options, standing)?;
            peer.set_target(TargetAddress {
                base_url: many.address.base_url.clone(),
                ca_bundle_pem: many.address.ca_bundle_pem.clone(),
                host_names_checked: context.host_names_checked,
                caller: many.address.caller,
            });
            peers.push((peer, token));
        }
        Ok(Self { listener, peers, every: many.every, counts })
    }

    /// Returns the URL at which the target calls the first peer.
    #[must_use]
    pub fn first_url(&self) -> String {
        self.peers.first().map(|(peer, _)| peer.base_url_text()).unwrap_or_default()
    }

    /// Returns what the peers did so far.
    #[must_use]
    pub fn counts(&self) -> &ManyCounts {
        &self.counts
    }

    /// Lets every peer federate. Returns when each was admitted or refused.
    pub async fn federate(&self) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for (peer, token) in &self.peers {
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let (peer, token, counts) = (peer.clone(), token.clone(), self.counts.clone());
            tasks.spawn(async move {
                let mut accepted = Ok(CallOutcome::default());
                for _ in 0..ATTEMPTS {
                    accepted = peer.accept(&StepContext::default(), &token, &Value::Null).await;
                    // A target with thousands of handshakes may not answer in time.
                    if accepted.as_ref().is_ok_and(|accepted| accepted.status.is_some()) {
                        break;
                    }
                }
                if peer.is_federated() {
                    counts.federated.fetch_add(1, Ordering::Relaxed);
                } else {
                    counts.refused.fetch_add(1, Ordering::Relaxed);
                    counts.fails("handshake", &accepted);
                }
                drop(place);
            });
            while tasks.try_join_next().is_some() {}
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Sends the heartbeats of all federated peers, spread evenly over the time between two of one peer. It never ends.
    pub async fn keep_up(&self) {
        let federated: Vec<&Peer> =
            self.peers.iter().map(|(peer, _)| peer).filter(|peer| peer.is_federated()).collect();
        let Some(count) = u32::try_from(federated.len()).ok().filter(|count| *count > 0) else {
            return std::future::pending().await;
        };
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        let mut ticks = interval((self.every / count).max(Duration::from_micros(100)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for peer in federated.iter().cycle() {
            ticks.tick().await;
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let (peer, counts) = ((*peer).clone(), self.counts.clone());
            tasks.spawn(async move {
                let sent = peer.heartbeat(&StepContext::default(), &Value::Null).await;
                if !sent.as_ref().is_ok_and(CallOutcome::succeeded) {
                    counts.fails("heartbeat", &sent);
                }
                let count = match sent {
                    Ok(outcome) if outcome.succeeded() => &counts.answered,
                    Ok(outcome) if outcome.status.is_some() => &counts.rejected,
                    _ => &counts.unanswered,
                };
                count.fetch_add(1, Ordering::Relaxed);
                drop(place);
            });
            while tasks.try_join_next().is_some() {}
        }
    }

    /// Stops listening.
    pub async fn stop(&self) {
        self.listener.stop().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_their_reasons_and_not_without_end() {
        let counts = ManyCounts::default();
        let refused = |text: &str| {
            Ok(CallOutcome { status: Some(403), in_words: format!("403 {text}"), ..CallOutcome::default() })
        };
        for _ in 0..3 {
            counts.fails("handshake", &refused("spent"));
        }
        for number in 0..REASONS_MAX * 2 {
            counts.fails("heartbeat", &refused(&number.to_string()));
        }
        let reasons = counts.reasons();
        assert_eq!(reasons.len(), REASONS_MAX + 1);
        let spent = reasons.iter().find(|(reason, _)| reason.starts_with("handshake: 403 spent"));
        assert_eq!(spent.map(|(_, count)| *count), Some(3));
        assert_eq!(reasons.iter().map(|(_, count)| count).sum::<u64>(), 3 + 2 * REASONS_MAX as u64);
        assert_eq!(reasons[0].0, OTHER);
    }
}
