//! The peer's own server: what it answers when the target calls.

use std::sync::Weak;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::behaviour::bend;
use super::link::welcome;
use super::state::Received;
use super::{Inner, Peer};
use crate::net::{Handler, Inbound, Outbound};
use crate::transcript::{Body, Direction, Exchange, Message, What};
use crate::wire::grant::Scope;
use crate::wire::header::{self, inbound_subject};
use crate::wire::migration::MigrationRequest;
use crate::wire::path::Route;
use crate::wire::sync::SyncBatch;
use serde::Deserialize;

/// The door of a peer: it holds the peer only while a call is under way, so that a peer that the
/// scenario has dropped goes away.
#[derive(Debug)]
pub(super) struct Door(pub(super) Weak<Inner>);

#[async_trait]
impl Handler for Door {
    async fn handle(&self, request: Inbound) -> Outbound {
        match self.0.upgrade() {
            Some(inner) => Peer(inner).answer(&request),
            None => Outbound::abort(),
        }
    }
}

/// A status and a body.
type Answer = (u16, Value);

impl Peer {
    fn answer(&self, request: &Inbound) -> Outbound {
        let route = Route::parse(&request.method, &request.path);
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let mut answer = match &route {
            Some(route) => self.route(route, request, &body),
            None => (404, json!({"error": "no such route"})),
        };
        let mut injected = vec![];
        if let Some(route) = &route {
            injected = bend(&self.0.options.behaviours, &mut answer, |behaviour, (status, body)| {
                if let Some(hook) = behaviour.answer {
                    hook(route, status, body);
                }
            });
        }
        let outbound = Outbound::json(answer.0, &answer.1);
        let n = self.tell(request, &outbound, injected);
        let at = self.0.options.clock.now();
        self.state().inbox.push(Received { n, route, body, at });
        self.0.received.send_modify(|count| *count += 1);
        outbound
    }

