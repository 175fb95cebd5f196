//! The steps of the target's operator.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::super::format::{Grant, More, Operator, Put, Scan, Scenario, Step, TryKinds};
use super::peers::proposal;
use super::runner::{ScenarioRunner, missing};
use super::settling::Settling;
use super::{POLL_INTERVAL, StepError};
use crate::clock::Stopwatch;
use crate::operator::grant::Issue;
use crate::operator::peer::{Join, Propose};
use crate::operator::platform::{self, Start};
use crate::operator::{ClockSync, Method, OperatorError, OperatorMethod, governance, resource};
use crate::peer::{Peer, StepContext};
use crate::transcript::{Operation, OperationFailure, What, is_same_id};
use crate::wire::migration::state;

/// Words of a refusal that say that there is such a row already.
const TAKEN: [&str; 4] = ["taken", "already", "duplicate", "unique"];

/// Returns whether the operator refuses a peer because there is one with its URL.
fn is_taken(error: &OperatorError) -> bool {
    let OperatorError::Refused { message, .. } = error else { return false };
    let message = message.to_lowercase();
    TAKEN.iter().any(|word| message.contains(word))
}

/// Returns the proposal of a peer, at the URL where it listens now.
fn proposal_of(peer: &Peer) -> Propose {
    Propose {
        remote_instance_url: peer.base_url_text(),
        spawn_role: None,
        spawn_mode: None,
        peer_kind: None,
        token_ttl_seconds: None,
    }
}

