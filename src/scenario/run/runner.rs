//! The scenario runner: the peers, the target and the values of one scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::super::check_spec::CheckSpec;
use super::super::fit::{Fitted, Unfit};
use super::super::format::{Expect, PeerSpec, Repeat, Scenario, Step};
use super::super::values::Values;
use super::courier::Couriers;
use super::operator::awaited;
use super::real_time::clock_seconds;
use super::reason::no_success;
use super::{RunContext, StepError, numbered, releases};
use crate::Stage;
use crate::clock::{Clock, Seed};
use crate::contract::V1_2026_05;
use crate::operator::platform::{Reset, Start};
use crate::operator::{
    ClockSync, Lease, NONEXISTENT_METHOD, NamedRecord, OperatorClient, OperatorError, OperatorMethod,
    is_plain_elsewhere,
};
use crate::peer::behaviours::behaviour;
use crate::peer::{CallOutcome, Options, Pace, Peer, PermittedChoices, Profile, StepContext, TargetAddress};
use crate::transcript::{Note, NoteKind, Recorder, What};
use crate::wire::catalog::{offering_to_fill, offering_to_try};
use crate::wire::generation::CallerForm;
use crate::wire::path::without_prefix;
use crate::wire::state::PeerStatus;

pub(super) struct ScenarioRunner<'a> {
    pub(super) operator: Arc<dyn OperatorClient>,
    pub(super) clock: Clock,
    /// The way in which the peers identify themselves to the target.
    caller: CallerForm,
    /// True if the target belongs to this scenario only.
    is_fresh: bool,
    /// The relation between the peers' clock and the target's.
    pub(super) clock_sync: ClockSync,
    /// The last time that the target's clock showed since it was moved.
    pub(super) reported: Option<Timestamp>,
    /// True if an accept has shown the time of a target whose clock can't be read.
    pub(super) has_seen_accept: bool,
    /// True if the clock runs between two moves.
    pub(super) runs: bool,
    _guard: Option<Box<dyn Send + Sync>>,
    pub(super) recorder: Recorder,
    pub(super) values: Values,
    /// The entries that the waits of the first time found.
    pub(super) found: BTreeSet<u64>,
    pub(super) peers: BTreeMap<String, Peer>,
    /// The address of the target, once it was started.
    target: Option<TargetAddress>,
    pub(super) couriers: Couriers,
    pub(super) run_context: &'a RunContext,
    /// The common pace of the peers' calls.
    pace: Option<Pace>,
    /// The outcome of the last call or operation.
    pub(super) last: Value,
    seed: Seed,
    pub(super) settings: Value,
    checks: Vec<CheckSpec>,
    /// The labels of the steps that were left out, with the missing method.
    left_out: BTreeMap<String, String>,
    /// The method whose lack left out the last step that gives a result.
    last_left_out: Option<String>,
    /// The number of seconds by which the scenario moves the clock in all.
    pub(super) clock_seconds: u64,
    /// The names of the peers about which a scan of the scenario waits for a finding.
    pub(super) awaited: BTreeSet<String>,
    /// The id of the record of each kind that a `put` stored last.
    pub(super) put_last: BTreeMap<String, String>,
    /// The records that the user names and this scenario reads, by the text of the id in the step.
    pub(super) named_records: BTreeMap<String, NamedRecord>,
    /// The steps that the target's kinds do not suffice for, and the capabilities that its kinds give to a peer.
    fitting: Option<(BTreeMap<u32, Unfit>, Value)>,
}

/// A choice of an offering in the data of a catalogue.
type OfferingOf = fn(&Value) -> Option<&Value>;

