//! A watch: a visit that goes on for hours or days, and goes on where it was when its process dies.

mod grant;

use std::collections::BTreeMap;
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
use super::plan::announce;
use super::words;
use crate::clock::{Clock, Seed};
use crate::operator::Address;
use crate::peer::{
    Call, CallOutcome, Options, Pace, Peer, PeerError, PeerSnapshot, PermittedChoices, Profile, StepContext,
    TargetAddress,
};
use crate::scenario::{LoadError, Loaded, RunContext, load};
use crate::transcript::{
    Note, Operation, Outcome, ReadError, Recorder, ScenarioStart, Transcript, TranscriptError, What,
};
use crate::wire::path::Route;

const WATCH: &str = include_str!("../../../audits/watch.toml");
/// What is evaluated as well where a grant is named.
const WATCH_GRANT: &str = include_str!("../../../audits/watch-grant.toml");
/// The trace's name.
const TRACE: &str = "audit/watch";
/// The visitor's.
const AUDITOR: &str = "auditor";
/// The file that holds what the watch needs to go on, keys among it.
const STATE: &str = "watch.json";
/// An excerpt that was promised is asked for again so often.
const ASK_AGAIN_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often the life of the peering's certificate is told.
const CERTIFICATE_TOLD_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// By then it has to be there (5.3).
const EXCERPT_DUE: SignedDuration = SignedDuration::from_hours(72);
/// When it is looked for once more: what is not there then does not come too late by a slow clock alone.
const EXCERPT_LATE: SignedDuration = SignedDuration::from_mins(2);
/// Longest id of a request that is sent back, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 256;
const SERVER_ERRORS: u16 = 500;
const TOO_MANY: u16 = 429;

/// A watch, before it begins or goes on.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Fixes every choice; a watch that goes on keeps its own.
    pub seed: Seed,
    /// What is watched.
    pub address: Address,
    /// The acceptance token; needed where the watch begins.
    pub token: Option<String>,
    /// For how long.
    pub lasts: Duration,
    /// The time between two heartbeats.
    pub every: Duration,
    /// What it is made in.
    pub run_context: RunContext,
    /// The folder of its evidence, and of what it needs to go on.
    pub folder: PathBuf,
    /// The file of a grant for the visitor: there already, or put there later. A watch that goes on
    /// keeps its own.
    pub grant: Option<PathBuf>,
    /// Who is told what its user has to know while it goes on.
    pub tell: fn(&str),
}

/// What a watch needs to go on.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    until: Timestamp,
    listen: SocketAddr,
    snapshot: PeerSnapshot,
    excerpt: Excerpt,
    certificate_told_at: Option<Timestamp>,
    grant: Grant,
}

/// How far the visitor has come with its excerpt.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Excerpt {
    asked_at: Option<Timestamp>,
    looked_at: Option<Timestamp>,
    request_id: Option<String>,
    is_there: bool,
}

/// Why there is no watch, or no more of it.
#[derive(Debug, Error)]
pub enum WatchError {
    /// The evidence can't be read, or was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It can't be begun.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// A file of the folder.
    #[error("{path}: {why}")]
    File {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The grant's file.
    #[error(
        "--grant-file {path}: {why}; expected JSON with bearer_token, resource_kind, resource_id, expires_at"
    )]
    Grant {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// What is evaluated was fixed when the watch began.
    #[error("--grant-file: this watch was begun without one; begin another in a folder of its own")]
    NoGrant,
    /// The watch ended before.
    #[error("{0}: this watch has ended; `covenant check` tells what came of it")]
    Ended(String),
    /// There is nothing to begin with.
    #[error("a watch begins with an acceptance token: name a file with --token-file")]
    NoToken,
    /// A peer could not be set up.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The built-in scenario is not sound.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// How a watch stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// To its end: the visitor has left.
    ToTheEnd,
    /// Interrupted: the same command goes on with it.
    UpToNow,
    /// The target did not let the visitor in.
    NotLetIn,
}

impl Watch {
    /// Watches until the time is over, or `stop` becomes true.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<Watched, WatchError> {
        let path = self.folder.join(STATE);
        let vigil =
            if path.exists() { Some(Vigil::go_on(self, path)?) } else { Vigil::begin(self, path).await? };
        match vigil {
            Some(vigil) => vigil.keep(stop).await,
            None => Ok(Watched::NotLetIn),
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
            name: AUDITOR.to_owned(),
            seed: self.seed,
            clock: clock.clone(),
            behaviours: vec![],
            recorder: recorder.clone(),
            listen,
            advertise: self.run_context.advertise.clone(),
            profile: Profile::of_release(self.run_context.release()),
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

/// A watch under way.
struct Vigil {
    watch: Watch,
    path: PathBuf,
    state: State,
    transcript: Transcript,
    recorder: Recorder,
    clock: Clock,
    peer: Peer,
}

impl Vigil {
    /// The handshake; none where the target does not let the visitor in.
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
            let reason = format!("the target did not let the visitor in: {status} {}", accepted.body);
            let _ = recorder.end(Outcome::Target { reason: reason.clone() });
            transcript.end(Outcome::Target { reason }, &clock);
            return Ok(None);
        };
        let lasts = SignedDuration::try_from(watch.lasts).unwrap_or(SignedDuration::MAX);
        let state = State {
            until: clock.now().saturating_add(lasts).unwrap_or(Timestamp::MAX),
            listen: peer.address(),
            snapshot,
            excerpt: Excerpt::default(),
            certificate_told_at: None,
            grant,
        };
        let vigil = Self { watch, path, state, transcript, recorder, clock, peer };
        vigil.save()?;
        let id = vigil.peer.id_at_target().unwrap_or_default();
        (vigil.watch.tell)(&format!("watch: let in as peer {id}"));
        Ok(Some(vigil))
    }