impl ScenarioRunner<'_> {
    /// Calls a method with typed parameters, and records the operation.
    pub(super) async fn ask<M: OperatorMethod>(
        &mut self,
        context: &StepContext,
        parameters: &M,
    ) -> Result<Value, OperatorError> {
        self.operate(context, M::METHOD, json!(parameters)).await
    }

    /// Calls a method and records the operation.
    pub(super) async fn operate(
        &mut self,
        context: &StepContext,
        method: Method,
        parameters: Value,
    ) -> Result<Value, OperatorError> {
        let outcome = self.operator.call(method, parameters.clone()).await;
        self.record_operation(context, method.name(), parameters, &outcome);
        outcome
    }

    /// Records the operation of a method that was called.
    pub(super) fn record_operation(
        &self,
        context: &StepContext,
        method: &str,
        parameters: Value,
        outcome: &Result<Value, OperatorError>,
    ) {
        let (result, failure) = match outcome {
            Ok(result) => (Some(result.clone()), None),
            Err(error) => (None, Some(failure(error))),
        };
        let operation = Operation { method: method.to_owned(), parameters, result, failure };
        self.recorder.record(context.step, context.label.as_deref(), What::Operation(operation));
    }

    pub(super) async fn propose(&mut self, context: &StepContext, name: &str) -> Result<(), StepError> {
        let peer = self.peer_named(name)?;
        let mut outcome = self.ask(context, &proposal_of(&peer)).await;
        // A platform that lasts may still have a peer of an earlier scenario at a port that came again, or an earlier proposal
        // of this peer.
        if outcome.as_ref().err().is_some_and(is_taken) && peer.move_away().await? {
            outcome = self.ask(context, &proposal_of(&peer)).await;
        }
        let proposed = outcome?;
        if proposed["acceptance_token"].as_str().is_none() {
            return Err(StepError::target("peer.propose gave no acceptance_token"));
        }
        self.values.set(&proposal(name), proposed.clone());
        self.keep(context, proposed);
        Ok(())
    }

    /// Lets the target join a peer that proposed.
    pub(super) async fn join(&mut self, context: &StepContext, name: &str) -> Result<(), StepError> {
        let peer = self.peer_named(name)?;
        let base_url = peer.base_url_text();
        let invitation = Join {
            base_url: base_url.clone(),
            acceptance_token: peer.propose(),
            ca_bundle_pem: Some(peer.server_bundle_pem()),
        };
        match self.ask(context, &invitation).await {
            Ok(joined) => {
                self.values.set_own(name, json!({"id": joined["peer_id"], "base_url": base_url}));
                self.keep(context, joined);
                Ok(())
            }
            // A refusal of a misbehaving peer may be what a check looks for.
            Err(OperatorError::Refused { code, message, .. }) => {
                self.keep(context, json!({"refused": message, "code": code}));
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }

    pub(super) async fn operator(&mut self, context: &StepContext, step: &Operator) -> Result<(), StepError> {
        let mut parameters = self.values.fill(&step.with)?;
        if parameters.is_null() {
            parameters = json!({});
        }
        let method = Method::parse(&step.method)
            .ok_or_else(|| StepError::scenario(format!("unknown method `{}`", step.method)))?;
        self.has_right_parameters(method, &step.with, &parameters)?;
        let shown = self.values.fill(&step.until_shows)?;
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        let looking = Stopwatch::start();
        let mut settling = Settling::start(self.poll_timeout());
        let result = loop {
            ticks.tick().await;
            let result = match self.operate(context, method, parameters.clone()).await {
                Ok(result) => result,
                Err(OperatorError::Refused { code, message, .. }) if step.may_fail => {
                    json!({"refused": message, "code": code})
                }
                Err(other) => return Err(other.into()),
            };
            let has_settled = settling.has_settled(items(&result).len());
            let is_seen = step.until.as_ref().is_none_or(|more| {
                let before = self.values.value(&more.than);
                has_settled && before.is_some_and(|before| shows_more(more, before, &result))
            });
            let is_shown = missing(&shown, &result).is_none();
            let has_ended = !step.until_ended || !is_unfinished(&result);
            let is_complete = is_seen && is_shown && has_ended;
            let may_be_short = || step.until.is_some() && self.breaks_so_far(context);
            if looking.elapsed() >= self.poll_timeout() || (is_complete && !may_be_short()) {
                break result;
            }
        };
        if method == Start::METHOD {
            let target = self.target_address(&result)?;
            self.set_target(target);
        }
        self.keep(context, result);
        Ok(())
    }

    /// Returns an error if parameters are wrong, and no answer that they refer to is the reason: the scenario is wrong
    /// itself, and not whoever would refuse them.
    fn has_right_parameters(&self, method: Method, written: &Value, filled: &Value) -> Result<(), StepError> {
        let example = method.definition().example.parameters();
        let mut own = filled.clone();
        for (name, member) in own.as_object_mut().into_iter().flatten() {
            if self.values.refers_to_answer(&written[name]) {
                *member = example[name].clone();
            }
        }
        let wrong = |error| StepError::scenario(format!("method `{}`: {error}", method.name()));
        method.definition().check_parameters(own).map_err(wrong)
    }

    pub(super) async fn grant(&mut self, context: &StepContext, step: &Grant) -> Result<(), StepError> {
        let peer_id = self.peer_named(&step.peer)?.id_at_target();
        let subject = format!("{}-{}", step.peer, step.label);
        let mut parameters = json!({
            "peer_id": peer_id,
            "remote_subject": subject,
            "resource_kind": step.kind,
            "permission_scopes": step.scopes,
        });
        if let Some(id) = &step.id {
            parameters["resource_id"] = Value::from(self.values.fill_text(id)?);
        }
        let with = self.values.fill(&step.with)?;
        if let (Some(members), Value::Object(with)) = (parameters.as_object_mut(), with) {
            members.extend(with);
        }
        let granted = self.operate(context, Issue::METHOD, parameters).await?;
        if granted["bearer_token"].as_str().is_none() {
            return Err(StepError::target("grant.issue gave no bearer_token"));
        }
        self.keep(context, granted);
        Ok(())
    }

    pub(super) async fn put(&mut self, context: &StepContext, step: &Put) -> Result<(), StepError> {
        let id = self.values.fill_text(&step.id)?;
        let record = match self.named_record(step) {
            Some(named) => named.members(),
            None => self.record(&id, &step.record)?,
        };
        let put = resource::Put { kind: step.kind.clone(), id: id.clone(), record };
        let stored = self.operator.call(resource::Put::METHOD, json!(put)).await;
        let is_unknown = matches!(stored, Err(OperatorError::Unsupported { .. }));
        if !is_unknown || !self.place(context, &put).await? {
            self.record_operation(context, resource::Put::METHOD.name(), json!(put), &stored);
            stored?;
        }
        self.put_last.insert(step.kind.clone(), id);
        Ok(())
    }

    /// Reads the findings, repeatedly if the step waits for one, or for one about each of several peers.
    pub(super) async fn scan(&mut self, context: &StepContext, step: &Scan) -> Result<(), StepError> {
        let id = |name: &String| self.peer_named(name).ok()?.id_at_target().or_else(|| self.id_of(name));
        let mut about = vec![];
        for name in step.until_about.iter().chain(&step.and_about) {
            self.peer_named(name)?;
            about.extend(id(name));
        }
        let others = self.peers.keys().filter(|name| !self.awaited.contains(*name));
        let others: Vec<String> = others.filter_map(id).collect();
        let kind = step.until_kind.as_deref();
        let counts = |scan: &Value| -> Vec<usize> {
            about.iter().map(|id| times_about(scan, id, kind, &others)).collect()
        };
        let known = counts(&self.last_scan());
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        let looking = Stopwatch::start();
        loop {
            ticks.tick().await;
            let found = self.ask(context, &governance::Scan {}).await?;
            let is_complete = counts(&found).iter().zip(&known).all(|(now, before)| now > before);
            self.keep(context, found);
            if is_complete || looking.elapsed() >= self.poll_timeout() {
                return Ok(());
            }
        }
    }

    /// Fetches one record of each kind that the target declared to the peer: the one that the scenario put last, or an absent one if
    /// it put none. Skips kinds for which no grant can be issued.
    pub(super) async fn try_kinds(
        &mut self,
        context: &StepContext,
        step: &TryKinds,
    ) -> Result<(), StepError> {
        let peer = self.peer_named(&step.peer)?;
        let answered = self.values.value(&step.of).map(|value| value["data"]["capabilities"].clone());
        let rows_in = |document: &Value| document["resource_kinds"].as_array().cloned();
        let rows = answered.as_ref().and_then(rows_in);
        let rows = rows.or_else(|| rows_in(&self.last_declaration(&step.peer, false)?));
        let absent = self.values.fill_text("${id:absent}")?;
        for kind in rows.iter().flatten().filter_map(|row| row["kind"].as_str()) {
            let parameters = json!({
                "peer_id": peer.id_at_target(), "remote_subject": format!("{}-{kind}", step.peer),
                "resource_kind": kind, "permission_scopes": ["read"],
            });
            let granted = self
                .operate(&StepContext { label: None, ..context.clone() }, Issue::METHOD, parameters)
                .await;
            let token =
                granted.ok().and_then(|granted| granted["bearer_token"].as_str().map(ToOwned::to_owned));
            if token.is_some() {
                let id = self.put_last.get(kind).unwrap_or(&absent);
                let outcome = peer.fetch(context, kind, id, token.as_deref()).await?;
                self.keep_outcome(context, &outcome);
            }
        }
        Ok(())
    }

    pub(super) async fn advance(&mut self, context: &StepContext, seconds: i64) -> Result<(), StepError> {
        if self.clock.now().checked_add(SignedDuration::from_secs(seconds)).is_err() {
            return Err(StepError::scenario(format!("advance: there is no time {seconds} s from now")));
        }
        let parameters = json!(platform::Advance { seconds });
        let moved = self.operator.call(platform::Advance::METHOD, parameters.clone()).await;
        if matches!(moved, Err(OperatorError::Unsupported { .. })) && self.may_wait(seconds) {
            return self.wait_in_real_time(context, seconds).await;
        }
        self.record_operation(context, platform::Advance::METHOD.name(), parameters, &moved);
        let moved = moved?;
        self.forget_time();
        if self.clock_sync == ClockSync::Independent {
            self.clock.advance_seconds(seconds);
        }
        self.keep(context, moved);
        self.follow_clock().await
    }

    pub(super) fn record(
        &mut self,
        id: &str,
        record: &Map<String, Value>,
    ) -> Result<Map<String, Value>, StepError> {
        let mut record = match self.values.fill(&Value::Object(record.clone()))? {
            Value::Object(record) => record,
            _ => Map::new(),
        };
        record.insert("id".to_owned(), Value::from(id));
        Ok(record)
    }

    /// Returns the time to wait for something that is due.
    pub(super) fn poll_timeout(&self) -> Duration {
        if self.operator.settles_at_once() { Duration::ZERO } else { self.run_context.poll_timeout }
    }

    /// Returns the id under which the target keeps a peer, even before the peer knows it.
    fn id_of(&self, name: &str) -> Option<String> {
        let known = self.values.value(name).and_then(|peer| peer["id"].as_str());
        let proposed = || self.values.value(&proposal(name))?["peer_id"].as_str();
        known.or_else(proposed).map(ToOwned::to_owned)
    }

    /// Returns the result of the last scan of this trace; null if there is none.
    fn last_scan(&self) -> Value {
        let trace = self.recorder.trace();
        let operations = trace.entries().iter().rev().filter_map(|entry| entry.operation());
        let mut results = operations
            .filter(|operation| operation.is(governance::Scan::METHOD))
            .filter_map(|operation| operation.result.clone());
        results.next().unwrap_or_default()
    }
}

/// Returns true if a list has the expected number of items beyond those that it had before.
fn shows_more(more: &More, before: &Value, after: &Value) -> bool {
    let (before, after) = (items(before), items(after));
    let new: Vec<String> = after
        .iter()
        .filter(|item| !before.contains(item))
        .map(|item| item.to_string().to_lowercase())
        .collect();
    let says = |item: &String| more.words.iter().any(|word| item.contains(&word.to_lowercase()));
    new.len() >= more.items && (more.words.is_empty() || new.iter().any(says))
}

/// Returns true if a migration is shown as one that goes on.
fn is_unfinished(shown: &Value) -> bool {
    let migration = shown.get("migration").unwrap_or(shown);
    migration["status"].as_str().is_some_and(|status| state::UNFINISHED.contains(&status))
}

/// Returns the items of a list that stands alone or is the only list of an object.
fn items(listed: &Value) -> &[Value] {
    let members = listed.as_object().into_iter().flat_map(Map::values);
    let list = listed.as_array().or_else(|| members.into_iter().find_map(Value::as_array));
    list.map(Vec::as_slice).unwrap_or_default()
}

/// Returns the names of the peers about which a scan of a scenario waits for a finding.
pub(super) fn awaited(scenario: &Scenario) -> BTreeSet<String> {
    let steps = scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
    let scans = steps.filter_map(|step| if let Step::Scan(scan) = step { Some(scan) } else { None });
    scans.flat_map(|scan| scan.until_about.iter().chain(&scan.and_about)).cloned().collect()
}

/// Returns the number of findings about a peer that end a wait: those of this kind, where one is named, and of none that
/// stands about one of these other peers of the scenario. What is raised about any peer says nothing about this one.
fn times_about(scan: &Value, id: &str, kind: Option<&str>, others: &[String]) -> usize {
    let all = scan["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let theirs = all.iter().filter(|finding| {
        finding["federation_peer_id"].as_str().is_some_and(|theirs| is_same_id(theirs, id))
    });
    let of_kind = theirs.filter(|finding| kind.is_none_or(|kind| finding["kind"] == kind));
    of_kind.filter(|finding| !is_about_others(finding, all, others)).count()
}