impl<'a> ScenarioRunner<'a> {
    pub(super) fn new(
        scenario: &Scenario,
        lease: Lease,
        recorder: Recorder,
        seed: Seed,
        run_context: &'a RunContext,
    ) -> Self {
        let mut values = Values::new(&lease.clock, seed);
        values.set_own("release", releases::around(run_context.target_release()));
        // If the text is unknown, a target that has to store one gets the first.
        let digest = run_context.contract_digest.as_deref().unwrap_or(V1_2026_05.digest);
        values.set_own("contract", json!({ "digest": digest }));
        Self {
            operator: lease.operator,
            values,
            found: BTreeSet::new(),
            clock: lease.clock,
            clock_sync: lease.clock_sync,
            reported: None,
            has_seen_accept: false,
            runs: false,
            caller: lease.caller,
            is_fresh: lease.is_fresh,
            _guard: lease.guard,
            recorder,
            peers: BTreeMap::new(),
            target: None,
            couriers: Couriers::of(scenario),
            pace: run_context.pace.map(Pace::one_in),
            run_context,
            last: Value::Null,
            seed,
            settings: Value::Object(scenario.settings.clone()),
            checks: scenario.checks.iter().map(|check| check.get_ref().clone()).collect(),
            left_out: BTreeMap::new(),
            last_left_out: None,
            clock_seconds: clock_seconds(scenario),
            awaited: awaited(scenario),
            put_last: BTreeMap::new(),
            named_records: BTreeMap::new(),
            fitting: None,
        }
    }

    /// Returns whether what a step has read so far breaks a check that cites its label. What is due may still come.
    pub(super) fn breaks_so_far(&self, context: &StepContext) -> bool {
        let breaks = |label| (self.run_context.breaks_so_far)(&self.checks, &self.recorder.trace(), label);
        context.label.as_deref().is_some_and(breaks)
    }

    /// Goes by the kinds of the target, and notes which they are.
    pub(super) fn use_kinds_of(&mut self, fitted: &Fitted) {
        self.recorder.record(None, None, What::Note(fitted.note.clone()));
        self.fitting = Some((fitted.unfit.clone(), fitted.capabilities.clone()));
    }

    /// Plays the scenario. An error names the step at which it stopped, and the reason.
    pub(super) async fn play(&mut self, scenario: &Scenario) -> Result<(), StepError> {
        self.set_up(scenario).await?;
        let mut last = None;
        for (number, step) in numbered(&scenario.steps) {
            last = Some(number);
            if let Some(unfit) = self.unfit(number) {
                self.leave_out_unfit(number, step, &unfit);
                continue;
            }
            let played = match self.lacking(step) {
                Some(method) => Err(StepError::Unsupported { method }),
                None => self.in_time(number, step).await,
            };
            played.or_else(|error| self.leave_out(number, step, error)).map_err(|error| error.at(last))?;
            self.is_not_overloaded().map_err(|error| error.at(last))?;
        }
        // The time at the end shows if a time limit was waited for.
        self.follow_clock().await.map_err(|error| error.at(last))
    }

    /// Records that a step was left out, because the operator client lacks its method. A step that changes what
    /// others rely on ends the scenario instead: what follows would be played on another state.
    fn leave_out(&mut self, number: u32, step: &Step, error: StepError) -> Result<(), StepError> {
        let StepError::Unsupported { method } = error else { return Err(error) };
        if !step.can_be_left_out() {
            return Err(StepError::Unsupported { method });
        }
        let context = StepContext { step: Some(number), label: step.label().map(ToOwned::to_owned) };
        let message = format!("the operator client does not know the method {method}");
        self.note(&context, NoteKind::LeftOut, message, json!({"method": method}));
        self.last_left_out = Some(method.clone());
        // A peer issued the grant all the same, so that a later step can name its token.
        if let Some(label) = step.label().filter(|_| !matches!(step, Step::Hold(_))) {
            self.left_out.insert(label.to_owned(), method);
        }
        Ok(())
    }

    /// Returns why the target's kinds do not suffice for a step; `None` if they do.
    fn unfit(&self, number: u32) -> Option<Unfit> {
        self.fitting.as_ref()?.0.get(&number).cloned()
    }

