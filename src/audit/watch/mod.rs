//! A watch: an authenticated audit that lasts hours or days, and continues after its process ends.

mod error;
mod excerpt;
mod grant;
mod port;
mod state;

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

pub use self::error::WatchError;
use self::grant::Grant;
use self::state::State;
use super::kept;
use super::peering::Peering;
use crate::Fault;
use crate::clock::{Clock, Seed};
use crate::contract::HeldText;
use crate::input;
use crate::operator::Address;
use crate::peer::{
    Call, CallOutcome, Options, Pace, Peer, PeerSnapshot, PermittedChoices, Profile, StepContext,
    TargetAddress,
};
use crate::pki::PkiError;
use crate::runner::{RunFolder, WATCH as STATE, announce, way_back_setting};
use crate::scenario::{LoadError, Loaded, RunContext, load, no_success};
use crate::transcript::{
    Entry, LINE_BYTES_MAX, Note, NoteKind, Operation, Outcome, ReadError, Reading, Recorder, RunStart,
    ScenarioStart, Trace, Transcript, What, read,
};
use crate::wire::path::Route;
use crate::with_causes;

const WATCH: &str = include_str!("../../../audits/watch.toml");
/// The checks that are added if a grant is named.
const WATCH_GRANT: &str = include_str!("../../../audits/watch-grant.toml");
/// The name of the trace.
const TRACE: &str = "audit/watch";
/// The name of the peer.
const AUDITOR: &str = "auditor";
/// The entry that is written before the token is spent.
const ACCEPTING: &str = "watch.accept";
/// The interval between two reports of the remaining life of the peering's certificate.
const CERTIFICATE_REPORTED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The settings of a watch that begins or continues.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The seed of every choice. A watch that continues keeps its own.
    pub seed: Seed,
    /// The address of the target.
    pub address: Address,
    /// The acceptance token, which a new watch needs.
    pub token: Option<String>,
    /// The duration of the watch.
    pub lasts: Duration,
    /// The time between two heartbeats.
    pub every: Duration,
    /// The contract text that the target is held to. A watch that continues keeps its own.
    pub contract: HeldText,
    /// The addresses, timeouts and limits.
    pub run_context: RunContext,
    /// The folder of the evidence and of the state file.
    pub folder: PathBuf,
    /// The path of a grant file, which may be created later. A watch that continues keeps its own.
    pub grant: Option<PathBuf>,
    /// The function that shows messages to the user during the watch.
    pub show: fn(&str),
}

/// The outcome of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The watch is complete, and the peer has left.
    Completed,
    /// The watch was interrupted. The same command continues it.
    Interrupted,
    /// The target rejected the peer.
    NotAccepted,
}

impl Watch {
    /// Watches until the duration is over or `stop` becomes true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<Watched, WatchError> {
        let path = self.folder.join(STATE);
        let folder = RunFolder::choose(Some(&self.folder), self.seed);
        kept::remove_torn(&path);
        let begun = if path.symlink_metadata().is_ok() {
            let listen = State::read(&path)?.peering.listen;
            tokio::select! {
                () = port::wait_until_free(listen, self.show) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(Watched::Interrupted),
            }
            OngoingWatch::resume(self, path)?
        } else {
            Some(OngoingWatch::begin(self, path)?)
        };
        let Some(begun) = begun else { return Ok(Watched::Completed) };
        folder.remove_reports().map_err(WatchError::Reports)?;
        match begun.admit().await? {
            Some(ongoing) => ongoing.keep(stop).await,
            None => Ok(Watched::NotAccepted),
        }
    }

    /// Returns an error if the folder holds the transcript of a watch that has ended, or whose state is gone. One that
    /// was killed before it called the target is begun again.
    fn is_unused(&self) -> Result<(), WatchError> {
        let folder = || self.folder.display().to_string();
        if !has_a_line(&self.transcript())? {
            return Ok(());
        }
        let reading = read(&self.transcript())?;
        if reading.outcome.is_some() {
            return Err(WatchError::Ended(folder()));
        }
        let is_call =
            |entry: &Entry| entry.exchange().is_some() || entry.operation().is_some_and(is_accepting);
        if reading.traces().any(|trace| trace.entries().iter().any(is_call)) {
            return Err(WatchError::NoState(folder()));
        }
        Ok(())
    }

    fn transcript(&self) -> PathBuf {
        self.folder.join("transcript.jsonl")
    }

    fn peer(
        &self,
        recorder: &Recorder,
        clock: &Clock,
        snapshot: Option<PeerSnapshot>,
        listen: SocketAddr,
    ) -> Result<Peer, WatchError> {
        let options = Options {
            server_identity: self.run_context.server_identity.clone(),
            name: AUDITOR.to_owned(),
            seed: self.seed,
            clock: clock.clone(),
            behaviours: vec![],
            recorder: recorder.clone(),
            listen,
            advertise: self.run_context.advertise.clone(),
            profile: Profile {
                contract_digest: json!(self.contract.digest_to_send()),
                ..Profile::of_release(self.run_context.release())
            },
            permitted_choices: PermittedChoices::plain(),
            limits: self.run_context.limits,
            snapshot,
            pace: self.run_context.pace.map(Pace::one_in),
        };
        let peer = Peer::start(options)?;
        peer.set_target(TargetAddress {
            base_url: self.address.base_url.clone(),
            ca_bundle_pem: self.address.ca_bundle_pem.clone(),
            host_names_checked: self.run_context.host_names_checked,
            caller: self.address.caller,
        });
        Ok(peer)
    }
}

