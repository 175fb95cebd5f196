//! The call of the REST surface for each method that it supports.

use covenant_model::operator::INVALID_PARAMS;
use serde_json::{Value, json};

use super::Powernode;
use super::rest::As;
use crate::operator::capability::CapabilityMethod;
use crate::operator::governance::GovernanceMethod;
use crate::operator::grant::GrantMethod;
use crate::operator::migration::MigrationMethod;
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
    Method::Governance(GovernanceMethod::Scan),
    Method::Migration(MigrationMethod::Show),
    Method::Migration(MigrationMethod::List),
    Method::Peer(PeerMethod::SendHeartbeat),
    Method::Resource(ResourceMethod::RunSync),
];

pub(super) async fn call(
    operator: &Powernode,
    method: Method,
    parameters: &Value,
) -> Result<Value, OperatorError> {
    let ask = Ask { operator, method, parameters };
    match method {
        Method::Platform(PlatformMethod::Describe) => Ok(Powernode::describe()),
        Method::Peer(PeerMethod::Propose) => ask.propose().await,
        Method::Peer(PeerMethod::Show) => Ok(json!({"peer": shown(&ask.get(&ask.of_peer("")?).await?)})),
        Method::Peer(PeerMethod::List) => ask.peers().await,
        Method::Peer(PeerMethod::Suspend) => ask.suspend().await,
        Method::Peer(PeerMethod::Revoke) => {
            ask.post(&ask.of_peer("/revoke")?, json!({"reason": parameters["reason"]})).await?;
            Ok(json!({}))
        }
        Method::Grant(GrantMethod::Issue) => ask.issue().await,
        Method::Grant(GrantMethod::Revoke) => {
            let path = ask.of_peer(&format!("/grants/{}/revoke", ask.text("grant_id")?))?;
            ask.post(&path, json!({"reason": parameters["reason"]})).await?;
            Ok(json!({}))
        }
        Method::Grant(GrantMethod::List) => {
            Ok(json!({"grants": list(ask.get(&ask.of_peer("/grants")?).await?, "grants")}))
        }
        Method::Capability(CapabilityMethod::Declare) => ask.declare().await,
        Method::Capability(CapabilityMethod::List) => {
            let rows = list(ask.get(&ask.of_peer("/capabilities")?).await?, "capabilities");
            Ok(json!({"capabilities": rows}))
        }
        Method::Governance(GovernanceMethod::Scan) => {
            let found = ask.get("/sdwan/federation_governance/scan").await?;
            Ok(json!({"findings": list(found, "findings")}))
        }
        Method::Migration(MigrationMethod::Show) => {
            ask.get(&format!("/platform/migrations/{}", ask.text("migration_id")?)).await
        }
        Method::Migration(MigrationMethod::List) => {
            Ok(json!({"migrations": list(ask.get("/platform/migrations").await?, "migrations")}))
        }
        Method::Peer(PeerMethod::SendHeartbeat) => ask.sweep("heartbeat_sweep").await,
        Method::Resource(ResourceMethod::RunSync) => ask.sweep("capability_auto_sync").await,
        _ => Err(OperatorError::unsupported(method)),
    }
}

struct Ask<'a> {
    operator: &'a Powernode,
    method: Method,
    parameters: &'a Value,
}

impl Ask<'_> {
    async fn propose(&self) -> Result<Value, OperatorError> {
        let body = only(self.parameters, &["remote_instance_url", "spawn_role", "spawn_mode"]);
        let answered = self.post("/platform/peers", body).await?;
        let peer_id = answered["peer"]["id"].clone();
        let id = peer_id.as_str().ok_or_else(|| self.lacking("peer.id"))?.to_owned();
        let declared = self.operator.declared().clone();
        for row in declared {
            self.post(&format!("/platform/peers/{id}/capabilities"), row).await?;
        }
        Ok(json!({"peer_id": peer_id, "acceptance_token": answered["acceptance_token"]}))
    }

    async fn peers(&self) -> Result<Value, OperatorError> {
        let peers = list(self.get("/platform/peers").await?, "peers");
        let peers: Vec<Value> = peers.as_array().into_iter().flatten().map(shown).collect();
        Ok(json!({"peers": peers}))
    }

    async fn suspend(&self) -> Result<Value, OperatorError> {
        let path = format!("/sdwan/federation_peers/{}", self.text("peer_id")?);
        let body = json!({"federation_peer": {"status": "suspended"}});
        self.operator.0.rest.call(self.method.name(), As::Operator, "PATCH", &path, Some(body)).await?;
        Ok(json!({}))
    }

    async fn issue(&self) -> Result<Value, OperatorError> {
        let members = [
            "remote_subject",
            "resource_kind",
            "resource_id",
            "permission_scopes",
            "ttl_days",
            "node_instance_ids",
            "sdwan_network_ids",
            "source_cidrs",
        ];
        let granted = self.post(&self.of_peer("/grants")?, only(self.parameters, &members)).await?;
        let row = if granted["grant"].is_object() { &granted["grant"] } else { &granted };
        let id = if row["id"].is_string() { &row["id"] } else { &granted["grant_id"] };
        let token =
            if granted["bearer_token"].is_string() { &granted["bearer_token"] } else { &row["bearer_token"] };
        Ok(json!({"grant_id": id, "bearer_token": token, "expires_at": row["expires_at"]}))
    }

    /// Declares a capability. Without a peer it applies to each peer that is proposed later, because a row
    /// there belongs to a peer.
    async fn declare(&self) -> Result<Value, OperatorError> {
        let members = ["resource_kind", "direction", "policy", "filter", "conflict_resolution"];
        let row = only(self.parameters, &members);
        if self.parameters["peer_id"].is_null() {
            self.operator.declared().push(row);
            return Ok(json!({}));
        }
        self.post(&self.of_peer("/capabilities")?, row).await?;
        Ok(json!({}))
    }

    /// Runs a sweep. The peers that it calls see its effect.
    async fn sweep(&self, which: &str) -> Result<Value, OperatorError> {
        let path = format!("/worker_api/federation/{which}");
        self.operator.0.rest.call(self.method.name(), As::Worker, "POST", &path, Some(json!({}))).await
    }

    async fn get(&self, path: &str) -> Result<Value, OperatorError> {
        self.operator.0.rest.call(self.method.name(), As::Operator, "GET", path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, OperatorError> {
        self.operator.0.rest.call(self.method.name(), As::Operator, "POST", path, Some(body)).await
    }

    fn of_peer(&self, more: &str) -> Result<String, OperatorError> {
        Ok(format!("/platform/peers/{}{more}", self.text("peer_id")?))
    }

    fn text(&self, member: &str) -> Result<&str, OperatorError> {
        let text = self.parameters[member].as_str();
        let message = || format!("{member}: a text is needed");
        text.ok_or_else(|| OperatorError::refused(self.method, INVALID_PARAMS, message()))
    }

    fn lacking(&self, member: &str) -> OperatorError {
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

/// Returns the rows of a list, with or without an object around it.
fn list(answered: Value, name: &str) -> Value {
    if answered.is_array() { answered } else { answered[name].clone() }
}

/// Returns the named members that are present.
fn only(parameters: &Value, members: &[&str]) -> Value {
    let kept = members.iter().filter_map(|name| {
        parameters
            .get(*name)
            .filter(|member| !member.is_null())
            .map(|member| ((*name).to_owned(), member.clone()))
    });
    Value::Object(kept.collect())
}