    /// Records that a step was left out, because the target's kinds do not suffice for it.
    fn leave_out_unfit(&self, number: u32, step: &Step, unfit: &Unfit) {
        let label = step.label().filter(|_| !unfit.is_spare).map(ToOwned::to_owned);
        let context = StepContext { step: Some(number), label };
        self.note(&context, NoteKind::LeftOut, unfit.lacks.clone(), json!({"lacks": unfit.lacks}));
    }

    /// Returns the method whose lack left out a step that this step refers to, or the step before one that expects its result.
    fn lacking(&self, step: &Step) -> Option<String> {
        if let Step::Expect(Expect { of: None, .. }) = step
            && self.last_left_out.is_some()
        {
            return self.last_left_out.clone();
        }
        let mut left_out = self.left_out.iter();
        left_out.find(|(label, _)| step.refers_to(label)).map(|(_, method)| method.clone())
    }

    /// Plays a step at the time that the target's clock shows.
    pub(super) async fn in_time(&mut self, number: u32, step: &Step) -> Result<(), StepError> {
        self.follow_clock().await?;
        self.step(number, step).await
    }

    /// Returns an error if a peer is overloaded. Its trace is incomplete, so nothing can be evaluated by
    /// absence.
    fn is_not_overloaded(&self) -> Result<(), StepError> {
        let overloaded = self.peers.values().find_map(|peer| Some((peer.name(), peer.overloaded_at()?)));
        match overloaded {
            Some((name, limit)) => {
                Err(StepError::target(format!("the target sent {name} more than {limit}")))
            }
            None => Ok(()),
        }
    }

    /// Stops the peers.
    pub(super) async fn clear(&mut self) {
        for peer in self.peers.values() {
            peer.stop().await;
            if let Some(count) = peer.heartbeats_counted() {
                let name = peer.name();
                let message = format!("{count} heartbeats more to {name} were the same as the one before");
                self.note(
                    &StepContext::default(),
                    NoteKind::Counted,
                    message,
                    json!({"peer": name, "heartbeats": count}),
                );
            }
        }
    }

    async fn set_up(&mut self, scenario: &Scenario) -> Result<(), StepError> {
        self.take_named_records(scenario);
        if scenario.lasting && !self.is_fresh {
            return Err(OperatorError::unsupported(Reset::METHOD).into());
        }
        let settings = self.values.fill(&self.settings)?;
        let context = StepContext::default();
        if scenario.stage == Some(Stage::Handshake) {
            self.ask_the_impossible(&context).await?;
        }
        let started = self.operate(&context, Start::METHOD, json!({"settings": settings})).await?;
        let target = self.target_address(&started)?;
        self.follow_clock().await?;
        self.set_target(target);
        scenario.peers.iter().try_for_each(|spec| self.add_peer(spec))
    }

    /// Lets the peers, and those that are added later, call the target at this address.
    pub(super) fn set_target(&mut self, target: TargetAddress) {
        self.peers.values().for_each(|peer| peer.set_target(target.clone()));
        self.target = Some(target);
    }

    pub(super) fn add_peer(&mut self, spec: &PeerSpec) -> Result<(), StepError> {
        let peer = self.peer(spec)?;
        self.target.iter().for_each(|target| peer.set_target(target.clone()));
        self.values.set_own(&spec.name, json!({"base_url": peer.base_url_text()}));
        self.peers.insert(spec.name.clone(), peer);
        Ok(())
    }

    /// Calls a method that does not exist. An adapter that accepts any method proves nothing, so it must be
    /// able to report an unknown one.
    async fn ask_the_impossible(&mut self, context: &StepContext) -> Result<(), StepError> {
        let outcome = self.operator.call_nonexistent().await;
        self.record_operation(context, NONEXISTENT_METHOD, json!({}), &outcome);
        match outcome {
            Err(OperatorError::Unsupported { .. }) => Ok(()),
            Ok(_) | Err(OperatorError::Refused { .. }) => {
                let message = "there is no such method, and the adapter did not say so (-32601)";
                Err(OperatorError::adapter(NONEXISTENT_METHOD, message).into())
            }
            Err(other) => Err(other.into()),
        }
    }