    /// The same visitor again, after its process died or was stopped.
    fn go_on(watch: Watch, path: PathBuf) -> Result<Self, WatchError> {
        let wrong = |why: String| WatchError::File { path: path.display().to_string(), why };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let state: State = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if watch.grant.is_some() && !state.grant.is_expected() {
            return Err(WatchError::NoGrant);
        }
        let (transcript, reading) = Transcript::resume(&watch.transcript())?;
        let trace = reading.traces.iter().find(|trace| trace.scenario() == TRACE);
        let trace = trace.ok_or_else(|| wrong("the transcript beside it is of no watch".to_owned()))?;
        let clock = Clock::system();
        let recorder = transcript.go_on(trace, clock.clone());
        let message = format!("the watch goes on, behind entry {}", trace.entries().len());
        let note = Note { kind: "resumed".to_owned(), message, facts: Value::Null };
        recorder.record(None, None, What::Note(note));
        let watch = Watch { seed: reading.start.seed, ..watch };
        let peer = watch.peer(&recorder, &clock, Some(state.snapshot.clone()), state.listen)?;
        Ok(Self { watch, path, state, transcript, recorder, clock, peer })
    }

    /// A heartbeat now and then, an excerpt when it is due, until the time is over.
    async fn keep(mut self, mut stop: watch::Receiver<bool>) -> Result<Watched, WatchError> {
        self.look_for_the_grant();
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
                    return Ok(Watched::UpToNow);
                }
            }
            if self.clock.now() >= self.state.until {
                return self.leave().await;
            }
            let beat = self.peer.heartbeat(&context("beat"), &Value::Null).await?;
            self.tell_of_the_certificate();
            // Whoever is not let in is owed nothing.
            if beat.succeeded() {
                self.ask_for_the_excerpt().await?;
            }
            self.look_for_the_grant();
            self.save()?;
        }
    }

    /// Once a day: how long the certificate lives that the target signed, or took.
    fn tell_of_the_certificate(&mut self) {
        let now = self.clock.now();
        let told_today = |at: Timestamp| now.duration_since(at) < CERTIFICATE_TOLD_EVERY;
        let Ok(certificate) = self.state.snapshot.certificate() else { return };
        if self.state.certificate_told_at.is_some_and(told_today) {
            return;
        }
        self.state.certificate_told_at = Some(now);
        let left = certificate.not_after.duration_since(now).as_hours() / 24;
        let note = Note {
            kind: "certificate".to_owned(),
            message: format!("the certificate of the peering lives {left} days more"),
            facts: json!({"not_after": certificate.not_after.to_string(), "serial": certificate.serial}),
        };
        self.recorder.record(None, None, What::Note(note));
    }

    /// At once, and where it was promised each hour and when its time is over.
    async fn ask_for_the_excerpt(&mut self) -> Result<(), WatchError> {
        let now = self.clock.now();
        let excerpt = &self.state.excerpt;
        if excerpt.is_there || excerpt.looked_at.is_some_and(|at| now.duration_since(at) < excerpt.pause(now))
        {
            return Ok(());
        }
        let query = excerpt.request_id.as_ref().map(|id| format!("request_id={id}"));
        let asked =
            self.peer.call(&context("asked"), Call { query, ..Call::route(&Route::AuditExcerpts) }).await?;
        self.state.excerpt.take(&asked, now);
        Ok(())
    }

    /// A grant may be put in its place at any time; what can't be read there may still be fixed.
    fn look_for_the_grant(&mut self) {
        if let Err(error) = self.state.grant.look(&self.recorder) {
            (self.watch.tell)(&format!("watch: {error}"));
        }
    }

    async fn leave(self) -> Result<Watched, WatchError> {
        let left = self.peer.revoke(&context("left"), "the watch is over").await?;
        // A target that did not hear of it has no reason to refuse what comes after it.
        if left.is_some_and(|left| left.succeeded()) {
            self.peer.heartbeat(&context("late"), &Value::Null).await?;
        } else {
            (self.watch.tell)("watch: the target did not take the leave: revoke the peer over there");
        }
        self.peer.stop().await;
        let _ = self.recorder.end(Outcome::Completed);
        self.transcript.end(Outcome::Completed, &self.clock);
        // The keys are good for nothing any more.
        let _ = std::fs::remove_file(&self.path);
        match self.transcript.fault() {
            Some(why) => Err(self.wrong(why)),
            None => Ok(Watched::ToTheEnd),
        }
    }

    /// Written whole, then put in its place; its owner's alone, since it holds keys.
    fn save(&self) -> Result<(), WatchError> {
        let text = serde_json::to_vec_pretty(&self.state).expect("a state has text keys only");
        let mut file =
            NamedTempFile::new_in(&self.watch.folder).map_err(|error| self.wrong(error.to_string()))?;
        file.write_all(&text).map_err(|error| self.wrong(error.to_string()))?;
        file.persist(&self.path).map_err(|error| self.wrong(error.to_string()))?;
        Ok(())
    }

    fn wrong(&self, why: String) -> WatchError {
        WatchError::File { path: self.path.display().to_string(), why }
    }
}