/// A running watch.
struct OngoingWatch {
    watch: Watch,
    path: PathBuf,
    state: State,
    transcript: Transcript,
    recorder: Recorder,
    clock: Clock,
    peer: Peer,
}

impl OngoingWatch {
    /// Opens the transcript and starts the peer. Nothing was sent yet.
    fn begin(watch: Watch, path: PathBuf) -> Result<Self, WatchError> {
        watch.is_unused()?;
        if watch.token.is_none() {
            return Err(WatchError::NoToken);
        }
        let grant = Grant::in_file(watch.grant.as_deref())?;
        let clock = Clock::system();
        let (transcript, recorder) = watch.open(&clock)?;
        let listen = SocketAddr::new(watch.run_context.listen, 0);
        let peer = watch.peer(&recorder, &clock, None, listen)?;
        let peering =
            Peering::of(&watch.address.base_url, &peer).map_err(|error| lost_keys(&path, &error))?;
        let state = State::new(peering, grant);
        Ok(Self { watch, path, state, transcript, recorder, clock, peer })
    }

    /// Restores the same peer after its process died or was stopped. Returns `None` if the watch had ended, and only
    /// its state was left.
    fn resume(watch: Watch, path: PathBuf) -> Result<Option<Self>, WatchError> {
        let mut state = State::read(&path)?;
        state.peering.is_at(&watch.address.base_url, &watch.folder)?;
        if watch.grant.is_some() && !state.grant.is_expected() {
            return Err(WatchError::NoGrant);
        }
        let clock = Clock::system();
        let resumed = Transcript::resume(&watch.transcript());
        let has_trace = |reading: &Reading| reading.trace(TRACE).is_some();
        let (watch, transcript, recorder) = match resumed {
            Ok((_, reading)) if reading.outcome.is_some() => {
                let has_left = reading.trace(TRACE).is_some_and(|trace| has_left(&trace));
                if !has_left && state.peering.snapshot.is_admitted() {
                    return Err(WatchError::NotLeft(watch.folder.display().to_string()));
                }
                State::remove(&path);
                return Ok(None);
            }
            Ok((transcript, reading)) if has_trace(&reading) => {
                let trace = reading.trace(TRACE).ok_or_else(|| foreign(&path))?;
                let recorder = transcript.go_on(&trace, clock.clone());
                let message = format!("the watch continues after entry {}", trace.entries().len());
                let note = Note { kind: NoteKind::Resumed, message, facts: Value::Null };
                recorder.record(None, None, What::Note(note));
                let RunStart { seed, contract, .. } = reading.start;
                (Watch { seed, contract, ..watch }, transcript, recorder)
            }
            // Nothing was recorded that is lost.
            _ if !state.is_accepting => {
                let (transcript, recorder) = watch.open(&clock)?;
                (watch, transcript, recorder)
            }
            Ok(_) => return Err(foreign(&path)),
            Err(error) => return Err(error.into()),
        };
        let Peering { snapshot, listen, .. } = &state.peering;
        let peer = watch.peer(&recorder, &clock, Some(snapshot.clone()), *listen)?;
        // The command line may advertise another URL now.
        state.peering.peer_url = peer.base_url_text();
        let ongoing = Self { watch, path, state, transcript, recorder, clock, peer };
        ongoing.learn_release();
        Ok(Some(ongoing))
    }