    fn peer(&mut self, spec: &PeerSpec) -> Result<Peer, StepError> {
        let seed = self.seed.derive(&spec.name);
        let drawn = self.run_context.permitted_choices.unwrap_or_else(|| PermittedChoices::of(seed));
        let mut permitted_choices = if spec.plain { PermittedChoices::plain() } else { drawn };
        if let Some(identity) = spec.identity {
            permitted_choices.identity = identity;
        }
        permitted_choices.reuse_connections |= spec.keeps_connections;
        let options = Options {
            name: spec.name.clone(),
            seed,
            clock: self.clock.clone(),
            behaviours: spec.behaviours.iter().filter_map(|name| behaviour(name)).collect(),
            recorder: self.recorder.clone(),
            listen: SocketAddr::new(self.run_context.listen, 0),
            advertise: self.run_context.advertise.clone(),
            profile: self.profile(spec)?,
            permitted_choices,
            limits: self.run_context.limits,
            snapshot: None,
            server_identity: self.run_context.server_identity.clone(),
            pace: self.pace.clone(),
        };
        Ok(Peer::start(options)?)
    }

    fn profile(&mut self, spec: &PeerSpec) -> Result<Profile, StepError> {
        let contract_digest = json!(self.run_context.contract_digest);
        let mut default = Profile { contract_digest, ..Profile::of_release(self.run_context.release()) };
        if let Some((_, capabilities)) = &self.fitting {
            default.capabilities = capabilities.clone();
        }
        let filled = self.values.fill(&Value::Object(spec.profile.clone()))?;
        let members = filled.as_object().cloned().unwrap_or_default();
        default.with(&members).map_err(|error| StepError::scenario(format!("peer {}: {error}", spec.name)))
    }

    fn step<'s>(
        &'s mut self,
        number: u32,
        step: &'s Step,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), StepError>> + Send + 's>> {
        let context = StepContext { step: Some(number), label: step.label().map(ToOwned::to_owned) };
        Box::pin(async move {
            match step {
                Step::Federate(step) => self.federate(&context, &step.peer).await,
                Step::Propose(step) => self.propose(&context, &step.peer).await,
                Step::Accept(step) => self.accept(&context, step).await,
                Step::Join(step) => self.join(&context, &step.peer).await,
                Step::Heartbeat(step) => self.heartbeat(&context, step).await,
                Step::InjectOnConnect(step) => self.inject_on_connect(step),
                Step::Fetch(step) => self.fetch(&context, step).await,
                Step::Migrate(step) => self.migrate(&context, step).await,
                Step::Commit(step) => self.commit(&context, step).await,
                Step::ShowMigration(step) => self.show_migration(&context, step).await,
                Step::Sync(step) => self.sync(&context, step).await,
                Step::Excerpt(step) => self.excerpt(&context, step).await,
                Step::Call(step) => self.any_call(&context, step).await,
                Step::Flood(step) => self.flood(&context, step).await,
                Step::Revoke(step) => self.revoke(&context, &step.peer).await,
                Step::Notify(step) => self.notify(&context, step).await,
                Step::Hold(step) => self.hold(&context, step).await,
                Step::EndGrant(step) => self.end_grant(&context, step).await,
                Step::PeerPut(step) => self.peer_put(step),
                Step::Stop(step) => {
                    self.peer_named(&step.peer)?.stop().await;
                    Ok(())
                }
                Step::Start(step) => Ok(self.peer_named(&step.peer)?.listen()?),
                Step::Move(step) => {
                    let has_moved = self.peer_named(&step.peer)?.move_away().await?;
                    let fixed = || StepError::scenario(format!("the address of {} is fixed", step.peer));
                    has_moved.then_some(()).ok_or_else(fixed)
                }
                Step::CloseConnections(step) => {
                    self.peer_named(&step.peer)?.close_connections();
                    Ok(())
                }
                Step::Operator(step) => self.operator(&context, step).await,
                Step::Grant(step) => self.grant(&context, step).await,
                Step::Put(step) => self.put(&context, step).await,
                Step::Scan(step) => self.scan(&context, step).await,
                Step::AwaitDeclaration(step) => self.await_declaration(&context, step).await,
                Step::TryKinds(step) => self.try_kinds(&context, step).await,
                Step::TryMigrations(step) => self.try_migrations(&context, step).await,
                Step::Advance(step) => match self.advance(&context, step.seconds).await {
                    Err(StepError::Unsupported { .. }) if step.may_fail => Ok(()),
                    other => other,
                },
                Step::Expect(step) => self.expect(step),
                Step::Wait(step) => self.wait(&context, step).await,
                Step::Repeat(step) => self.repeat(number, step).await,
            }
        })
    }

