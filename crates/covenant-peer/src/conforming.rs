//! The steps of a peer, each as a conforming platform does it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::call::{Call, CallOutcome, StepContext};
use super::link::Introduction;
use super::state::{InjectedRead, Injection, IssuedGrant, Outcome, Proposal, place};
use super::{DEFAULT_RELEASE, Peer, PeerError, Profile};
use covenant_model::transcript::Direction;
use covenant_model::wire::grant::Scope;
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::{PREFIX, Route};
use covenant_model::wire::sync::{SyncBatch, SyncRecord};

/// Members of an introduction by which a platform describes itself (`binding.md`, "Accept and heartbeat"). The contract
/// text is no such member: a mismatch that a peer repeats in each answer is many breaches, not one.
const DISCLOSED: [&str; 5] =
    ["metadata", "platform_version", "data_residency", "capabilities", "extension_slugs"];
/// Default lifetime of a grant that a peer issues, in days.
const GRANT_DAYS: i64 = 30;
/// Lifetime of an invitation, in days (`wire.md` §5).
const TOKEN_DAYS: i64 = 7;
/// Grace for migrations in flight, in minutes (4.3).
const GRACE_MINUTES: i64 = 5;
/// Longest time that a connecting target waits for the injected call. It is far shorter than the target's own
/// timeout.
const INJECTION_TIME_MAX: Duration = Duration::from_secs(1);

impl Peer {
    /// Joins the target with one of its tokens: the handshake, as the caller. `with` is merged over the
    /// request; a null removes a member.
    pub async fn accept(
        &self,
        context: &StepContext,
        token: &str,
        with: &Value,
    ) -> Result<CallOutcome, PeerError> {
        self.0.options.recorder.learn_secret("acceptance_token", token);
        let introduction = Introduction::new(self)?;
        let profile = self.profile();
        let mut body = json!({
            "acceptance_token": token,
            "contract_version": profile.contract_version,
            "endpoints": self.endpoints(),
        });
        merge(&mut body, &profile.disclose());
        merge(&mut body, &introduction.members());
        merge(&mut body, with);
        self.state_from_now_on(with);
        let mut outcome = self
            .call(context, Call { without_certificate: true, ..Call::route(&Route::Accept).body(body) })
            .await?;
        if outcome.succeeded()
            && let Some(data) = &outcome.data
        {
            outcome.unusable = introduction.conclude(self, data);
        }
        Ok(outcome)
    }

    /// Sends a heartbeat. `with` is merged over it.
    pub async fn heartbeat(&self, context: &StepContext, with: &Value) -> Result<CallOutcome, PeerError> {
        let mut body = json!({"endpoints": self.endpoints(), "status": "active"});
        merge(&mut body, &self.profile().disclose());
        merge(&mut body, with);
        self.state_from_now_on(with);
        self.call(context, Call::route(&Route::Heartbeat).body(body)).await
    }

    /// Returns the profile of the peer, with the release that it took on.
    pub(super) fn profile(&self) -> Profile {
        let profile = self.0.options.profile.clone();
        match &self.state().learned_release {
            Some(release) => profile.at(release),
            None => profile,
        }
    }

    /// Takes on the release that the target disclosed so far, if this peer stated the default one last: a target may refuse or
    /// report peers outside its window (reading 75). Returns whether it took one on now.
    pub fn learn_release(&self) -> bool {
        if self.state().learned_release.is_some() {
            return false;
        }
        let trace = self.0.options.recorder.trace();
        let mut own = trace.exchanges().rev().map(|(_, it)| it).filter(|it| it.peer == self.name());
        let stated = own.find_map(|it| match it.direction {
            Direction::ToTarget => it.sent()?.get("platform_version").cloned(),
            Direction::FromTarget => None,
        });
        let is_default = stated.is_some_and(|stated| stated == DEFAULT_RELEASE.to_string());
        let learned = trace.release().filter(|release| is_default && *release != DEFAULT_RELEASE);
        self.state().learned_release.clone_from(&learned);
        learned.is_some()
    }

    /// Keeps what the peer says of itself in an introduction, so that it answers the same to the target's own
    /// heartbeats until it says otherwise: a target goes by the last word.
    fn state_from_now_on(&self, with: &Value) {
        let members = with.as_object().into_iter().flatten();
        let of_itself = members.filter(|(name, _)| DISCLOSED.contains(&name.as_str()));
        self.state().stated = of_itself.map(|(name, value)| (name.clone(), value.clone())).collect();
    }