    fn tell(&self, request: &Inbound, answer: &Outbound, injected: Vec<String>) -> u64 {
        let path = match &request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.clone(),
        };
        let exchange = Exchange {
            peer: self.name().to_owned(),
            direction: Direction::FromTarget,
            request: Message {
                method: Some(request.method.clone()),
                path: Some(path),
                headers: request.headers.clone(),
                body: Body::capture(&request.body),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(answer.status),
                headers: answer.headers.clone(),
                body: Body::capture(&answer.body),
                ..Message::default()
            }),
            failure: None,
            tls: request.tls.clone(),
            protocol: Some(request.protocol.to_owned()),
            injected,
        };
        self.0.options.recorder.record(None, None, What::Exchange(exchange))
    }

    fn route(&self, route: &Route, request: &Inbound, body: &Value) -> Answer {
        if *route == Route::Accept {
            return self.on_accept(body);
        }
        if let Err(refusal) = self.identify(request) {
            return refusal;
        }
        self.log(route);
        match route {
            Route::Heartbeat => self.on_heartbeat(body),
            Route::TrustBundle => success(&json!({
                "ca_bundle_pem": self.ca_bundle_pem(),
                "generated_at": self.now(),
            })),
            Route::Resource { kind, id } => self.on_resource(kind, id, request),
            Route::Migrations => self.on_migration(body, request),
            Route::MigrationCommit { id } => self.on_commit(id),
            Route::Migration { id } => match self.state().migrations.get(id) {
                Some(view) => (200, json!({"data": view})),
                None => (404, json!({"error": "no such migration"})),
            },
            Route::AuditExcerpts => self.on_excerpt(),
            Route::ServiceCatalog => (200, json!({"data": {"offerings": [], "generated_at": self.now()}})),
            Route::Sync => self.on_sync(body),
            Route::Accept | Route::Subscriptions | Route::Subscription { .. } => {
                (404, json!({"error": "not found"}))
            }
        }
    }

    /// The caller is the target, if its certificate bears one of the names that were agreed.
    fn identify(&self, request: &Inbound) -> Result<(), Answer> {
        let unauthorized =
            |text: &str| (401, json!({"success": false, "error": text, "code": "UNAUTHORIZED"}));
        let Some(certificate) = &request.peer_certificate else {
            return Err(unauthorized("mTLS client certificate required"));
        };
        let state = self.state();
        let ours = inbound_subject(&state.target_row);
        let theirs = state.id_at_target.as_deref().map(inbound_subject);
        let name = certificate.common_name.as_deref();
        let known = name == Some(&ours) || (theirs.is_some() && name == theirs.as_deref());
        if state.revoked || !known {
            return Err(unauthorized("No reachable FederationPeer for mTLS subject"));
        }
        Ok(())
    }

    fn on_accept(&self, body: &Value) -> Answer {
        let offered = body["acceptance_token"].as_str().unwrap_or_default();
        let profile = &self.0.options.profile;
        if body["contract_version"] != profile.contract_version {
            let text = format!("Unsupported contract_version {}; supported: [1]", body["contract_version"]);
            return (422, json!({"success": false, "error": text, "code": "VALIDATION_ERROR"}));
        }
        let token = self.state().acceptance_token.take_if(|token| token == offered);
        if token.is_none() {
            return (401, json!({"success": false, "error": "acceptance_token not recognized or expired"}));
        }
        let mut data = json!({
            "peer_id": self.state().target_row,
            "status": "enrolled",
            "peer_kind": "platform",
            "contract_version_agreed": profile.contract_version,
            "accepted_at": self.now(),
            "handshake_at": self.now(),
        });
        super::acts::merge(&mut data, &profile.disclose());
        super::acts::merge(&mut data, &welcome(self, body));
        success(&data)
    }

    fn on_heartbeat(&self, body: &Value) -> Answer {
        let says = |status: &str| body["status"] == status;
        let tells = |kind: &str| {
            body["events"].as_array().is_some_and(|events| events.iter().any(|event| event["kind"] == kind))
        };
        let leaves = says("revoked") || tells(crate::wire::notice::kind::PEER_REVOKED);
        let mut data = json!({
            "status": if leaves { "revoked" } else { "active" },
            "last_heartbeat_at": self.now(),
            "our_endpoints": self.endpoints(),
        });
        super::acts::merge(&mut data, &self.0.options.profile.disclose());
        success(&data)
    }

    fn on_resource(&self, kind: &str, id: &str, request: &Inbound) -> Answer {
        let grant = match self.grant(request, Scope::Read, kind, Some(id)) {
            Ok(grant) => grant,
            Err(refusal) => return refusal,
        };
        if !self.declares(kind) {
            return (422, json!({"error": format!("resource kind {kind} is not served here")}));
        }
        let record = self.record_at(kind, id);
        let mut data = json!({
            "kind": kind, "id": id, "exists": record.is_some(), "grant_id": grant, "fetched_at": self.now(),
        });
        if let Some(record) = record {
            data["record"] = Value::Object(record);
        }
        success(&data)
    }

    fn on_migration(&self, body: &Value, request: &Inbound) -> Answer {
        let plan = match MigrationRequest::deserialize(body) {
            Ok(plan) => plan,
            Err(error) => return (400, json!({"error": format!("Invalid payload: {error}")})),
        };
        if let Err(refusal) = self.grant(request, Scope::Migrate, &plan.root_resource_kind, None) {
            return refusal;
        }
        if plan.commit == Some(false) {
            let id = self.0.ids.uuid().to_string();
            self.state().open_migrations.insert(id.clone(), plan);
            return (202, json!({"data": {"migration_id": id, "status": "transferring"}}));
        }
        let id = self.0.ids.uuid().to_string();
        self.apply(&id, &plan)
    }

    fn on_commit(&self, id: &str) -> Answer {
        let open = self.state().open_migrations.remove(id);
        match open {
            Some(plan) => self.apply(id, &plan),
            None => (404, json!({"error": "no such open migration"})),
        }
    }

    fn on_excerpt(&self) -> Answer {
        let events = self.state().audit.clone();
        success(&json!({
            "peer_id": self.state().target_row,
            "count": events.len(),
            "events": events,
            "shipments": [],
            "window": {"since": null, "until": self.now()},
        }))
    }

    fn on_sync(&self, body: &Value) -> Answer {
        let Ok(batch) = SyncBatch::deserialize(body) else {
            return (422, json!({"error": "not a sync batch"}));
        };
        if SyncBatch::digest(&batch.records) != batch.sha256 {
            return (422, json!({"error": "the digest does not fit the records"}));
        }
        let mut state = self.state();
        let known = state.cursors_in.get(&batch.resource_kind);
        if known.is_some_and(|cursor| *cursor != batch.cursor.from) {
            return (409, json!({"error": "the cursor does not join on"}));
        }
        state.cursors_in.insert(batch.resource_kind.clone(), batch.cursor.to.clone());
        for record in &batch.records {
            state.records.insert((batch.resource_kind.clone(), record.id.clone()), record.payload.clone());
        }
        success(&json!({"accepted": batch.records.len(), "cursor": batch.cursor.to}))
    }

    /// The id of a grant of ours that lets this call in.
    fn grant(&self, request: &Inbound, scope: Scope, kind: &str, id: Option<&str>) -> Result<String, Answer> {
        let unauthorized = |text: &str| (401, json!({"error": text}));
        let forbidden = |text: &str| (403, json!({"error": text}));
        let token = request.header(header::AUTHORIZATION).and_then(header::bearer_token);
        let token = token.ok_or_else(|| unauthorized("Bearer grant token required"))?;
        let state = self.state();
        let grant = state.grants.values().find(|grant| grant.bearer_token == token);
        let grant = grant.ok_or_else(|| unauthorized("Grant token does not resolve"))?;
        if self.0.options.clock.now() >= grant.expires_at {
            return Err(unauthorized("Grant has expired"));
        }
        if grant.revoked {
            return Err(unauthorized("Grant has been revoked"));
        }
        if grant.resource_kind != kind && scope == Scope::Read {
            return Err(forbidden("the grant is for another kind"));
        }
        if grant.resource_id.is_some() && id.is_some() && grant.resource_id.as_deref() != id {
            return Err(forbidden("the grant is for another resource"));
        }
        if !grant.scopes.contains(&scope) && !grant.scopes.contains(&Scope::Admin) {
            return Err(forbidden("the grant lacks the scope"));
        }
        Ok(grant.id.clone())
    }

    fn declares(&self, kind: &str) -> bool {
        let kinds = self.0.options.profile.capabilities["resource_kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|row| row["kind"] == kind))
    }

    fn log(&self, route: &Route) {
        let entry = json!({
            "id": self.0.ids.uuid().to_string(),
            "kind": format!("federation.{}", route.name().replace('/', ".")),
            "severity": "low",
            "emitted_at": self.now(),
            "correlation_id": self.0.ids.uuid().to_string(),
            "source": "federation",
            "payload": {
                "federation_peer_id": self.state().target_row,
                "remote_subject": inbound_subject(&self.state().target_row),
                "action": route.name(),
            },
        });
        self.state().audit.push(entry);
    }

    pub(super) fn now(&self) -> String {
        self.0.options.clock.now().to_string()
    }
}

fn success(data: &Value) -> Answer {
    (200, json!({"success": true, "data": data}))
}