    async fn repeat(&mut self, number: u32, repeat: &Repeat) -> Result<(), StepError> {
        for turn in 1..=repeat.times {
            self.values.set_own("turn", Value::from(turn));
            for step in &repeat.step {
                self.in_time(number, step).await?;
            }
        }
        Ok(())
    }

    fn expect(&mut self, expect: &Expect) -> Result<(), StepError> {
        let found = match &expect.of {
            Some(label) => self.values.value(label).cloned().unwrap_or(Value::Null),
            None => self.last.clone(),
        };
        let status = found.get("status").and_then(Value::as_u64);
        if !expect.status.is_empty() && !expect.status.iter().any(|wanted| status == Some(u64::from(*wanted)))
        {
            let wanted: Vec<String> = expect.status.iter().map(ToString::to_string).collect();
            let answer = found.get("in_words").and_then(Value::as_str).unwrap_or("nothing");
            let wanted = wanted.join(" or ");
            return Err(StepError::target(match status {
                Some(_) => format!("expected {wanted}, answered {answer}"),
                None => format!("expected {wanted}, and there was no answer: {answer}"),
            }));
        }
        let wanted = self.values.fill(&expect.data)?;
        let data = found.get("data").unwrap_or(&found);
        match missing(&wanted, data) {
            Some(what) => Err(StepError::target(format!("expected {what}"))),
            None => Ok(()),
        }
    }

    /// Reads the target's address from the result of `platform.start`.
    pub(super) fn target_address(&self, started: &Value) -> Result<TargetAddress, StepError> {
        let text = started["base_url"].as_str().unwrap_or_default();
        let base_url = Url::parse(without_prefix(text)).map_err(|error| {
            StepError::target(format!("platform.start gave no base_url ({text:?}: {error})"))
        })?;
        if !base_url.username().is_empty() || base_url.password().is_some() {
            let message = "base_url: a URL without user name and password was expected";
            return Err(OperatorError::adapter(Start::METHOD, message).into());
        }
        if !self.run_context.plain_http && is_plain_elsewhere(&base_url) {
            let message = format!("base_url {base_url}: plain http needs --plain-http");
            return Err(OperatorError::adapter(Start::METHOD, message).into());
        }
        let ca_bundle_pem = started["ca_bundle_pem"].as_str().map(ToOwned::to_owned);
        let host_names_checked = self.run_context.host_names_checked;
        Ok(TargetAddress { base_url, ca_bundle_pem, host_names_checked, caller: self.caller })
    }

    pub(super) fn peer_named(&self, name: &str) -> Result<Peer, StepError> {
        self.peers.get(name).cloned().ok_or_else(|| StepError::scenario(format!("no peer is called {name}")))
    }

