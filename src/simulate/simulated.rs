//! One simulated peer: how it federates, and what it does from then on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use url::Url;

use super::deeds::migration_only;
use super::{Federates, Show, Simulate, SimulatedPeer, random};
use crate::clock::{Clock, Ids, Seed};
use crate::operator::{Address, is_here};
use crate::peer::{Behaviour, CallOutcome, Peer, PeerError, Received, StepContext, TargetAddress};
use crate::scenario::no_success;
use crate::transcript::{Note, NoteKind, Outcome, Recorder, What};
use crate::wire::generation::CallerForm;
use crate::wire::path::{PREFIX, Route};
use crate::with_causes;

/// The time between two attempts to reach a target that does not answer.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// The time after which a first heartbeat that was refused is sent again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The time after which a wait for the target is begun again.
const WAIT_TIME: Duration = Duration::from_hours(1);

/// A simulated peer.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) peer: Peer,
    /// The behaviours that it was given.
    given: Vec<&'static Behaviour>,
    seed: Seed,
    clock: Clock,
    ids: Ids,
    recorder: Recorder,
    show: Show,
    every: Duration,
    random: bool,
    conforming_first: bool,
    host_names_checked: bool,
    confirmed_hosts: Vec<String>,
    state: Mutex<State>,
    /// Signal that a token was given to federate again.
    again: Notify,
    /// Signal to send a heartbeat now.
    beat: Notify,
}

#[derive(Debug)]
struct State {
    federates: Federates,
    has_target: bool,
    /// The number of the last accept of the target that was seen.
    last_accept: u64,
    migration_only_kinds: Vec<String>,
}

impl Simulated {
    pub(super) fn new(
        settings: &Simulate,
        given: &SimulatedPeer,
        peer: Peer,
        recorder: Recorder,
        seed: Seed,
        clock: Clock,
    ) -> Self {
        // The target may join as soon as the peer listens.
        if let Federates::Accepts { token } = &given.federates {
            peer.propose_with(token);
        }
        Self {
            peer,
            given: given.behaviours.clone(),
            seed,
            ids: Ids::new(clock.clone(), seed.derive("simulated")),
            clock,
            recorder,
            show: settings.show.clone(),
            every: settings.every,
            random: settings.random,
            conforming_first: settings.conforming_first,
            host_names_checked: settings.run_context.host_names_checked,
            confirmed_hosts: settings.confirmed_hosts.clone(),
            state: Mutex::new(State {
                federates: given.federates.clone(),
                has_target: false,
                last_accept: 0,
                migration_only_kinds: vec![],
            }),
            again: Notify::new(),
            beat: Notify::new(),
        }
    }

    /// Federates and sends heartbeats, until the simulation stops.
    pub(super) async fn live(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let lives = async {
            loop {
                self.federate().await;
                if self.conforming_first && self.peer.behaviours().is_empty() {
                    self.peer.set_behaviours(self.given.clone());
                }
                self.keep_up().await;
                self.say("the peering has ended; `join TOKEN` federates again");
                self.again.notified().await;
            }
        };
        tokio::select! {
            () = lives => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }

    /// Returns once the peer is federated.
    async fn federate(&self) {
        loop {
            let federates = self.state().federates.clone();
            match federates {
                Federates::Joins { address, token } => self.join(address, &token).await,
                Federates::Accepts { .. } => self.admit().await,
            }
            if self.peer.is_federated() {
                return self.say("the peering begins");
            }
            self.again.notified().await;
        }
    }

    async fn join(&self, address: Address, token: &str) {
        self.set_target(address);
        let mut attempts = interval(RETRY_INTERVAL);
        attempts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            attempts.tick().await;
            let outcome = match self.peer.accept(&StepContext::default(), token, &Value::Null).await {
                Ok(outcome) => outcome,
                Err(error) => return self.say(&with_causes(&error)),
            };
            self.learn(&outcome);
            if outcome.failure.is_none() {
                if !self.peer.is_federated() {
                    let why = no_success(&outcome);
                    self.say(&format!(
                        "the target did not admit the peer: {why}; `join TOKEN` tries another token"
                    ));
                }
                return;
            }
        }
    }

    /// Waits until the target has joined. It may have done so before this is called.
    async fn admit(&self) {
        self.say(&format!("waits at {} for the target to join", self.peer.base_url_text()));
        loop {
            let last = self.state().last_accept;
            let is_new = |received: &Received| received.route == Some(Route::Accept) && received.n > last;
            let Some(accept) = self.peer.wait_for(is_new, WAIT_TIME).await else { continue };
            self.state().last_accept = accept.n;
            if self.peer.is_federated() {
                return self.call_back(&accept.body);
            }
        }
    }

