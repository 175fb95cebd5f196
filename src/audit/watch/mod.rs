//! A watch: an authenticated audit that lasts hours or days, and continues after its process ends.

mod grant;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use url::form_urlencoded::byte_serialize;

use self::grant::Grant;
use crate::Fault;
use crate::clock::{Clock, Seed};
use crate::contract::HeldText;
use crate::operator::Address;
use crate::peer::{
    Call, CallOutcome, Options, Pace, Peer, PeerError, PeerSnapshot, PermittedChoices, Profile, StepContext,
    TargetAddress,
};
use crate::runner::{announce, way_back_setting};
use crate::scenario::{LoadError, Loaded, RunContext, load};
use crate::transcript::{
    Note, NoteKind, Operation, Outcome, ReadError, Recorder, ScenarioStart, Transcript, TranscriptError, What,
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
/// The file with the state that a watch needs to continue, including its keys.
const STATE: &str = "watch.json";
/// The interval between two requests for an excerpt that was promised.
const ASK_AGAIN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The interval between two reports of the remaining life of the peering's certificate.
const CERTIFICATE_REPORTED_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// The time limit for the excerpt (5.3).
const EXCERPT_DUE: SignedDuration = SignedDuration::from_hours(72);
/// The time after the limit at which the excerpt is requested once more, so that a slow clock alone does not
/// make it late.
const EXCERPT_LATE: SignedDuration = SignedDuration::from_mins(2);
/// The longest request id that is sent back, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 256;
const SERVER_ERRORS: u16 = 500;
const TOO_MANY: u16 = 429;

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

/// The state that a watch needs to continue.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    until: Timestamp,
    listen: SocketAddr,
    snapshot: PeerSnapshot,
    excerpt: Excerpt,
    certificate_reported_at: Option<Timestamp>,
    grant: Grant,
}

/// The progress of the peer with its audit excerpt.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Excerpt {
    requested_at: Option<Timestamp>,
    checked_at: Option<Timestamp>,
    request_id: Option<String>,
    is_received: bool,
}