    /// Stores the outcome of a call for later steps.
    pub(super) fn keep_outcome(&mut self, context: &StepContext, outcome: &CallOutcome) {
        self.keep_in_words(context, outcome, &outcome.in_words);
    }

    /// Stores the outcome of a call, with what to do if it is not the one that is expected.
    pub(super) fn keep_with_advice(&mut self, context: &StepContext, outcome: &CallOutcome) {
        self.keep_in_words(context, outcome, &no_success(outcome));
    }

    fn keep_in_words(&mut self, context: &StepContext, outcome: &CallOutcome, in_words: &str) {
        let mut value = json!({
            "n": outcome.n, "status": outcome.status, "body": outcome.body, "data": outcome.data,
            "in_words": in_words,
        });
        let offerings = [("offering", offering_to_try as OfferingOf), ("limited", offering_to_fill)];
        for (name, choose) in offerings {
            if let Some(offering) = outcome.data.as_ref().and_then(choose) {
                value[name] = offering.clone();
            }
        }
        self.keep(context, value);
    }

    pub(super) fn keep(&mut self, context: &StepContext, value: Value) {
        if let Some(label) = &context.label {
            self.values.set(label, value.clone());
        }
        self.last = value;
        self.last_left_out = None;
    }

    pub(super) fn note(
        &self,
        context: &StepContext,
        kind: NoteKind,
        message: impl Into<String>,
        facts: Value,
    ) {
        let note = Note { kind, message: message.into(), facts };
        self.recorder.record(context.step, context.label.as_deref(), What::Note(note));
    }
}

/// Describes the members of `wanted` that `found` lacks.
pub(super) fn missing(wanted: &Value, found: &Value) -> Option<String> {
    match wanted {
        Value::Null => None,
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let there = found.get(name).unwrap_or(&Value::Null);
            missing(member, there)
                .map(|what| if member.is_object() { what } else { format!("{name}: {what}") })
        }),
        other if other == found => None,
        // A platform may state more than the word (`binding.md`, "Members that are read").
        Value::String(wanted) if wanted == PeerStatus::Suspended.as_str() && is_suspended(found) => None,
        Value::String(wanted) if wanted == PeerStatus::Revoked.as_str() && has_ended(found) => None,
        other => Some(format!("{other}, found {found}")),
    }
}

fn is_suspended(status: &Value) -> bool {
    status.as_str().is_some_and(PeerStatus::means_suspended)
}

fn has_ended(status: &Value) -> bool {
    status.as_str().and_then(PeerStatus::means_ended) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_an_ended_peering_is_revoked_in_either_case() {
        let wanted = json!({"peer": {"status": "revoked"}});
        assert_eq!(missing(&wanted, &json!({"peer": {"status": "REVOKED"}})), None);
        assert_eq!(missing(&wanted, &json!({"peer": {"status": "archived"}})), None);
        assert!(missing(&wanted, &json!({"peer": {"status": "revoking"}})).is_some());
    }

    #[test]
    fn a_status_that_says_more_than_suspended_is_suspended() {
        let wanted = json!({"peer": {"status": "suspended"}});
        assert_eq!(missing(&wanted, &json!({"peer": {"status": "suspended_pending_review"}})), None);
        assert_eq!(missing(&wanted, &json!({"peer": {"status": "Suspended"}})), None);
        assert!(missing(&wanted, &json!({"peer": {"status": "active"}})).is_some());
        assert!(missing(&json!({"status": "active"}), &json!({"status": "suspended"})).is_some());
    }

    #[test]
    fn what_is_missing_is_named() {
        let found = json!({"status": "active", "more": 1, "deep": {"a": 2}});
        assert_eq!(missing(&json!({"status": "active", "deep": {"a": 2}}), &found), None);
        assert_eq!(missing(&json!({"deep": {"a": 3}}), &found), Some("a: 3, found 2".into()));
        assert_eq!(missing(&json!({"none": 1}), &found), Some("none: 1, found null".into()));
    }
}
