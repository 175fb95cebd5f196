//! One simulated peer: how it federates, and what it does from then on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::deeds::migration_only;
use super::federating::Attempted;
use super::{Federates, Show, Simulate, SimulatedPeer, random};
use crate::clock::{Clock, Ids, Seed};
use crate::peer::{Behaviour, CallOutcome, Peer, PeerError, StepContext};
use crate::scenario::no_success;
use crate::transcript::{Note, NoteKind, Outcome, Recorder, What};
use crate::wire::generation::CallerForm;
use crate::with_causes;

/// The time after which a first heartbeat that was refused is sent again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The time within which a heartbeat that was asked for is sent and answered.
const BEAT_TIME_MAX: Duration = Duration::from_secs(30);

/// Says why a call is no success. What the target answers needs no advice: a simulated peer is refused for good reasons.
pub(super) fn why(outcome: &CallOutcome) -> String {
    if outcome.failure.is_some() { no_success(outcome) } else { outcome.in_words.clone() }
}

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
    pub(super) host_names_checked: bool,
    pub(super) confirmed_hosts: Vec<String>,
    pub(super) plain_http: bool,
    /// The form of a caller's identity at a target that joined.
    pub(super) caller: CallerForm,
    state: Mutex<State>,
    /// The last attempt to join since the last token was given, if there was one.
    pub(super) attempts: watch::Sender<Option<Attempted>>,
    /// Signal that a token was given to federate again.
    pub(super) again: Notify,
    /// Signal to send a heartbeat now.
    pub(super) beat: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) federates: Federates,
    /// The number of tokens that were given, but the first: the number of the last one.
    pub(super) tokens: u64,
    /// The number of the last token that is not to be tried any more.
    pub(super) tokens_done: u64,
    pub(super) has_target: bool,
    /// The number of the last accept of the target that was seen.
    pub(super) last_accept: u64,
    /// The behaviours that wait for the peering to begin; `None` if none wait.
    held_back: Option<Vec<&'static Behaviour>>,
    /// Where the outcome of the next heartbeat is awaited.
    asked_beats: Vec<oneshot::Sender<Result<(), String>>>,
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
            plain_http: settings.run_context.plain_http,
            caller: settings.caller,
            state: Mutex::new(State {
                federates: given.federates.clone(),
                tokens: 0,
                tokens_done: 0,
                has_target: false,
                last_accept: 0,
                held_back: settings.conforming_first.then(|| given.behaviours.clone()),
                asked_beats: vec![],
                migration_only_kinds: vec![],
            }),
            attempts: watch::Sender::new(None),
            again: Notify::new(),
            beat: Notify::new(),
        }
    }

    /// Federates and sends heartbeats, until the simulation stops.
    pub(super) async fn live(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let lives = async {
            loop {
                self.federate().await;
                self.release();
                self.keep_up().await;
                self.state().asked_beats.clear();
                self.hold_back();
                self.say("the peering has ended; `join TOKEN` federates again");
                self.another_token().await;
            }
        };
        tokio::select! {
            () = lives => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
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
            let asked = std::mem::take(&mut self.state().asked_beats);
            let sent = self.heartbeat(round).await;
            for sender in asked {
                let _ = sender.send(sent.clone());
            }
            if round > 0 {
                self.do_deeds().await;
            }
            if !self.peer.is_federated() {
                return;
            }
        }
    }

    async fn heartbeat(&self, round: u64) -> Result<(), String> {
        let sent = self.outcome(self.peer.heartbeat(&StepContext::default(), &Value::Null).await);
        if round > 0 || sent.is_ok() {
            return sent;
        }
        // A target that joined may not have stored the answer to its accept yet.
        let _ = timeout(FIRST_RETRY, self.beat.notified()).await;
        if !self.state().asked_beats.is_empty() {
            self.beat.notify_one();
        }
        self.outcome(self.peer.heartbeat(&StepContext::default(), &Value::Null).await)
    }

    fn draw(&self, round: u64) {
        let drawn = random::draw(self.seed, round, &random::pool(&self.given));
        let names: Vec<&str> = drawn.iter().map(|behaviour| behaviour.name).collect();
        let what =
            if names.is_empty() { "conforms".to_owned() } else { format!("shows {}", names.join(", ")) };
        self.change_behaviours(|_| drawn);
        self.say(&format!("round {round}: {what}"));
    }

    /// Takes the outcome of a call: what the target declares, or why there was no call. Returns why it is no success.
    pub(super) fn outcome(&self, outcome: Result<CallOutcome, PeerError>) -> Result<(), String> {
        match outcome {
            Ok(outcome) => {
                self.learn(&outcome);
                if outcome.succeeded() { Ok(()) } else { Err(why(&outcome)) }
            }
            Err(error) => {
                let why = with_causes(&error);
                self.say(&why);
                Err(why)
            }
        }
    }

    pub(super) fn learn(&self, outcome: &CallOutcome) {
        if let Some(kinds) = migration_only(outcome) {
            self.state().migration_only_kinds = kinds;
        }
    }

    pub(super) fn migration_only_kinds(&self) -> Vec<String> {
        self.state().migration_only_kinds.clone()
    }

    /// Sends a heartbeat soon, and does what the behaviours ask for.
    pub(super) fn beat_soon(&self) {
        self.beat.notify_one();
    }

    /// Sends a heartbeat now, and does what the behaviours ask for. Returns why the heartbeat failed.
    pub(super) async fn beat_now(&self) -> Result<(), String> {
        if !self.peer.is_federated() {
            return Err("it is not federated, so it sends no heartbeat".to_owned());
        }
        if !self.state().has_target {
            return Err("it only answers: it knows no address of the target that it may call".to_owned());
        }
        let (sender, sent) = oneshot::channel();
        self.state().asked_beats.push(sender);
        self.beat.notify_one();
        match timeout(BEAT_TIME_MAX, sent).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err("the peering ended before the heartbeat".to_owned()),
            Err(_) => Err("no heartbeat was sent in time: the one before takes too long".to_owned()),
        }
    }

    /// Returns the behaviours that the peer is to show, and whether they wait for the peering.
    pub(super) fn behaviours(&self) -> (Vec<&'static Behaviour>, bool) {
        match &self.state().held_back {
            Some(held_back) => (held_back.clone(), true),
            None => (self.peer.behaviours(), false),
        }
    }

    /// Changes the behaviours that the peer is to show, now or from the beginning of the peering on. The state is held
    /// meanwhile, so that a command and the beginning or end of the peering take turns, and none undoes the other.
    pub(super) fn change_behaviours(
        &self,
        change: impl FnOnce(Vec<&'static Behaviour>) -> Vec<&'static Behaviour>,
    ) {
        match &mut self.state().held_back {
            Some(held_back) => *held_back = change(std::mem::take(held_back)),
            None => self.peer.set_behaviours(change(self.peer.behaviours())),
        }
    }

    /// Conforms until the peering begins, if the user wants that.
    fn hold_back(&self) {
        if self.conforming_first {
            let mut state = self.state();
            state.held_back.get_or_insert_with(|| self.peer.behaviours());
            self.peer.set_behaviours(vec![]);
        }
    }

    /// Shows what was held back: as it is by now, and not as it was given.
    fn release(&self) {
        let mut state = self.state();
        if let Some(behaviours) = state.held_back.take() {
            self.peer.set_behaviours(behaviours);
        }
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