    /// Performs the handshake, unless it is done. Returns `None` if the target rejects the peer. The state is saved
    /// before the token is spent, so that a watch which is killed at any moment goes on, or says what it may have left.
    async fn admit(mut self) -> Result<Option<Self>, WatchError> {
        if self.state.peering.snapshot.is_admitted() {
            return Ok(Some(self));
        }
        let Some(token) = self.watch.token.clone() else { return Err(WatchError::NoToken) };
        let was_killed = std::mem::replace(&mut self.state.is_accepting, true);
        self.save()?;
        self.recorder.record(None, None, accepting());
        let accepted = self.peer.accept(&context("accepted"), &token, &Value::Null).await?;
        self.learn_release();
        let snapshot =
            self.peer.snapshot().ok().filter(|snapshot| accepted.succeeded() && snapshot.is_admitted());
        let Some(snapshot) = snapshot else {
            self.refused(&accepted, was_killed);
            return Ok(None);
        };
        let lasts = SignedDuration::try_from(self.watch.lasts).unwrap_or(SignedDuration::MAX);
        self.state.peering.snapshot = snapshot;
        self.state.until = Some(self.clock.now().saturating_add(lasts).unwrap_or(Timestamp::MAX));
        self.save()?;
        let id = self.peer.id_at_target().unwrap_or_default();
        (self.watch.show)(&format!("watch: accepted as peer {id}"));
        (self.watch.show)(&format!("contract text: {}", self.watch.contract));
        Ok(Some(self))
    }

    /// Ends a watch that the target did not accept.
    fn refused(&self, accepted: &CallOutcome, was_killed: bool) {
        let mut reason = format!("the target did not accept the auditor: {}", no_success(accepted));
        if was_killed {
            let url = self.peer.base_url_text();
            let _ = write!(
                reason,
                "; this watch was killed before while it accepted, so the token may be spent, and the target may keep a \
                 peer at {url}: ask its operator to revoke it, and for a new token"
            );
        }
        let outcome = Outcome::Aborted(Fault::target(reason));
        let _ = self.recorder.end(outcome.clone());
        self.transcript.end(outcome, &self.clock);
        State::remove(&self.path);
    }

    /// Sends heartbeats and requests the excerpt when due, until the duration is over.
    async fn keep(mut self, mut stop: watch::Receiver<bool>) -> Result<Watched, WatchError> {
        self.read_grant_file();
        let mut beats = interval(self.watch.every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beats.tick() => {}
                () = until(self.state.grant.due(), &self.clock) => {
                    self.state.grant.read(&self.peer, &self.clock).await?;
                    self.save()?;
                    continue;
                }
                _ = stop.wait_for(|stop| *stop) => {
                    self.save()?;
                    return Ok(Watched::Interrupted);
                }
            }
            if self.state.until.is_none_or(|until| self.clock.now() >= until) {
                return self.leave().await;
            }
            let beat = self.peer.heartbeat(&context("beat"), &Value::Null).await?;
            self.learn_release();
            self.report_certificate();
            // The target owes nothing to a peer that it rejects.
            if beat.succeeded() {
                self.request_excerpt().await?;
            }
            self.read_grant_file();
            self.save()?;
        }
    }

    /// Lets the peer take on the release of the target, unless the command line names the release of the peer.
    fn learn_release(&self) {
        if self.watch.run_context.release.is_none() {
            self.peer.learn_release();
        }
    }

    /// Reports once a day the remaining life of the certificate that the target signed or accepted.
    fn report_certificate(&mut self) {
        let now = self.clock.now();
        let reported_today = |at: Timestamp| now.duration_since(at) < CERTIFICATE_REPORTED_EVERY;
        let Some(certificate) = self.state.peering.snapshot.certificate() else { return };
        if self.state.certificate_reported_at.is_some_and(reported_today) {
            return;
        }
        self.state.certificate_reported_at = Some(now);
        let left = certificate.not_after.duration_since(now).as_hours() / 24;
        let note = Note {
            kind: NoteKind::Certificate,
            message: format!("the certificate of the peering is valid for {left} more days"),
            facts: json!({"not_after": certificate.not_after.to_string(), "serial": certificate.serial}),
        };
        self.recorder.record(None, None, What::Note(note));
    }

    /// Requests the excerpt at once. If it was promised, requests it again each hour and at its time limit.
    async fn request_excerpt(&mut self) -> Result<(), WatchError> {
        let now = self.clock.now();
        if !self.state.excerpt.is_due(now) {
            return Ok(());
        }
        let query = self.state.excerpt.query();
        let asked =
            self.peer.call(&context("asked"), Call { query, ..Call::route(&Route::AuditExcerpts) }).await?;
        self.state.excerpt.take(&asked, now);
        Ok(())
    }

    /// Reads the grant file if it exists. An invalid file is reported and can still be corrected.
    fn read_grant_file(&mut self) {
        if let Err(error) = self.state.grant.read_file(&self.recorder) {
            (self.watch.show)(&format!("watch: {}", with_causes(&error)));
        }
    }

    async fn leave(self) -> Result<Watched, WatchError> {
        // A watch that was killed while it left may have notified the target already.
        let is_notified = has_left(&self.recorder.trace()) || {
            let left = self.peer.revoke(&context("left"), "the watch is over").await?;
            left.is_some_and(|left| left.succeeded())
        };
        // A target that did not receive the notice has no reason to refuse later calls.
        if is_notified {
            self.peer.heartbeat(&context("late"), &Value::Null).await?;
        } else {
            (self.watch.show)(
                "watch: the target did not accept the notice that the peer leaves, so its keys are kept",
            );
        }
        self.peer.stop().await;
        let _ = self.recorder.end(Outcome::Completed);
        self.transcript.end(Outcome::Completed, &self.clock);
        // A peer that has not left needs its keys, to leave later.
        if is_notified {
            State::remove(&self.path);
        }
        match self.transcript.fault() {
            Some(why) => Err(self.wrong(why)),
            None => Ok(Watched::Completed),
        }
    }

    fn save(&self) -> Result<(), WatchError> {
        kept::save(&self.path, &self.state).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, why: String) -> WatchError {
        WatchError::File { path: self.path.display().to_string(), why }
    }
}

