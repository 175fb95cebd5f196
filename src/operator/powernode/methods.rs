//! The call of the REST surface for each method that it supports.

use std::collections::BTreeMap;

use covenant_model::operator::INVALID_PARAMS;
use serde_json::{Map, Value, json};

use super::rest::{As, Called};
use super::{Powernode, grants};
use crate::operator::capability::CapabilityMethod;
use crate::operator::governance::GovernanceMethod;
use crate::operator::grant::GrantMethod;
use crate::operator::migration::MigrationMethod;
use crate::operator::network::NetworkMethod;
use crate::operator::peer::PeerMethod;
use crate::operator::platform::PlatformMethod;
use crate::operator::resource::ResourceMethod;
use crate::operator::{Method, OperatorError};

/// The methods that the REST surface supports.
pub(super) const METHODS: [Method; 16] = [
    Method::Platform(PlatformMethod::Describe),
    Method::Peer(PeerMethod::Propose),
    Method::Peer(PeerMethod::Show),
    Method::Peer(PeerMethod::List),
    Method::Peer(PeerMethod::Suspend),
    Method::Peer(PeerMethod::Revoke),
    Method::Grant(GrantMethod::Issue),
    Method::Grant(GrantMethod::Revoke),
    Method::Grant(GrantMethod::List),
    Method::Capability(CapabilityMethod::Declare),
    Method::Capability(CapabilityMethod::List),
    Method::Governance(GovernanceMethod::ListEvents),
    Method::Governance(GovernanceMethod::Scan),
    Method::Migration(MigrationMethod::Show),
    Method::Migration(MigrationMethod::List),
    Method::Network(NetworkMethod::Probe),
];

/// The methods that a worker's sweep stands for. They need the token of a worker.
pub(super) const SWEEPS: [Method; 2] =
    [Method::Peer(PeerMethod::SendHeartbeat), Method::Resource(ResourceMethod::RunSync)];

/// The most events that one call returns.
const EVENTS_MAX: usize = 200;
/// The most events that are read at once.
const EVENTS_IN_ALL: usize = 10_000;
/// The time in which an approved change has to be in force.
const IN_FORCE_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);
const POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);
/// The status by which the platform says that the peer answered its call with a refusal.
const PEER_REFUSED: i64 = 502;
/// The statuses by which the platform says that its call did not reach the peer: none answered, it has no address,
/// or its certificate was not accepted.
const PEER_NOT_REACHED: [i64; 3] = [503, 422, 500];

pub(super) async fn call(
    operator: &Powernode,
    method: Method,
    parameters: &Value,
) -> Result<Value, OperatorError> {
    let ask = Ask { operator, method, parameters };
    match method {
        Method::Platform(PlatformMethod::Describe) => Ok(operator.describe()),
        Method::Peer(PeerMethod::Propose) => ask.propose().await,
        Method::Peer(PeerMethod::Show) => ask.show().await,
        Method::Peer(PeerMethod::List) => ask.peers().await,
        Method::Peer(PeerMethod::Suspend) => ask.suspend().await,
        Method::Peer(PeerMethod::Revoke) => {
            ask.post(&ask.of_peer("/revoke")?, json!({"reason": parameters["reason"]})).await?;
            Ok(json!({}))
        }
        Method::Grant(GrantMethod::Issue) => grants::issue(&ask).await,
        Method::Grant(GrantMethod::Revoke) => grants::revoke(&ask).await,
        Method::Grant(GrantMethod::List) => grants::list(&ask).await,
        Method::Capability(CapabilityMethod::Declare) => ask.declare().await,
        Method::Capability(CapabilityMethod::List) => {
            let last = operator.kept().last_peer.clone();
            let peer = parameters["peer_id"].as_str().map(ToOwned::to_owned).or(last);
            let Some(peer) = peer else { return Ok(json!({"capabilities": []})) };
            let rows = ask.get(&format!("/platform/peers/{peer}/capabilities")).await?;
            Ok(json!({"capabilities": ask.list(rows, "capabilities")?}))
        }
        Method::Governance(GovernanceMethod::ListEvents) => ask.events().await,
        Method::Governance(GovernanceMethod::Scan) => {
            let found = ask.get("/sdwan/federation_governance/scan").await?;
            Ok(json!({"findings": ask.list(found, "findings")?}))
        }
        Method::Migration(MigrationMethod::Show) => {
            ask.get(&format!("/platform/migrations/{}", ask.text("migration_id")?)).await
        }
        Method::Migration(MigrationMethod::List) => {
            let rows = ask.get("/platform/migrations").await?;
            Ok(json!({"migrations": ask.list(rows, "migrations")?}))
        }
        Method::Network(NetworkMethod::Probe) => ask.probe().await,
        Method::Peer(PeerMethod::SendHeartbeat) => ask.sweep("heartbeat_sweep").await,
        Method::Resource(ResourceMethod::Put) => ask.put(),
        Method::Resource(ResourceMethod::RunSync) => ask.sweep("capability_auto_sync").await,
        _ => Err(OperatorError::unsupported(method)),
    }
}