impl Watch {
    /// A new transcript, with all that the watch will be evaluated by.
    fn open(&self, clock: &Clock) -> Result<(Transcript, Recorder), WatchError> {
        let loaded = scenario(self.grant.is_some())?;
        let url = self.address.base_url.to_string();
        let mut start = announce(self.seed, url.clone(), vec![url]);
        let lasts = json!({"lasts_seconds": self.lasts.as_secs()});
        start.settings =
            BTreeMap::from([("audit".to_owned(), json!(true)), ("watch".to_owned(), lasts.clone())]);
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
        Ok((transcript, recorder))
    }
}

impl Excerpt {
    /// What a look came to. A target that could not answer is looked at again with the next heartbeat.
    fn take(&mut self, asked: &CallOutcome, now: Timestamp) {
        if !asked.status.is_some_and(|status| status < SERVER_ERRORS && status != TOO_MANY) {
            return;
        }
        self.asked_at.get_or_insert(now);
        self.looked_at = Some(now);
        self.is_there = asked.status == Some(200);
        let promised = asked.data.as_ref().and_then(|data| match &data["request_id"] {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        });
        if let Some(id) = promised.filter(|id| id.len() <= REQUEST_ID_BYTES_MAX) {
            self.request_id.get_or_insert_with(|| byte_serialize(id.as_bytes()).collect());
        }
    }

    /// How long to wait before it is asked for again: as its time runs out, and that of a late answer,
    /// no longer than that.
    fn pause(&self, now: Timestamp) -> SignedDuration {
        let after = |due| self.asked_at.and_then(|at| at.saturating_add(due).ok());
        let next =
            [EXCERPT_DUE, EXCERPT_DUE + EXCERPT_LATE].into_iter().filter_map(after).find(|due| *due > now);
        next.map_or(ASK_AGAIN_EVERY, |due| ASK_AGAIN_EVERY.min(due.duration_since(now)))
    }
}

/// What is evaluated of a watch.
pub(super) fn scenario(has_grant: bool) -> Result<Loaded, LoadError> {
    let source = if has_grant { [WATCH, WATCH_GRANT].concat() } else { WATCH.to_owned() };
    load(TRACE, "audits/watch.toml", &source, &words())
}

/// Until then; without a time, for ever.
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
    fn the_watch_is_a_sound_scenario() {
        for has_grant in [false, true] {
            assert!(scenario(has_grant).is_ok());
        }
    }

    #[test]
    fn an_excerpt_is_asked_for_each_hour_and_when_its_time_is_over() {
        let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let excerpt = Excerpt { asked_at: Some(start), ..Excerpt::default() };
        assert_eq!(excerpt.pause(start), SignedDuration::from_hours(1));
        let late = start + SignedDuration::from_mins(72 * 60 - 10);
        assert_eq!(excerpt.pause(late), SignedDuration::from_mins(10));
        let due = start + SignedDuration::from_hours(72);
        assert_eq!(excerpt.pause(due), SignedDuration::from_mins(2));
        assert_eq!(excerpt.pause(start + SignedDuration::from_hours(80)), SignedDuration::from_hours(1));
    }

    #[test]
    fn what_could_not_be_answered_is_asked_for_again_at_once_and_any_id_is_sent_back() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let mut excerpt = Excerpt::default();
        excerpt.take(&CallOutcome { status: Some(503), ..CallOutcome::default() }, now);
        excerpt.take(&CallOutcome::default(), now);
        assert_eq!((excerpt.asked_at, excerpt.looked_at), (None, None));
        let data = Some(json!({"request_id": "req_1&x=2"}));
        excerpt.take(&CallOutcome { status: Some(202), data, ..CallOutcome::default() }, now);
        assert_eq!(excerpt.request_id.as_deref(), Some("req_1%26x%3D2"));
        assert_eq!(excerpt.looked_at, Some(now));
    }
}