impl Watch {
    /// Opens a new transcript that lists the checks of the watch.
    fn open(&self, clock: &Clock) -> Result<(Transcript, Recorder), WatchError> {
        let loaded = scenario(self.grant.is_some())?;
        let url = self.address.base_url.to_string();
        let mut start = announce(self.seed, url.clone(), vec![url], self.contract.clone());
        let lasts = json!({"lasts_seconds": self.lasts.as_secs()});
        let settings = [("audit".to_owned(), json!(true)), ("watch".to_owned(), lasts.clone())];
        start.settings = settings.into_iter().chain(way_back_setting(&self.run_context)).collect();
        start.scenarios = vec![loaded.id];
        start.partial = true;
        let transcript = Transcript::create(&self.transcript(), start, clock)?;
        let scenario = ScenarioStart { source: loaded.source, seed: self.seed };
        let recorder = transcript.begin(TRACE, scenario, clock.clone());
        let began = Operation {
            method: "watch".to_owned(),
            parameters: lasts,
            result: Some(json!({})),
            failure: None,
        };
        recorder.record(None, Some("began"), What::Operation(began));
        if let Some(way_back) = &self.run_context.way_back {
            recorder.record(None, None, What::Note(way_back.note()));
        }
        Ok((transcript, recorder))
    }
}

/// Returns the scenario with the checks of a watch.
pub(crate) fn scenario(has_grant: bool) -> Result<Loaded, LoadError> {
    let source = if has_grant { [WATCH, WATCH_GRANT].concat() } else { WATCH.to_owned() };
    load(TRACE, "audits/watch.toml", &source)
}

/// Waits until a time, or forever if it is `None`.
#[expect(clippy::disallowed_methods, reason = "what is waited for is a time of day")]
async fn until(due: Option<Timestamp>, clock: &Clock) {
    match due {
        Some(due) => sleep(due.duration_since(clock.now()).try_into().unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}

/// Returns whether a file exists and holds a whole line, or a longer one than any of a transcript.
fn has_a_line(path: &Path) -> Result<bool, ReadError> {
    let file = match input::open(path) {
        Err(error) if error.is_missing() => return Ok(false),
        opened => opened?,
    };
    let mut line = Vec::new();
    let longest = LINE_BYTES_MAX as u64;
    let read = BufReader::new(file).take(longest).read_until(b'\n', &mut line);
    let length = read.map_err(|source| ReadError::Io { path: path.display().to_string(), source })?;
    Ok(line.ends_with(b"\n") || length as u64 == longest)
}

/// Returns the entry that is written before the token is spent: the answer may be lost with the process.
fn accepting() -> What {
    let (parameters, result) = (json!({}), Some(json!({})));
    What::Operation(Operation { method: ACCEPTING.to_owned(), parameters, result, failure: None })
}

pub(super) fn is_accepting(operation: &Operation) -> bool {
    operation.method == ACCEPTING
}

/// Reads the peering of a watch from its state. The error says what is wrong with the file.
pub(super) fn kept_by_watch(path: &Path) -> Result<Peering, String> {
    kept::load(path, "the state of a watch").map(|state: State| state.peering)
}

/// Returns whether the target accepted the notice that the peer leaves.
fn has_left(trace: &Trace) -> bool {
    trace.exchanges_labelled("left").any(|(_, left)| left.succeeded())
}

fn lost_keys(path: &Path, error: &PkiError) -> WatchError {
    WatchError::File { path: path.display().to_string(), why: error.to_string() }
}

fn foreign(path: &Path) -> WatchError {
    let why = "the transcript beside it is not of a watch".to_owned();
    WatchError::File { path: path.display().to_string(), why }
}

fn context(label: &str) -> StepContext {
    StepContext { step: None, label: Some(label.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_of_the_watch_loads() {
        for has_grant in [false, true] {
            assert!(scenario(has_grant).is_ok());
        }
    }
}
