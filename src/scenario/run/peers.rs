//! The steps of peers.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::format::{
    AnyCall, EndGrant, Fetch, Flood, Hold, InjectOnConnect, Migrate, Notify, OfMigration, PeerCall, PeerPut,
    Sync, Wait,
};
use super::reason::{no_success, unusable};
use super::runner::ScenarioRunner;
use super::{StepError, keeper};
use crate::clock::Stopwatch;
use crate::net::{NetError, Pause};
use crate::operator::{OperatorMethod, grant};
use crate::peer::{
    Call, CallOutcome, InjectedRead, OtherCertificate, Peer, PeerError, Received, StepContext,
};
use crate::transcript::NoteKind;
use crate::wire::grant::Scope;
use crate::wire::path::Route;
use crate::wire::sync::SyncRecord;

/// The time from which on a wait is one in real time, and not that for a call which is under way.
const LONG_WAIT: Duration = Duration::from_mins(1);
/// The real time without a call after which a target has stopped to call a peer.
const QUIET: Duration = Duration::from_secs(2);
/// The time in which a server that asks for a body (`100 Continue`) does so. A server that never does costs this time once a
/// migration in halves.
const HEAD_RECEIVED_WITHIN: Duration = Duration::from_secs(5);

impl ScenarioRunner<'_> {
    /// Lets a proposed peer accept and send a heartbeat. Each call must succeed.
    pub(super) async fn federate(&mut self, context: &StepContext, name: &str) -> Result<(), StepError> {
        self.propose(&StepContext { label: None, ..context.clone() }, name).await?;
        let accept = PeerCall { peer: name.to_owned(), with: Value::Null, label: context.label.clone() };
        let accepted = self.send_accept(context, &accept).await?;
        let peer = self.peer_named(name)?;
        if peer.id_at_target().is_none() {
            return Err(StepError::target(format!(
                "accept of {name} did not succeed: {}",
                no_success(&accepted)
            )));
        }
        let unlabelled = StepContext { label: None, ..context.clone() };
        let mut heartbeat = peer.heartbeat(&unlabelled, &Value::Null).await?;
        if heartbeat.was_refused() && self.run_context.release.is_none() {
            // It may be refused for the release of the peer. A peer that states none learns that of the target.
            let unversioned = json!({"platform_version": null, "metadata": {"platform_version": null}});
            peer.heartbeat(&unlabelled, &unversioned).await?;
            if self.learn_release(&peer) {
                heartbeat = peer.heartbeat(&unlabelled, &Value::Null).await?;
            }
        }
        if heartbeat.succeeded() {
            return Ok(());
        }
        // Without a certificate that the peer can use, the target is right to refuse it.
        let why = no_success(&heartbeat);
        let unusable = unusable(&accepted).filter(|_| peer.certificate_is_seen());
        let why = unusable.map_or(why.clone(), |unusable| format!("{why}; {unusable}"));
        Err(StepError::target(format!("the first heartbeat of {name} did not succeed: {why}")))
    }

    /// Lets a peer take on the release of the target, where that was not known before. Returns true if it did.
    fn learn_release(&self, peer: &Peer) -> bool {
        self.run_context.release.is_none() && peer.learn_release()
    }

    pub(super) async fn accept(&mut self, context: &StepContext, step: &PeerCall) -> Result<(), StepError> {
        self.send_accept(context, step).await.map(drop)
    }

    async fn send_accept(
        &mut self,
        context: &StepContext,
        step: &PeerCall,
    ) -> Result<CallOutcome, StepError> {
        let token = self.proposed_token(&step.peer);
        let with = self.values.fill(&step.with)?;
        let peer = self.peer_named(&step.peer)?;
        let keeper = self.run_context.keeper.as_deref();
        let outcome = keeper::accept(&peer, keeper, context, &token, &with).await?;
        if let Some(id) = peer.id_at_target() {
            self.values.set_own(&step.peer, json!({"id": id, "base_url": peer.base_url_text()}));
            self.learn_release(&peer);
        }
        self.keep_with_advice(context, &outcome);
        Ok(outcome)
    }

    pub(super) async fn heartbeat(
        &mut self,
        context: &StepContext,
        step: &PeerCall,
    ) -> Result<(), StepError> {
        let with = self.values.fill(&step.with)?;
        let peer = self.peer_named(&step.peer)?;
        let outcome = peer.heartbeat(context, &with).await?;
        self.learn_release(&peer);
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    pub(super) async fn fetch(&mut self, context: &StepContext, step: &Fetch) -> Result<(), StepError> {
        let kind = self.values.fill_text(&step.kind)?;
        let id = self.values.fill_text(&step.id)?;
        let token = self.token(step.grant.as_deref());
        let outcome = self.peer_named(&step.peer)?.fetch(context, &kind, &id, token.as_deref()).await?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    /// Registers the calls that a peer makes when the target connects next.
    pub(super) fn inject_on_connect(&mut self, step: &InjectOnConnect) -> Result<(), StepError> {
        let read = match &step.read {
            Some(read) => Some(InjectedRead {
                kind: self.values.fill_text(&read.kind)?,
                id: self.values.fill_text(&read.id)?,
                token: self.token(Some(&read.grant)),
            }),
            None => None,
        };
        self.peer_named(&step.peer)?.inject_on_connect(step.label.clone(), read);
        Ok(())
    }

    pub(super) async fn migrate(&mut self, context: &StepContext, step: &Migrate) -> Result<(), StepError> {
        let plan = self.values.fill(&step.plan)?;
        let token = self.token(step.grant.as_deref());
        if !step.meanwhile.is_empty() {
            return self.migrate_in_halves(context, step, plan, token.as_deref()).await;
        }
        let outcome = self.peer_named(&step.peer)?.migrate(context, plan, token.as_deref()).await?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    /// Sends the first half of a migration, plays the steps in between, and sends the second half.
    async fn migrate_in_halves(
        &mut self,
        context: &StepContext,
        step: &Migrate,
        plan: Value,
        token: Option<&str>,
    ) -> Result<(), StepError> {
        let peer = self.peer_named(&step.peer)?.clone();
        let pause = Pause::default();
        let headers = vec![("expect".to_owned(), "100-continue".to_owned())];
        let call = Call { headers, ..Call::route(&Route::Migrations).body(plan).bearing(token) };
        let mut sending = std::pin::pin!(peer.call_in_halves(context, call, &pause));
        let sent = async {
            pause.first_half_sent().await;
            tokio::time::timeout(HEAD_RECEIVED_WITHIN, pause.head_received()).await.is_ok()
        };
        let (early, is_received) = tokio::select! {
            outcome = sending.as_mut() => (Some(outcome), false),
            is_received = sent => (None, is_received),
        };
        if early.is_none() {
            let message = format!("{} has sent the first half of a migration", step.peer);
            let facts = json!({"peer": step.peer, "is_head_received": is_received});
            self.note(context, NoteKind::HalfSent, message, facts);
        }
        // The connection has to be polled while the steps are played.
        let number = context.step.unwrap_or_default();
        let meanwhile = async {
            let mut played = Ok(());
            for inner in &step.meanwhile {
                played = self.in_time(number, inner).await;
                if played.is_err() {
                    break;
                }
            }
            pause.resume();
            played
        };
        let outcome = if let Some(outcome) = early {
            meanwhile.await?;
            outcome
        } else {
            let (played, outcome) = tokio::join!(meanwhile, sending);
            played?;
            outcome
        };
        self.keep_outcome(context, &outcome?);
        Ok(())
    }

    /// Returns whether a call can't be made, because its path lacks a part that an earlier answer should have
    /// given: the path without it is another route. The trace notes it.
    fn left_uncalled(&mut self, context: &StepContext, path: &str) -> bool {
        let Some(reference) = self.values.absent(path) else { return false };
        let message = format!("the call was not made: `${{{reference}}}` is empty");
        self.note(context, NoteKind::NotCalled, message, json!({ "reference": reference }));
        self.keep(context, json!({}));
        true
    }

    pub(super) async fn commit(
        &mut self,
        context: &StepContext,
        step: &OfMigration,
    ) -> Result<(), StepError> {
        self.call_of_migration(context, step, |id| {
            Call::route(&Route::MigrationCommit { id }).body(json!({}))
        })
        .await
    }

    pub(super) async fn show_migration(
        &mut self,
        context: &StepContext,
        step: &OfMigration,
    ) -> Result<(), StepError> {
        self.call_of_migration(context, step, |id| Call::route(&Route::Migration { id })).await
    }

    /// Makes a call about a migration, whose id an earlier answer gave.
    async fn call_of_migration(
        &mut self,
        context: &StepContext,
        step: &OfMigration,
        call: impl FnOnce(String) -> Call,
    ) -> Result<(), StepError> {
        if self.left_uncalled(context, &step.migration) {
            return Ok(());
        }
        let call = call(self.values.fill_text(&step.migration)?);
        let token = self.token(step.grant.as_deref());
        let outcome = self.peer_named(&step.peer)?.call(context, call.bearing(token.as_deref())).await?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    pub(super) async fn sync(&mut self, context: &StepContext, step: &Sync) -> Result<(), StepError> {
        let records = self.values.fill(&Value::from(step.records.clone()))?;
        let records: Vec<SyncRecord> = Vec::deserialize(records)
            .map_err(|error| StepError::scenario(format!("sync records: {error}")))?;
        let with = self.values.fill(&step.with)?;
        let outcome = self.peer_named(&step.peer)?.sync(context, &step.kind, records, &with).await?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    pub(super) async fn any_call(&mut self, context: &StepContext, step: &AnyCall) -> Result<(), StepError> {
        if self.left_uncalled(context, &step.path) {
            return Ok(());
        }
        let path = self.values.fill_text(&step.path)?;
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, None),
        };
        let mut headers = Vec::new();
        for (name, value) in &step.headers {
            headers.push((name.clone(), self.values.fill_text(value)?));
        }
        let body = step.body.as_ref().map(|body| self.values.fill(body)).transpose()?;
        let issuer = match &step.issuer {
            Some(name) => Some(self.peer_named(name)?),
            None => None,
        };
        let call = Call {
            method: step.method.clone(),
            path,
            query,
            headers,
            body,
            bearer_token: self.token(step.grant.as_deref()),
            without_certificate: step.without_certificate,
            certificate: step.certificate,
            issuer,
        };
        let peer = self.peer_named(&step.peer)?;
        if let Some(why) = why_not_presented(&peer, &call) {
            self.note(context, NoteKind::Injected, why, json!({"peer": step.peer}));
            return Ok(());
        }
        let outcome = peer.call(context, call).await.map_err(|error| match error {
            // A text that an answer gave may be why no request can be made of it.
            PeerError::Call { source: NetError::Request(why), .. } if !is_filled_in(step) => {
                StepError::scenario(format!("call: {why}"))
            }
            error => error.into(),
        })?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    /// Sends many heartbeats or handshakes, a few at a time.
    pub(super) async fn flood(&mut self, context: &StepContext, step: &Flood) -> Result<(), StepError> {
        const AT_ONCE: u32 = 8;
        let peer = self.peer_named(&step.peer)?;
        let with = self.values.fill(&step.with)?;
        let token = step.handshakes.then(|| self.proposed_token(&step.peer));
        let lane = |calls: u32| {
            let (peer, context, with, token) = (peer.clone(), context.clone(), with.clone(), token.clone());
            async move {
                let mut last = CallOutcome::default();
                for _ in 0..calls {
                    last = match &token {
                        Some(token) => peer.accept(&context, token, &with).await?,
                        None => peer.heartbeat(&context, &with).await?,
                    };
                }
                Ok::<_, PeerError>(last)
            }
        };
        let lanes =
            (0..AT_ONCE).map(|place| lane(step.calls / AT_ONCE + u32::from(place < step.calls % AT_ONCE)));
        let outcomes = join_all(lanes).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = outcomes.last() {
            self.keep_outcome(context, last);
        }
        Ok(())
    }

    pub(super) async fn revoke(&mut self, context: &StepContext, name: &str) -> Result<(), StepError> {
        let keeper = self.run_context.keeper.as_deref();
        match keeper::revoke(&self.peer_named(name)?, keeper, context).await? {
            Some(outcome) => self.keep_outcome(context, &outcome),
            None => self.note(
                context,
                NoteKind::Injected,
                format!("{name} revokes without a notice"),
                Value::Null,
            ),
        }
        Ok(())
    }

    pub(super) async fn notify(&mut self, context: &StepContext, step: &Notify) -> Result<(), StepError> {
        let payload = self.values.fill(&step.payload)?;
        let outcome = self.peer_named(&step.peer)?.notify(context, &step.kind, payload).await?;
        self.keep_outcome(context, &outcome);
        Ok(())
    }

    /// Issues a grant from a peer and passes it to the target's operator.
    pub(super) async fn hold(&mut self, context: &StepContext, step: &Hold) -> Result<(), StepError> {
        let peer = self.peer_named(&step.peer)?;
        let id = step.id.as_deref().map(|id| self.values.fill_text(id)).transpose()?;
        let scopes = step.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect();
        let grant = peer.issue_grant(&step.kind, id.as_deref(), scopes);
        let mut parameters = json!({
            "peer_id": peer.id_at_target(),
            "grant_id": grant.id,
            "bearer_token": grant.bearer_token,
            "resource_kind": step.kind,
            "permission_scopes": step.scopes,
            "expires_at": grant.expires_at.to_string(),
        });
        if let Some(id) = id {
            parameters["resource_id"] = Value::from(id);
        }
        let held = self.operate(context, grant::Hold::METHOD, parameters.clone()).await;
        self.keep(context, parameters);
        held?;
        Ok(())
    }

    /// Revokes a grant that the peer issued. A behaviour may suppress the notice.
    pub(super) async fn end_grant(
        &mut self,
        context: &StepContext,
        step: &EndGrant,
    ) -> Result<(), StepError> {
        let held = self.values.value(&step.grant).and_then(|held| held["grant_id"].as_str());
        let grant_id = held.unwrap_or_default().to_owned();
        let outcome =
            self.peer_named(&step.peer)?.revoke_grant(context, &grant_id, "the scenario says so").await?;
        if outcome.is_none() {
            let message = format!("{} revokes a grant without a notice", step.peer);
            self.note(context, NoteKind::Injected, message, Value::Null);
        }
        Ok(())
    }

    pub(super) fn peer_put(&mut self, step: &PeerPut) -> Result<(), StepError> {
        let id = self.values.fill_text(&step.id)?;
        let record = self.record(&id, &step.record)?;
        self.peer_named(&step.peer)?.put_record(&step.kind, &id, record);
        Ok(())
    }

    /// Waits until the peers have received a call. Notes what was received, or that nothing was.
    pub(super) async fn wait(&mut self, context: &StepContext, step: &Wait) -> Result<(), StepError> {
        let names = std::iter::once(&step.peer).chain(&step.also);
        let peers = names.map(|name| self.peer_named(name)).collect::<Result<Vec<_>, _>>()?;
        let poll_timeout = self.poll_timeout();
        let took = Stopwatch::start();
        if let Some(calls) = step.calls {
            // A target that has done all when it answers calls nobody now.
            let longest = if poll_timeout.is_zero() { Duration::ZERO } else { LONG_WAIT };
            let quiet = peers.iter().map(|peer| peer.wait_while_called(calls, QUIET, longest));
            for (peer, received) in peers.iter().zip(join_all(quiet).await) {
                let message = format!("{} received {received} calls meanwhile", peer.name());
                self.note(
                    context,
                    NoteKind::Waited,
                    message,
                    json!({"peer": peer.name(), "received": received}),
                );
            }
            return Ok(());
        }
        let says = step.says.as_deref().map(|says| self.values.fill_text(says)).transpose();
        let says = says?;
        let wanted = |received: &Received| {
            let events = received.body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
            let notice =
                step.notice.as_deref().is_none_or(|kind| events.iter().any(|event| event["kind"] == kind));
            let status = step.status.as_deref().is_none_or(|status| received.body["status"] == status);
            let route = step
                .route
                .as_deref()
                .is_none_or(|name| received.route.as_ref().is_some_and(|route| route.name() == name));
            let says = says.as_ref().is_none_or(|says| received.body.to_string().contains(says));
            let is_new = !(step.new_call && self.found.contains(&received.n));
            notice && status && route && says && is_new
        };
        let all_found = join_all(peers.iter().map(|peer| peer.wait_for(wanted, poll_timeout))).await;
        for (peer, found) in peers.iter().zip(all_found) {
            let (name, found) = (peer.name(), found.map(|received| received.n));
            self.found.extend(found.filter(|_| !step.new_call));
            let message = match found {
                Some(n) => format!("{name} was notified in entry {n}"),
                None => format!("{name} was not notified within {} s", poll_timeout.as_secs()),
            };
            self.note(context, NoteKind::Waited, message, json!({"found": found}));
        }
        let took = took.elapsed();
        if took >= LONG_WAIT {
            let (scenario, seconds) = (self.recorder.trace().scenario().to_owned(), took.as_secs());
            let message = format!("{scenario} waited {seconds} s in real time for a call of the target");
            self.note(context, NoteKind::RealTime, message, json!({"seconds": seconds}));
        }
        Ok(())
    }

    /// Returns the token of the operator's proposal of a peer.
    fn proposed_token(&self, peer: &str) -> String {
        let proposed = self.values.value(&proposal(peer));
        proposed.and_then(|proposed| proposed["acceptance_token"].as_str()).unwrap_or_default().to_owned()
    }

    /// Returns the token of the grant with this label.
    fn token(&self, label: Option<&str>) -> Option<String> {
        self.values.value(label?)?["bearer_token"].as_str().map(ToOwned::to_owned)
    }
}

/// Returns why a peer does not present another certificate than its own, where the call would prove nothing.
fn why_not_presented(peer: &Peer, call: &Call) -> Option<&'static str> {
    let is_another = call.certificate.is_some() || call.issuer.is_some();
    let has_ended = call.certificate == Some(OtherCertificate::Ended);
    let reasons = [
        (
            is_another && !peer.certificate_is_seen(),
            "the target sees the names of its callers, and not their certificates",
        ),
        (
            has_ended && peer.is_forwarded(),
            "a proxy verifies the validity of a certificate, and forwards none that has ended",
        ),
        (
            call.certificate.is_some_and(|certificate| !peer.has_certificate(certificate)),
            "the peer has no other certificate than its present one",
        ),
        (
            call.issuer.as_ref().is_some_and(|issuer| issuer.shares_authority_with(peer)),
            "the two peers have one certificate authority",
        ),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}

/// Returns whether the head of a call has parts that the run fills in.
fn is_filled_in(step: &AnyCall) -> bool {
    let mut texts = step.headers.values().chain([&step.path]);
    step.grant.is_some() || texts.any(|text| text.contains("${"))
}

/// Returns the label that holds the proposal of a peer.
pub(super) fn proposal(peer: &str) -> String {
    format!("{peer}'s proposal")
}