    /// Takes the address at which a target that joined is called, if it is on this machine or confirmed.
    fn call_back(&self, accept: &Value) {
        let endpoints = accept["endpoints"].as_array().into_iter().flatten();
        let mut urls = endpoints.filter_map(|endpoint| endpoint["url"].as_str()?.parse::<Url>().ok());
        let Some(mut url) = urls.next() else {
            return self.say("the target names no endpoint, so the peer only answers");
        };
        let is_confirmed =
            url.host_str().is_some_and(|host| self.confirmed_hosts.iter().any(|own| own == host));
        if !is_here(&url) && !is_confirmed {
            let host = url.host_str().unwrap_or_default();
            return self.say(&format!(
                "the peer only answers: {host} is another machine; --yes {host} allows calls to it"
            ));
        }
        let path = url.path().trim_end_matches('/').trim_end_matches(PREFIX).to_owned();
        url.set_path(&path);
        self.set_target(Address { base_url: url, ca_bundle_pem: None, caller: CallerForm::Tls });
    }

    fn set_target(&self, address: Address) {
        self.peer.set_target(TargetAddress {
            base_url: address.base_url,
            ca_bundle_pem: address.ca_bundle_pem,
            host_names_checked: self.host_names_checked,
            caller: address.caller,
        });
        self.state().has_target = true;
    }

    /// Sends heartbeats, and does what the behaviours ask for, until the peering ends.
    async fn keep_up(&self) {
        let mut beats = interval(self.every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for round in 0_u64.. {
            tokio::select! {
                _ = beats.tick() => {}
                () = self.beat.notified() => {}
            }
            if !self.peer.is_federated() {
                return;
            }
            if self.random {
                self.draw(round);
            }
            if !self.state().has_target {
                continue;
            }
            let sent = self.peer.heartbeat(&StepContext::default(), &Value::Null).await;
            let is_early = round == 0 && !sent.as_ref().is_ok_and(CallOutcome::succeeded);
            self.outcome(sent);
            if is_early {
                // A target that joined may not have stored the answer to its accept yet.
                let _ = timeout(FIRST_RETRY, self.beat.notified()).await;
                self.outcome(self.peer.heartbeat(&StepContext::default(), &Value::Null).await);
            }
            if round > 0 {
                self.do_deeds().await;
            }
            if !self.peer.is_federated() {
                return;
            }
        }
    }

    fn draw(&self, round: u64) {
        let drawn = random::draw(self.seed, round, &random::pool(&self.given));
        let names: Vec<&str> = drawn.iter().map(|behaviour| behaviour.name).collect();
        let what =
            if names.is_empty() { "conforms".to_owned() } else { format!("shows {}", names.join(", ")) };
        self.peer.set_behaviours(drawn);
        self.say(&format!("round {round}: {what}"));
    }

    /// Takes the outcome of a call: what the target declares, or why there was no call.
    pub(super) fn outcome(&self, outcome: Result<CallOutcome, PeerError>) {
        match outcome {
            Ok(outcome) => self.learn(&outcome),
            Err(error) => self.say(&with_causes(&error)),
        }
    }

    fn learn(&self, outcome: &CallOutcome) {
        if let Some(kinds) = migration_only(outcome) {
            self.state().migration_only_kinds = kinds;
        }
    }

    pub(super) fn migration_only_kinds(&self) -> Vec<String> {
        self.state().migration_only_kinds.clone()
    }

    /// Federates again, with another token.
    pub(super) fn federate_with(&self, token: &str) {
        let mut state = self.state();
        state.federates = match &state.federates {
            Federates::Joins { address, .. } => {
                Federates::Joins { address: address.clone(), token: token.to_owned() }
            }
            Federates::Accepts { .. } => {
                self.peer.propose_with(token);
                Federates::Accepts { token: token.to_owned() }
            }
        };
        drop(state);
        self.again.notify_one();
        // A peer that waits for its next heartbeat sees only then that the peering has ended.
        self.beat.notify_one();
    }

    /// Sends a heartbeat now, and does what the behaviours ask for.
    pub(super) fn beat_now(&self) {
        self.beat.notify_one();
    }

    /// Notes what the peer does without a call, with the behaviours that do it.
    pub(super) fn note(&self, message: &str, is_by: impl Fn(&Behaviour) -> bool) {
        let behaviours = self.peer.behaviours();
        let names: Vec<&str> = behaviours.iter().filter(|one| is_by(one)).map(|one| one.name).collect();
        let facts = json!({"behaviours": names});
        let note = Note { kind: NoteKind::Injected, message: message.to_owned(), facts };
        self.recorder.record(None, None, What::Note(note));
    }

    /// Shows a line about this peer.
    pub(super) fn say(&self, text: &str) {
        (self.show.0)(&format!("{} {}: {text}", self.now().strftime("%H:%M:%S"), self.peer.name()));
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn new_id(&self) -> String {
        self.ids.uuid().to_string()
    }

    /// Describes the peer, with its token if the target joins with it.
    pub(super) fn description(&self) -> Value {
        let mut described = json!({
            "name": self.peer.name(),
            "base_url": self.peer.base_url_text(),
            "ca_bundle_pem": self.peer.server_bundle_pem(),
        });
        if let Federates::Accepts { token } = &self.state().federates {
            described["acceptance_token"] = json!(token);
        }
        described
    }

    /// Stops listening, and ends the trace.
    pub(super) async fn end(&self) {
        self.peer.stop().await;
        let _ = self.recorder.end(Outcome::Completed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