/// Returns whether a finding is of a kind that stands about one of these peers too.
fn is_about_others(finding: &Value, all: &[Value], others: &[String]) -> bool {
    let is_other = |other: &&Value| {
        other["federation_peer_id"].as_str().is_some_and(|id| others.iter().any(|peer| is_same_id(peer, id)))
    };
    all.iter().filter(is_other).any(|other| other["kind"] == finding["kind"])
}

fn failure(error: &OperatorError) -> OperationFailure {
    match error {
        OperatorError::Unsupported { .. } => OperationFailure::Unsupported,
        OperatorError::Refused { code, message, .. } => {
            OperationFailure::Refused { code: *code, message: message.clone() }
        }
        OperatorError::Fault(fault) => OperationFailure::Adapter { message: fault.reason.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_others_have_too_ends_no_wait() {
        let scan = |found: &[(&str, &str)]| {
            let findings = found.iter().map(|(kind, id)| json!({"kind": kind, "federation_peer_id": id}));
            json!({"findings": findings.collect::<Vec<_>>()})
        };
        let others = ["a".to_owned()];
        let times = |found: &[(&str, &str)], kind| times_about(&scan(found), "m", kind, &others);
        let common = [("cert_expiring", "m"), ("cert_expiring", "a")];
        assert_eq!(times(&common, None), 0);
        assert_eq!(times(&[&common[..], &[("residency_missing", "m")]].concat(), None), 1);
        assert_eq!(times(&[("drift", "m"), ("drift", "t")], None), 1, "a wait is for that one too");
        assert_eq!(times(&[("drift", "m"), ("other", "m")], Some("drift")), 1);
        assert_eq!(times(&common, Some("cert_expiring")), 0);
        assert_eq!(times(&[("drift", "t")], None), 0);
        let earlier = [("drift", "m"), ("drift", "of an earlier scenario")];
        assert_eq!(times(&earlier, None), 1, "it is no peer of this scenario");
        assert_eq!(times_about(&json!({}), "m", None, &others), 0);
    }

    #[test]
    fn the_awaited_peers_are_those_of_all_scans() {
        let text = "title = \"x\"\n[[peer]]\nname = \"a\"\n[[peer]]\nname = \"m\"\n[[peer]]\nname = \"t\"\n\
            [[step]]\nscan = { as = \"one\", until_about = \"m\" }\n\
            [[step]]\nscan = { as = \"two\", until_about = \"m\", and_about = [\"t\"] }\n";
        let scenario: Scenario = toml::from_str(text).expect("a scenario");
        assert_eq!(awaited(&scenario).into_iter().collect::<Vec<_>>(), ["m", "t"]);
    }

    #[test]
    fn a_migration_that_failed_has_ended() {
        let shown = |status: &str| json!({"migration": {"status": status}});
        assert!(is_unfinished(&shown("applying")) && is_unfinished(&json!({"status": "planned"})));
        assert!(!is_unfinished(&shown("failed")) && !is_unfinished(&json!({"refused": "no such migration"})));
    }

    #[test]
    fn more_is_what_was_not_there_and_speaks_of_what_is_waited_for() {
        let more = |items: usize, words: &[&str]| More {
            than: "before".to_owned(),
            items,
            words: words.iter().map(ToString::to_string).collect(),
        };
        let before = json!({"events": [{"kind": "a"}], "count": 1});
        let after = json!({"events": [{"kind": "crossed"}, {"kind": "a"}, {"kind": "b"}]});
        assert!(shows_more(&more(2, &[]), &before, &after));
        assert!(!shows_more(&more(3, &[]), &before, &after));
        assert!(shows_more(&more(1, &["x", "CROSS"]), &before, &after));
        assert!(!shows_more(&more(1, &["a"]), &before, &json!([{"kind": "a"}, {"kind": "b"}])));
        assert!(!shows_more(&more(1, &[]), &before, &json!({"count": 2})));
    }
}