/// One call of a method.
pub(super) struct Ask<'a> {
    pub(super) operator: &'a Powernode,
    pub(super) method: Method,
    pub(super) parameters: &'a Value,
}

impl Ask<'_> {
    async fn propose(&self) -> Result<Value, OperatorError> {
        let members = ["remote_instance_url", "spawn_role", "spawn_mode", "token_ttl_seconds"];
        let answered = self.post("/platform/peers", only(self.parameters, &members)).await?;
        let peer_id = answered["peer"]["id"].clone();
        let id = peer_id.as_str().ok_or_else(|| self.lacking("peer.id"))?.to_owned();
        let declared = {
            let mut kept = self.operator.kept();
            kept.last_peer = Some(id.clone());
            kept.declared.clone()
        };
        // A peer has one row of each kind: the last declaration counts.
        let last = declared.iter().map(|row| (row["resource_kind"].to_string(), row));
        for row in last.collect::<BTreeMap<_, _>>().into_values() {
            self.post(&format!("/platform/peers/{id}/capabilities"), row.clone()).await?;
        }
        Ok(json!({"peer_id": peer_id, "acceptance_token": answered["acceptance_token"]}))
    }

    /// Shows a peer. The residency that it declared is on the other route of peers, where there is one.
    async fn show(&self) -> Result<Value, OperatorError> {
        let mut peer = shown(&self.get(&self.of_peer("")?).await?);
        if peer["data_residency"].is_null()
            && let Ok(other) = self.get(&self.of_gated_peer()?).await
        {
            let other = if other["federation_peer"].is_object() { &other["federation_peer"] } else { &other };
            peer["data_residency"] = other["data_residency"].clone();
        }
        Ok(json!({"peer": peer}))
    }

    async fn peers(&self) -> Result<Value, OperatorError> {
        let peers = self.list(self.get("/platform/peers").await?, "peers")?;
        let peers: Vec<Value> = peers.as_array().into_iter().flatten().map(shown).collect();
        Ok(json!({"peers": peers}))
    }

    /// Suspends a peer. No ungated route does, so the change may wait for an approval.
    async fn suspend(&self) -> Result<Value, OperatorError> {
        let body = json!({"federation_peer": {"status": "suspended"}});
        let called = self.call(As::Operator, "PATCH", &self.of_gated_peer()?, Some(body)).await?;
        if called.is_approved {
            self.shows_status("suspended").await?;
        }
        Ok(json!({}))
    }

    /// Waits until an approved change of a peer's status is in force.
    async fn shows_status(&self, wanted: &str) -> Result<(), OperatorError> {
        let looking = crate::clock::Stopwatch::start();
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            let peer = shown(&self.get(&self.of_peer("")?).await?);
            if peer["status"] == wanted {
                return Ok(());
            }
            if looking.elapsed() >= IN_FORCE_WITHIN {
                let (found, seconds) = (&peer["status"], IN_FORCE_WITHIN.as_secs());
                let message = format!("approved, and after {seconds} s the peer's status is {found}");
                return Err(OperatorError::adapter(self.method, message));
            }
        }
    }

    /// Declares a capability. Without a peer it applies to each peer that is proposed later, because a row
    /// there belongs to a peer.
    async fn declare(&self) -> Result<Value, OperatorError> {
        let members = ["resource_kind", "direction", "policy", "filter", "conflict_resolution"];
        let row = only(self.parameters, &members);
        if self.parameters["peer_id"].is_null() {
            self.operator.kept().declared.push(row);
            return Ok(json!({}));
        }
        self.post(&self.of_peer("/capabilities")?, row).await?;
        Ok(json!({}))
    }

    async fn events(&self) -> Result<Value, OperatorError> {
        let mut events = Vec::new();
        let mut since = self.parameters["since"].clone();
        loop {
            let mut body = only(&json!({"since": since}), &["since"]);
            body["limit"] = json!(EVENTS_MAX);
            let page = self.list(self.post("/fleet/signals", body).await?, "events")?;
            let page: Vec<Value> = page.as_array().cloned().unwrap_or_default();
            let is_full = page.len() >= EVENTS_MAX;
            let newest = page.iter().filter_map(|event| event["emitted_at"].as_str()).max().map(Value::from);
            // Both ends of a window are inclusive.
            let is_new = |event: &Value| !events.contains(event);
            let added: Vec<Value> = page.into_iter().filter(is_new).collect();
            // A platform may list the newest ones of a window: then a page that begins at its end adds nothing.
            let is_last = !is_full || added.is_empty() || newest.is_none();
            events.extend(added);
            if is_last {
                return Ok(json!({"events": events}));
            }
            if events.len() >= EVENTS_IN_ALL {
                let message =
                    format!("the platform has more than {EVENTS_IN_ALL} events, which are not read");
                return Err(OperatorError::adapter(self.method, message));
            }
            since = newest.unwrap_or_default();
        }
    }

    /// Lets the platform read the catalog of a peer. It calls no other URL on demand.
    async fn probe(&self) -> Result<Value, OperatorError> {
        let path = format!("/federation/peers/{}/catalog", self.text("peer_id")?);
        match self.get(&path).await {
            Ok(_) => Ok(json!({"reached": true, "detail": "the peer's catalog was read"})),
            Err(OperatorError::Refused { code: PEER_REFUSED, message, .. }) => {
                Ok(json!({"reached": true, "detail": message}))
            }
            Err(OperatorError::Refused { code, message, .. }) if PEER_NOT_REACHED.contains(&code) => {
                Ok(json!({"reached": false, "detail": format!("{message} ({code})")}))
            }
            Err(other) => Err(other),
        }
    }

    /// Stores a record. The surface has no route for it, so only a record that the user names can be used: it is
    /// there already.
    fn put(&self) -> Result<Value, OperatorError> {
        let is_there = self.operator.has_record(self.text("kind")?, &self.parameters["record"]);
        if is_there { Ok(json!({})) } else { Err(OperatorError::unsupported(self.method)) }
    }

    /// Runs a sweep. The peers that it calls see its effect.
    async fn sweep(&self, which: &str) -> Result<Value, OperatorError> {
        let path = format!("/worker_api/federation/{which}");
        Ok(self.call(As::Worker, "POST", &path, Some(json!({}))).await?.data)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, OperatorError> {
        Ok(self.call(As::Operator, "GET", path, None).await?.data)
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, OperatorError> {
        Ok(self.call(As::Operator, "POST", path, Some(body)).await?.data)
    }

    async fn call(
        &self,
        whose: As,
        http_method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Called, OperatorError> {
        self.operator.rest().call(self.method.name(), whose, http_method, path, body).await
    }

    pub(super) fn of_peer(&self, more: &str) -> Result<String, OperatorError> {
        Ok(format!("/platform/peers/{}{more}", self.text("peer_id")?))
    }

    fn of_gated_peer(&self) -> Result<String, OperatorError> {
        Ok(format!("/sdwan/federation_peers/{}", self.text("peer_id")?))
    }

    pub(super) fn text(&self, member: &str) -> Result<&str, OperatorError> {
        let text = self.parameters[member].as_str();
        let message = || format!("{member}: a text is needed");
        text.ok_or_else(|| OperatorError::refused(self.method, INVALID_PARAMS, message()))
    }

    /// Returns the rows of a list in an answer. An answer without one is malformed, and never an empty list.
    pub(super) fn list(&self, answered: Value, name: &str) -> Result<Value, OperatorError> {
        rows(answered, name).ok_or_else(|| self.lacking(name))
    }

    pub(super) fn lacking(&self, member: &str) -> OperatorError {
        OperatorError::adapter(self.method, format!("the platform's answer has no {member}"))
    }
}

/// Converts a peer to the form of the binding.
fn shown(answered: &Value) -> Value {
    let mut peer = if answered["peer"].is_object() { answered["peer"].clone() } else { answered.clone() };
    if peer["peer_id"].is_null() && peer.is_object() {
        peer["peer_id"] = peer["id"].clone();
    }
    peer
}

/// Returns the rows of a list: bare, under its name, or under the one name that has a list.
fn rows(answered: Value, name: &str) -> Option<Value> {
    if answered.is_array() {
        return Some(answered);
    }
    // The surface leaves out data that would be empty.
    if answered.is_null() || answered.as_object().is_some_and(Map::is_empty) {
        return Some(json!([]));
    }
    let members = answered.as_object()?;
    if let Some(named) = members.get(name) {
        return named.is_array().then(|| named.clone());
    }
    let mut lists = members.values().filter(|member| member.is_array());
    lists.next().filter(|_| lists.next().is_none()).cloned()
}

/// Returns the named members that are present.
pub(super) fn only(parameters: &Value, members: &[&str]) -> Value {
    let kept = members.iter().filter_map(|name| {
        let member = parameters.get(*name).filter(|member| !member.is_null())?;
        Some(((*name).to_owned(), member.clone()))
    });
    Value::Object(kept.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_bare_or_under_a_name_and_nothing_else_is_an_empty_list() {
        for (answered, expected) in [
            (json!([1]), Some(json!([1]))),
            (json!({"events": [1], "count": 1}), Some(json!([1]))),
            (json!({"signals": [1], "count": 1}), Some(json!([1]))),
            (json!({"events": [], "others": [1]}), Some(json!([]))),
            (json!({}), Some(json!([]))),
            (Value::Null, Some(json!([]))),
            (json!({"events": null, "signals": [1]}), None),
            (json!({"signals": [1], "others": [2]}), None),
            (json!({"count": 1}), None),
            (json!("none"), None),
        ] {
            assert_eq!(rows(answered.clone(), "events"), expected, "{answered}");
        }
    }
}