    /// Registers a heartbeat with this label to be sent when the target connects next, and a read after it. The peer sends
    /// them before it admits the connection, so it has not yet read the target's call.
    pub fn inject_on_connect(&self, label: Option<String>, read: Option<InjectedRead>) {
        // The calls belong to no step: the target determines their time.
        self.state().injection = Some(Injection { context: StepContext { step: None, label }, read });
    }

    /// Makes the registered calls. A target that handles one call at a time can't answer them now; that
    /// proves nothing, and the failure is not recorded.
    pub(super) async fn inject_now(&self) {
        let Some(Injection { context, read }) = self.state().injection.take() else { return };
        let heartbeat = timeout(INJECTION_TIME_MAX, self.heartbeat(&context, &Value::Null)).await;
        if let (Ok(_), Some(InjectedRead { kind, id, token })) = (heartbeat, read) {
            let fetch = self.fetch(&context, &kind, &id, token.as_deref());
            let _ = timeout(INJECTION_TIME_MAX, fetch).await;
        }
    }

    /// Reads a resource under a grant.
    pub async fn fetch(
        &self,
        context: &StepContext,
        kind: &str,
        id: &str,
        token: Option<&str>,
    ) -> Result<CallOutcome, PeerError> {
        let route = Route::Resource { kind: kind.to_owned(), id: id.to_owned() };
        self.call(context, Call::route(&route).bearing(token)).await
    }

    /// Sends a migration under a grant.
    pub async fn migrate(
        &self,
        context: &StepContext,
        request: Value,
        token: Option<&str>,
    ) -> Result<CallOutcome, PeerError> {
        self.call(context, Call::route(&Route::Migrations).body(request).bearing(token)).await
    }

    /// Sends a batch of a sync stream, which continues the last batch that the target accepted. `with` is
    /// merged over the batch after its digest is computed.
    pub async fn sync(
        &self,
        context: &StepContext,
        resource_kind: &str,
        records: Vec<SyncRecord>,
        with: &Value,
    ) -> Result<CallOutcome, PeerError> {
        let from = self.state().cursors_out.get(resource_kind).copied().unwrap_or(0);
        let to = from + records.len() as u64;
        let mut body = json!({
            "resource_kind": resource_kind,
            "cursor": {"from": from.to_string(), "to": to.to_string()},
            "sha256": SyncBatch::digest(&records),
            "records": records,
        });
        merge(&mut body, with);
        let outcome = self.call(context, Call::route(&Route::Sync).body(body)).await?;
        if outcome.succeeded() {
            self.state().cursors_out.insert(resource_kind.to_owned(), to);
        }
        Ok(outcome)
    }

    /// Delivers an event in a heartbeat.
    pub async fn notify(
        &self,
        context: &StepContext,
        kind: &str,
        payload: Value,
    ) -> Result<CallOutcome, PeerError> {
        self.heartbeat(context, &json!({"events": [self.event(kind, &payload)]})).await
    }

    /// Revokes the peering: sends the notice, and from then on rejects the target's calls. Returns `None` if
    /// a behaviour withholds the notice.
    pub async fn revoke(
        &self,
        context: &StepContext,
        reason: &str,
    ) -> Result<Option<CallOutcome>, PeerError> {
        let behaviours = self.behaviours();
        let silent =
            behaviours.iter().find(|behaviour| behaviour.revokes_silently).map(|behaviour| behaviour.name);
        let outcome = if silent.is_some() { None } else { Some(self.give_notice(context, reason).await?) };
        self.end(silent);
        Ok(outcome)
    }

    /// Ends the peering, except for the grace of open migrations. Only the first outcome counts.
    pub(super) fn end(&self, injected: Option<&'static str>) {
        let grace_until = self.0.options.clock.now() + SignedDuration::from_mins(GRACE_MINUTES);
        self.state().outcome.get_or_insert(Outcome { grace_until, injected });
    }