/// An error that ends a watch.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The evidence cannot be read, or was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transcript cannot be started.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// A file of the folder cannot be used.
    #[error("{path}: {why}")]
    File {
        /// The path of the file.
        path: String,
        /// The error.
        why: String,
    },
    /// The grant file cannot be used.
    #[error(
        "--grant-file {path}: {why}; expected JSON with bearer_token, resource_kind, resource_id, expires_at"
    )]
    Grant {
        /// The path of the file.
        path: String,
        /// The error.
        why: String,
    },
    /// The checks of a watch are fixed when it begins.
    #[error("--grant-file: this watch was begun without one; begin another in a folder of its own")]
    NoGrant,
    /// The watch has ended already.
    #[error("{0}: this watch has ended; `covenant verify` shows its report")]
    Ended(String),
    /// A new watch has no acceptance token.
    #[error("a watch begins with an acceptance token: name a file with --token-file")]
    NoToken,
    /// The peer could not be set up.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The built-in scenario is invalid.
    #[error(transparent)]
    Load(#[from] LoadError),
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
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<Watched, WatchError> {
        let path = self.folder.join(STATE);
        let ongoing = if path.exists() {
            Some(OngoingWatch::resume(self, path)?)
        } else {
            OngoingWatch::begin(self, path).await?
        };
        match ongoing {
            Some(ongoing) => ongoing.keep(stop).await,
            None => Ok(Watched::NotAccepted),
        }
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
    /// Performs the handshake. Returns `None` if the target rejects the peer.
    async fn begin(watch: Watch, path: PathBuf) -> Result<Option<Self>, WatchError> {
        if watch.transcript().exists() {
            return Err(WatchError::Ended(watch.folder.display().to_string()));
        }
        let Some(token) = watch.token.clone() else { return Err(WatchError::NoToken) };
        let grant = Grant::in_file(watch.grant.as_deref())?;
        let clock = Clock::system();
        let (transcript, recorder) = watch.open(&clock)?;
        let listen = SocketAddr::new(watch.run_context.listen, 0);
        let peer = watch.peer(&recorder, &clock, None, listen)?;
        let accepted = peer.accept(&context("accepted"), &token, &Value::Null).await?;
        let snapshot = peer.snapshot().ok().flatten().filter(|_| accepted.succeeded());
        let Some(snapshot) = snapshot else {
            let status = accepted.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            let reason = format!("the target did not accept the auditor: {status} {}", accepted.body);
            let outcome = Outcome::Aborted(Fault::target(reason));
            let _ = recorder.end(outcome.clone());
            transcript.end(outcome, &clock);
            return Ok(None);
        };
        let lasts = SignedDuration::try_from(watch.lasts).unwrap_or(SignedDuration::MAX);
        let state = State {
            until: clock.now().saturating_add(lasts).unwrap_or(Timestamp::MAX),
            listen: peer.address(),
            snapshot,
            excerpt: Excerpt::default(),
            certificate_reported_at: None,
            grant,
        };
        let ongoing = Self { watch, path, state, transcript, recorder, clock, peer };
        ongoing.save()?;
        let id = ongoing.peer.id_at_target().unwrap_or_default();
        (ongoing.watch.show)(&format!("watch: accepted as peer {id}"));
        (ongoing.watch.show)(&format!("contract text: {}", ongoing.watch.contract));
        Ok(Some(ongoing))
    }

    /// Restores the same peer after its process died or was stopped.
    fn resume(watch: Watch, path: PathBuf) -> Result<Self, WatchError> {
        let wrong = |why: String| WatchError::File { path: path.display().to_string(), why };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let state: State = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if watch.grant.is_some() && !state.grant.is_expected() {
            return Err(WatchError::NoGrant);
        }
        let (transcript, reading) = Transcript::resume(&watch.transcript())?;
        let trace = reading.traces.iter().find(|trace| trace.scenario() == TRACE);
        let trace = trace.ok_or_else(|| wrong("the transcript beside it is not of a watch".to_owned()))?;
        let clock = Clock::system();
        let recorder = transcript.go_on(trace, clock.clone());
        let message = format!("the watch continues after entry {}", trace.entries().len());
        let note = Note { kind: NoteKind::Resumed, message, facts: Value::Null };
        recorder.record(None, None, What::Note(note));
        let watch = Watch { seed: reading.start.seed, contract: reading.start.contract, ..watch };
        let peer = watch.peer(&recorder, &clock, Some(state.snapshot.clone()), state.listen)?;
        Ok(Self { watch, path, state, transcript, recorder, clock, peer })
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
            if self.clock.now() >= self.state.until {
                return self.leave().await;
            }
            let beat = self.peer.heartbeat(&context("beat"), &Value::Null).await?;
            self.report_certificate();
            // The target owes nothing to a peer that it rejects.
            if beat.succeeded() {
                self.request_excerpt().await?;
            }
            self.read_grant_file();
            self.save()?;
        }
    }

    /// Reports once a day the remaining life of the certificate that the target signed or accepted.
    fn report_certificate(&mut self) {
        let now = self.clock.now();
        let reported_today = |at: Timestamp| now.duration_since(at) < CERTIFICATE_REPORTED_EVERY;
        let Ok(certificate) = self.state.snapshot.certificate() else { return };
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
        let excerpt = &self.state.excerpt;
        if excerpt.is_received
            || excerpt.checked_at.is_some_and(|at| now.duration_since(at) < excerpt.pause(now))
        {
            return Ok(());
        }
        let query = excerpt.request_id.as_ref().map(|id| format!("request_id={id}"));
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
        let left = self.peer.revoke(&context("left"), "the watch is over").await?;
        // A target that did not receive the notice has no reason to refuse later calls.
        if left.is_some_and(|left| left.succeeded()) {
            self.peer.heartbeat(&context("late"), &Value::Null).await?;
        } else {
            (self.watch.show)(
                "watch: the target did not accept the notice: ask its operator to revoke the peer",
            );
        }
        self.peer.stop().await;
        let _ = self.recorder.end(Outcome::Completed);
        self.transcript.end(Outcome::Completed, &self.clock);
        // The keys have no further use.
        let _ = std::fs::remove_file(&self.path);
        match self.transcript.fault() {
            Some(why) => Err(self.wrong(why)),
            None => Ok(Watched::Completed),
        }
    }

    /// Writes the state to a temporary file and renames it. The file is readable by its owner only, because
    /// it holds keys.
    fn save(&self) -> Result<(), WatchError> {
        let text = serde_json::to_vec_pretty(&self.state).expect("a state has text keys only");
        let mut file =
            NamedTempFile::new_in(&self.watch.folder).map_err(|error| self.wrong(error.to_string()))?;
        file.write_all(&text).map_err(|error| self.wrong(error.to_string()))?;
        file.persist(&self.path).map_err(|unsaved| self.wrong(unsaved.error.to_string()))?;
        Ok(())
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

impl Excerpt {
    /// Records the result of a request for the excerpt. If the target could not answer, the next heartbeat
    /// retries it.
    fn take(&mut self, asked: &CallOutcome, now: Timestamp) {
        if !asked.status.is_some_and(|status| status < SERVER_ERRORS && status != TOO_MANY) {
            return;
        }
        self.requested_at.get_or_insert(now);
        self.checked_at = Some(now);
        self.is_received = asked.status == Some(200);
        let promised = asked.data.as_ref().and_then(|data| match &data["request_id"] {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        if let Some(id) = promised.filter(|id| id.len() <= REQUEST_ID_BYTES_MAX) {
            self.request_id.get_or_insert_with(|| byte_serialize(id.as_bytes()).collect());
        }
    }

    /// Returns the time until the next request. The pause never passes the time limit of the excerpt or the
    /// late check after it.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        let after = |due| self.requested_at.and_then(|at| at.saturating_add(due).ok());
        let next =
            [EXCERPT_DUE, EXCERPT_DUE + EXCERPT_LATE].into_iter().filter_map(after).find(|due| *due > now);
        next.map_or(ASK_AGAIN_EVERY, |due| ASK_AGAIN_EVERY.min(due.duration_since(now)))
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

    #[test]
    fn an_excerpt_is_requested_each_hour_and_at_its_time_limit() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let excerpt = Excerpt { requested_at: Some(start), ..Excerpt::default() };
        assert_eq!(excerpt.pause(start), SignedDuration::from_hours(1));
        let late = start + SignedDuration::from_mins(72 * 60 - 10);
        assert_eq!(excerpt.pause(late), SignedDuration::from_mins(10));
        let due = start + SignedDuration::from_hours(72);
        assert_eq!(excerpt.pause(due), SignedDuration::from_mins(2));
        assert_eq!(excerpt.pause(start + SignedDuration::from_hours(80)), SignedDuration::from_hours(1));
    }

    #[test]
    fn an_excerpt_that_could_not_be_answered_is_requested_again_and_any_id_is_sent_back() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let mut excerpt = Excerpt::default();
        excerpt.take(&CallOutcome { status: Some(503), ..CallOutcome::default() }, now);
        excerpt.take(&CallOutcome::default(), now);
        assert_eq!((excerpt.requested_at, excerpt.checked_at), (None, None));
        let data = Some(json!({"request_id": "req_1&x=2"}));
        excerpt.take(&CallOutcome { status: Some(202), data, ..CallOutcome::default() }, now);
        assert_eq!(excerpt.request_id.as_deref(), Some("req_1%26x%3D2"));
        assert_eq!(excerpt.checked_at, Some(now));
    }
}
