//! The stage of one scenario: its peers, its target, and what its steps know of each other.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::super::format::{Expect, PeerSpec, Repeat, Scenario, Step};
use super::super::values::Values;
use super::{Halt, Surroundings, numbered, releases};
use crate::clock::{Clock, Seed};
use crate::operator::{Hands, HandsError, Lease, Tie, Verb};
use crate::peer::behaviours::behaviour;
use crate::peer::{Cue, Options, Outcome, Pace, Peer, Profile, TargetAddress, Variation};
use crate::transcript::{Note, Recorder, What};
use crate::wire::header::CallerForm;

/// Years that a target's clock can show: dates are reckoned from it.
const YEARS: std::ops::Range<i32> = 2000..2200;

/// A verb that cannot exist.
const IMPOSSIBLE_VERB: &str = "covenant.square_the_circle";

pub(super) struct Stage<'a> {
    pub(super) hands: Arc<dyn Hands>,
    pub(super) clock: Clock,
    /// How the peers make themselves known to the target.
    caller: CallerForm,
    /// Whether the target is this scenario's own.
    is_fresh: bool,
    /// How the clock goes with the target's.
    pub(super) tie: Tie,
    /// What the target's clock showed last, since it was moved.
    told: Option<Timestamp>,
    /// Whether it runs on between moves.
    runs: bool,
    _guard: Option<Box<dyn Send + Sync>>,
    pub(super) recorder: Recorder,
    pub(super) values: Values,
    pub(super) peers: BTreeMap<String, Peer>,
    pub(super) surroundings: &'a Surroundings,
    /// How fast the peers call together.
    pace: Option<Pace>,
    /// What the last call or operation came to.
    last: Value,
    seed: Seed,
    settings: Value,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        scenario: &Scenario,
        lease: Lease,
        recorder: Recorder,
        seed: Seed,
        surroundings: &'a Surroundings,
    ) -> Self {
        let mut values = Values::new(&lease.clock, seed);
        values.set("release", releases::around(surroundings.release()));
        Self {
            hands: lease.hands,
            values,
            clock: lease.clock,
            tie: lease.tie,
            told: None,
            runs: false,
            caller: lease.caller,
            is_fresh: lease.is_fresh,
            _guard: lease.guard,
            recorder,
            peers: BTreeMap::new(),
            pace: surroundings.pace.map(Pace::one_in),
            surroundings,
            last: Value::Null,
            seed,
            settings: Value::Object(scenario.settings.clone()),
        }
    }

    /// Plays the scenario. Where it can't go on: at which step, and why.
    pub(super) async fn play(&mut self, scenario: &Scenario) -> Result<(), (u32, Halt)> {
        self.set_up(scenario).await.map_err(|halt| (0, halt))?;
        let mut last = 0;
        for (number, step) in numbered(&scenario.steps) {
            self.in_time(number, step).await.map_err(|halt| (number, halt))?;
            self.is_not_swamped().map_err(|halt| (number, halt))?;
            last = number;
        }
        // How late it is at the end is what tells whether a time limit was waited for.
        self.follow_clock().await.map_err(|halt| (last, halt))
    }

    /// A step, at the time that the target's clock shows.
    async fn in_time(&mut self, number: u32, step: &Step) -> Result<(), Halt> {
        self.follow_clock().await?;
        self.step(number, step).await
    }

    /// Of a target that calls without end not everything is told: nothing can be judged by what is missing.
    fn is_not_swamped(&self) -> Result<(), Halt> {
        let swamped = self.peers.values().find_map(|peer| Some((peer.name(), peer.calls_too_many()?)));
        match swamped {
            Some((name, calls)) => {
                Err(Halt::Target(format!("the target called {name} more than {calls} times")))
            }
            None => Ok(()),
        }
    }

    /// Takes the peers down.
    pub(super) async fn clear(&mut self) {
        for peer in self.peers.values() {
            peer.go_down().await;
            if let Some(count) = peer.beats_counted() {
                let name = peer.name();
                let message = format!("{count} heartbeats more to {name} said what the one before each said");
                self.note(&Cue::default(), "counted", message, json!({"peer": name, "heartbeats": count}));
            }
        }
    }

    async fn set_up(&mut self, scenario: &Scenario) -> Result<(), Halt> {
        if scenario.lasting && !self.is_fresh {
            let verb = Verb::PlatformReset.to_string();
            return Err(Halt::Hands(HandsError::Unsupported { verb }));
        }
        let settings = self.settings.clone();
        let cue = Cue::default();
        if scenario.sanity {
            self.ask_the_impossible(&cue).await?;
        }
        let started = self.operate(&cue, "platform.start", json!({"settings": settings})).await?;
        let target = self.target_address(&started)?;
        self.follow_clock().await?;
        for spec in &scenario.peers {
            let peer = self.peer(spec)?;
            peer.meet(target.clone());
            self.values.set(&spec.name, json!({"base_url": peer.base_url().as_str().trim_end_matches('/')}));
            self.peers.insert(spec.name.clone(), peer);
        }
        Ok(())
    }

    /// Sets the peers' clock by the target's, where that is how they go together. It stands in no
    /// transcript: each entry bears the time that it gives.
    pub(super) async fn follow_clock(&mut self) -> Result<(), Halt> {
        if self.tie != Tie::Followed {
            return Ok(());
        }
        // A target that is not running may have no time; it has one again when it is.
        let Some(now) = self.target_time().await? else { return Ok(()) };
        if !self.runs && self.told.is_none_or(|told| told == now) {
            self.runs = self.target_time().await?.is_some_and(|again| again != now);
        }
        self.runs |= self.told.is_some_and(|told| told != now);
        self.told = Some(now);
        self.clock.set(now, self.runs);
        Ok(())
    }

    async fn target_time(&self) -> Result<Option<Timestamp>, Halt> {
        let verb = Verb::ClockNow.to_string();
        let Ok(told) = self.hands.perform(&verb, json!({})).await else { return Ok(None) };
        let now = told["now"].as_str().and_then(|now| now.parse().ok());
        now.filter(|now: &Timestamp| YEARS.contains(&now.strftime("%Y").to_string().parse().unwrap_or(0)))
            .map(Some)
            .ok_or_else(|| {
                let message = format!(
                    "now: a moment as in RFC 3339, of this century or the next, was expected, found {}",
                    told["now"]
                );
                Halt::Hands(HandsError::Adapter { verb, message })
            })
    }

    /// The target's clock was moved: what it showed before says nothing any more.
    pub(super) fn forget_time(&mut self) {
        self.told = None;
    }

    /// An adapter that does anything it is asked for says nothing by it: it has to be able to say
    /// that it does not know a verb.
    async fn ask_the_impossible(&mut self, cue: &Cue) -> Result<(), Halt> {
        match self.operate(cue, IMPOSSIBLE_VERB, json!({})).await {
            Err(HandsError::Unsupported { .. }) => Ok(()),
            Ok(_) | Err(HandsError::Refused { .. }) => Err(Halt::Hands(HandsError::Adapter {
                verb: IMPOSSIBLE_VERB.to_owned(),
                message: "there is no such verb, and the adapter did not say so (-32601)".to_owned(),
            })),
            Err(other) => Err(other.into()),
        }
    }

    fn peer(&mut self, spec: &PeerSpec) -> Result<Peer, Halt> {
        let seed = self.seed.derive(&spec.name);
        let drawn = self.surroundings.variation.unwrap_or_else(|| Variation::of(seed));
        let mut variation = if spec.plain { Variation::plain() } else { drawn };
        if let Some(identity) = spec.identity {
            variation.identity = identity;
        }
        variation.reuse_connections |= spec.keeps_connections;
        let options = Options {
            name: spec.name.clone(),
            seed,
            clock: self.clock.clone(),
            behaviours: spec.behaviours.iter().filter_map(|name| behaviour(name)).collect(),
            recorder: self.recorder.clone(),
            listen: SocketAddr::new(self.surroundings.listen, 0),
            advertise: self.surroundings.advertise.clone(),
            profile: self.profile(spec)?,
            variation,
            limits: self.surroundings.limits,
            keepsake: None,
            pace: self.pace.clone(),
        };
        Ok(Peer::start(options)?)
    }

    fn profile(&mut self, spec: &PeerSpec) -> Result<Profile, Halt> {
        let usual = Profile::of_release(self.surroundings.release());
        let said = self.values.fill(&Value::Object(spec.profile.clone()))?;
        let said = said.as_object().cloned().unwrap_or_default();
        usual.with(&said).map_err(|error| Halt::Scenario(format!("peer {}: {error}", spec.name)))
    }

    fn step<'s>(
        &'s mut self,
        number: u32,
        step: &'s Step,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Halt>> + Send + 's>> {
        let cue = Cue { step: Some(number), label: step.label().map(ToOwned::to_owned) };
        Box::pin(async move {
            match step {
                Step::Federate(step) => self.federate(&cue, &step.peer).await,
                Step::Propose(step) => self.propose(&cue, &step.peer).await,
                Step::Accept(step) => self.accept(&cue, step).await,
                Step::Join(step) => self.join(&cue, &step.peer).await,
                Step::Heartbeat(step) => self.heartbeat(&cue, step).await,
                Step::Interject(step) => {
                    self.peer_named(&step.peer)?.interject(step.label.clone());
                    Ok(())
                }
                Step::Fetch(step) => self.fetch(&cue, step).await,
                Step::Migrate(step) => self.migrate(&cue, step).await,
                Step::Commit(step) => self.commit(&cue, step).await,
                Step::ShowMigration(step) => self.show_migration(&cue, step).await,
                Step::Sync(step) => self.sync(&cue, step).await,
                Step::Excerpt(step) => self.excerpt(&cue, step).await,
                Step::Call(step) => self.any_call(&cue, step).await,
                Step::Flood(step) => self.flood(&cue, step).await,
                Step::Revoke(step) => self.revoke(&cue, &step.peer).await,
                Step::Notify(step) => self.notify(&cue, step).await,
                Step::Hold(step) => self.hold(&cue, step).await,
                Step::EndGrant(step) => self.end_grant(&cue, step).await,
                Step::PeerPut(step) => self.peer_put(step),
                Step::GoDown(step) => {
                    self.peer_named(&step.peer)?.go_down().await;
                    Ok(())
                }
                Step::ComeUp(step) => Ok(self.peer_named(&step.peer)?.come_up()?),
                Step::HangUp(step) => {
                    self.peer_named(&step.peer)?.hang_up();
                    Ok(())
                }
                Step::Operator(step) => self.operator(&cue, step).await,
                Step::Grant(step) => self.grant(&cue, step).await,
                Step::Put(step) => self.put(&cue, step).await,
                Step::Scan(step) => self.scan(&cue, step).await,
                Step::TryKinds(step) => self.try_kinds(&cue, step).await,
                Step::Advance(step) => self.advance(&cue, step.seconds).await,
                Step::Expect(step) => self.expect(step),
                Step::Wait(step) => self.wait(&cue, step).await,
                Step::Repeat(step) => self.repeat(number, step).await,
            }
        })
    }

    async fn repeat(&mut self, number: u32, repeat: &Repeat) -> Result<(), Halt> {
        for turn in 1..=repeat.times {
            self.values.set("turn", Value::from(turn));
            for step in &repeat.step {
                self.in_time(number, step).await?;
            }
        }
        Ok(())
    }

    fn expect(&mut self, expect: &Expect) -> Result<(), Halt> {
        let found = match &expect.of {
            Some(label) => self.values.value(label).cloned().unwrap_or(Value::Null),
            None => self.last.clone(),
        };
        let status = found.get("status").and_then(Value::as_u64);
        if !expect.status.is_empty() && !expect.status.iter().any(|wanted| status == Some(u64::from(*wanted)))
        {
            let wanted: Vec<String> = expect.status.iter().map(ToString::to_string).collect();
            let body = found.get("body").unwrap_or(&Value::Null);
            return Err(Halt::Target(match status {
                Some(status) => format!("expected {}, answered {status}: {body}", wanted.join(" or ")),
                None => format!("expected {}, and there was no answer", wanted.join(" or ")),
            }));
        }
        let wanted = self.values.fill(&expect.data)?;
        let data = found.get("data").unwrap_or(&found);
        match missing(&wanted, data) {
            Some(what) => Err(Halt::Target(format!("expected {what}"))),
            None => Ok(()),
        }
    }

    /// Where the target is, from what `platform.start` answered.
    pub(super) fn target_address(&self, started: &Value) -> Result<TargetAddress, Halt> {
        let text = started["base_url"].as_str().unwrap_or_default();
        let base_url = Url::parse(text)
            .map_err(|error| Halt::Target(format!("platform.start gave no base_url ({text:?}: {error})")))?;
        let ca_bundle_pem = started["ca_bundle_pem"].as_str().map(ToOwned::to_owned);
        Ok(TargetAddress { base_url, ca_bundle_pem, caller: self.caller })
    }

    pub(super) fn peer_named(&self, name: &str) -> Result<Peer, Halt> {
        self.peers.get(name).cloned().ok_or_else(|| Halt::Scenario(format!("no peer is called {name}")))
    }

    /// Keeps what a call came to, for the steps that follow.
    pub(super) fn keep_outcome(&mut self, cue: &Cue, outcome: &Outcome) {
        let value = json!({
            "n": outcome.n, "status": outcome.status, "body": outcome.body, "data": outcome.data,
        });
        self.keep(cue, value);
    }

    pub(super) fn keep(&mut self, cue: &Cue, value: Value) {
        if let Some(label) = &cue.label {
            self.values.set(label, value.clone());
        }
        self.last = value;
    }

    pub(super) fn note(&self, cue: &Cue, kind: &str, message: impl Into<String>, facts: Value) {
        let note = Note { kind: kind.to_owned(), message: message.into(), facts };
        self.recorder.record(cue.step, cue.label.as_deref(), What::Note(note));
    }
}

/// What of `wanted` is not in `found`, in words.
pub(super) fn missing(wanted: &Value, found: &Value) -> Option<String> {
    match wanted {
        Value::Null => None,
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let there = found.get(name).unwrap_or(&Value::Null);
            missing(member, there)
                .map(|what| if member.is_object() { what } else { format!("{name}: {what}") })
        }),
        other if other == found => None,
        other => Some(format!("{other}, found {found}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let found = json!({"status": "active", "more": 1, "deep": {"a": 2}});
        assert_eq!(missing(&json!({"status": "active", "deep": {"a": 2}}), &found), None);
        assert_eq!(missing(&json!({"deep": {"a": 3}}), &found), Some("a: 3, found 2".into()));
        assert_eq!(missing(&json!({"none": 1}), &found), Some("none: 1, found null".into()));
    }
}