    /// Revokes a grant of this peer, and sends the notice. Returns `None` if a behaviour withholds the
    /// notice, or if there is no such grant.
    pub async fn revoke_grant(
        &self,
        context: &StepContext,
        grant_id: &str,
        reason: &str,
    ) -> Result<Option<CallOutcome>, PeerError> {
        let behaviours = self.behaviours();
        let silent = behaviours
            .iter()
            .find(|behaviour| behaviour.ends_grants_silently)
            .map(|behaviour| behaviour.name);
        let is_known = self.state().grants.get_mut(grant_id).is_some_and(|grant| {
            grant.revoked = true;
            grant.injected = silent;
            true
        });
        if !is_known || silent.is_some() {
            return Ok(None);
        }
        let effective_at = self.0.options.clock.now().to_string();
        let payload = json!({"grant_id": grant_id, "reason": reason, "effective_at": effective_at});
        self.notify(context, kind::GRANT_REVOKED, payload).await.map(Some)
    }

    async fn give_notice(&self, context: &StepContext, reason: &str) -> Result<CallOutcome, PeerError> {
        let now = self.0.options.clock.now();
        let payload = json!({
            "federation_peer_id": self.id_at_target(),
            "reason": reason,
            "effective_at": now.to_string(),
            "grace_until": (now + SignedDuration::from_mins(GRACE_MINUTES)).to_string(),
        });
        let event = self.event(kind::PEER_REVOKED, &payload);
        self.heartbeat(context, &json!({"status": "revoked", "events": [event]})).await
    }

    /// Invites the target, and returns the token that it joins with.
    #[must_use]
    pub fn propose(&self) -> String {
        let token = URL_SAFE_NO_PAD.encode(self.0.ids.bytes::<32>());
        self.invite(&token);
        token
    }

    /// Admits the target with a token, once.
    pub(super) fn invite(&self, token: &str) {
        self.0.options.recorder.learn_secret("acceptance_token", token);
        let expires_at = self.0.options.clock.now() + SignedDuration::from_hours(24 * TOKEN_DAYS);
        self.state().proposal = Some(Proposal { token: token.to_owned(), expires_at });
    }

    /// Issues a grant to the target out of band: the peer sends nothing.
    #[must_use]
    pub fn issue_grant(
        &self,
        resource_kind: &str,
        resource_id: Option<&str>,
        scopes: Vec<Scope>,
    ) -> IssuedGrant {
        let id = self.0.ids.uuid().to_string();
        let bearer_token = format!("fgs.{id}.{}", hex::encode(self.0.ids.bytes::<32>()));
        self.0.options.recorder.learn_secret("bearer_token", &bearer_token);
        let grant = IssuedGrant {
            id: id.clone(),
            bearer_token,
            resource_kind: resource_kind.to_owned(),
            resource_id: resource_id.map(ToOwned::to_owned),
            scopes,
            expires_at: self.0.options.clock.now() + SignedDuration::from_hours(24 * GRANT_DAYS),
            revoked: false,
            injected: None,
        };
        self.state().grants.insert(id, grant.clone());
        grant
    }

    /// Puts a record into the store of the peer.
    pub fn put_record(&self, kind: &str, id: &str, record: Map<String, Value>) {
        self.state().records.insert(place(kind, id), record);
    }

    /// Returns a record of the store.
    #[must_use]
    pub fn record_at(&self, kind: &str, id: &str) -> Option<Map<String, Value>> {
        self.state().records.get(&place(kind, id)).cloned()
    }

    fn event(&self, kind: &str, payload: &Value) -> Value {
        json!({
            "id": self.0.ids.uuid().to_string(),
            "kind": kind,
            "severity": "high",
            "emitted_at": self.0.options.clock.now().to_string(),
            "correlation_id": self.0.ids.uuid().to_string(),
            "source": "federation",
            "payload": payload,
        })
    }

    pub(super) fn endpoints(&self) -> Value {
        let mut url = self.base_url_text();
        if self.0.options.permitted_choices.prefixed_endpoint {
            url.push_str(PREFIX);
        }
        json!([{"url": url, "scope": "wan", "priority": 10}])
    }
}

/// Merges `over` into `value` (RFC 7396): objects member by member; a null removes a member.
pub(super) fn merge(value: &mut Value, over: &Value) {
    let Value::Object(over) = over else {
        if !over.is_null() {
            *value = over.clone();
        }
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let Some(members) = value.as_object_mut() else { return };
    for (name, member) in over {
        if member.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), member);
        }
    }
}
