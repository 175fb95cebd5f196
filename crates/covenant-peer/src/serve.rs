//! Server of the peer: its responses to the target's calls.

use std::sync::Weak;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::behaviour::{Asked, mutate};
use super::link::response_members;
use super::recording_budget::Recording;
use super::standing::keep_last;
use super::state::{Received, place};
use super::versions::compatibility;
use super::{Inner, Peer};
use covenant_model::contract::HeldText;
use covenant_model::transcript::{is_same_id, usual_path};
use covenant_model::wire::canonical::{DigestMatch, compare_digest};
use covenant_model::wire::grant::Scope;
use covenant_model::wire::header::{self, inbound_subject};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::{SyncBatch, is_same_place};
use covenant_model::wire::weight;
use covenant_net::net::{Handler, Inbound, Outbound, RejectedByLimit};
use serde::Deserialize;

/// Error text of the observed platform for a caller that it does not admit.
const UNREACHABLE: &str = "No reachable FederationPeer for mTLS subject";

/// Handler of a peer. It holds the peer only during a call, so that a peer is freed when the scenario drops
/// it.
#[derive(Debug)]
pub(super) struct FederationHandler(pub(super) Weak<Inner>);

#[async_trait]
impl Handler for FederationHandler {
    async fn on_connect(&self) {
        if let Some(inner) = self.0.upgrade() {
            Peer(inner).inject_now().await;
        }
    }

    fn rejected_by_limit(&self, call: RejectedByLimit) {
        if let Some(inner) = self.0.upgrade() {
            Peer(inner).record_rejected_by_limit(&call);
        }
    }

    async fn handle(&self, request: Inbound) -> Outbound {
        match self.0.upgrade() {
            Some(inner) => Peer(inner).answer(&request),
            None => Outbound::abort(),
        }
    }
}

/// Status and body of a response.
pub(super) type Answer = (u16, Value);

/// Response, with the names of the behaviours that took part in it.
pub(super) struct Reply {
    pub(super) answer: Answer,
    pub(super) injected: Vec<String>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, injected: vec![] }
    }
}

impl Peer {
    /// Returns the refusal of a behaviour that lets no call of this route through now.
    fn refusal(&self, route: &Route) -> Option<Reply> {
        let behaviours = self.behaviours();
        let mut state = self.state();
        let asked = state.asked.entry(route.name()).or_default();
        let before = *asked;
        *asked += 1;
        let (behaviour, status) = behaviours
            .iter()
            .find_map(|behaviour| Some((behaviour, (behaviour.refuses?)(route, before)?)))?;
        let body = json!({"success": false, "error": "try again later", "code": "TEMPORARILY_UNAVAILABLE"});
        Some(Reply { answer: (status, body), injected: vec![behaviour.name.to_owned()] })
    }

    fn answer(&self, request: &Inbound) -> Outbound {
        let route = Route::parse(&request.method, &usual_path(&request.path));
        let weight = weight::weight(&request.body);
        let _turn = weight::turn(weight);
        let body =
            weight::parse_from(request.peer_certificate.is_none(), &request.body).unwrap_or(Value::Null);
        let Reply { mut answer, mut injected } = match &route {
            Some(route) => match self.refusal(route) {
                Some(refusal) => refusal,
                None => self.route(route, request, &body),
            },
            None => (404, json!({"error": "no such route"})).into(),
        };
        if let Some(route) = &route {
            let asked = Asked {
                route,
                query: request.query.as_deref().unwrap_or_default(),
                now: self.0.options.clock.now(),
                granted_before: self.state().granted.get(route.name()).copied().unwrap_or(0),
            };
            injected.extend(mutate(&self.behaviours(), &mut answer, |behaviour, (status, body)| {
                if let Some(hook) = behaviour.answer {
                    hook(&asked, status, body);
                }
            }));
        }
        if let Some(route) = route.as_ref().filter(|_| (200..300).contains(&answer.0)) {
            *self.state().granted.entry(route.name()).or_default() += 1;
        }
        let outbound = Outbound {
            body: self.write(&answer.1),
            chunked: self.0.options.permitted_choices.chunked,
            ..Outbound::json(answer.0, &answer.1)
        };
        let at = self.0.options.clock.now();
        let recording = match &self.0.standing {
            Some(_) => Recording::Recorded,
            None => self.state().recording_budget.take(route.as_ref(), (&body, weight), outbound.status, at),
        };
        match recording {
            Recording::Recorded => {}
            Recording::Counted => return outbound,
            Recording::Flood => {
                self.record_flood();
                return outbound;
            }
            Recording::Rejected => return Outbound::json(429, &json!({"error": "too many calls"})),
        }
        let n = self.record_answer(request, &outbound, injected);
        let mut state = self.state();
        state.inbox.push(Received { n, route, body, at });
        if let Some(standing) = &self.0.standing {
            keep_last(&mut state.inbox, standing.inbox_max);
        }
        drop(state);
        self.0.received.send_modify(|count| *count += 1);
        outbound
    }

    fn route(&self, route: &Route, request: &Inbound, body: &Value) -> Reply {
        if *route == Route::Accept {
            return self.on_accept(body).into();
        }
        if let Err(refusal) = self.identify(request) {
            return refusal.into();
        }
        if let Err(refusal) = self.still_open(route, body) {
            return refusal;
        }
        self.log(route);
        match route {
            Route::Migrations => return self.on_migration(body, request),
            Route::MigrationCommit { id } => return self.on_commit(id),
            Route::Resource { kind, id } => return self.on_resource(kind, id, request),
            Route::Heartbeat => self.on_heartbeat(body),
            Route::TrustBundle => success(&json!({
                "ca_bundle_pem": self.ca_bundle_pem(),
                "generated_at": self.now(),
            })),
            Route::Migration { id } => match self.state().migrations.get(id) {
                Some(view) => (200, json!({"data": view})),
                None => (404, json!({"error": "no such migration"})),
            },
            Route::AuditExcerpts => self.on_excerpt(request.query.as_deref().unwrap_or_default()),
            Route::ServiceCatalog => self.on_catalog(),
            Route::Subscriptions => self.on_subscribe(body),
            Route::Subscription { id } => self.on_unsubscribe(id),
            Route::Sync => self.on_sync(body),
            Route::Accept => (404, json!({"error": "not found"})),
        }
        .into()
    }

    /// Identifies the caller as the target, by a certificate with one of the agreed names.
    fn identify(&self, request: &Inbound) -> Result<(), Answer> {
        let Some(certificate) = &request.peer_certificate else {
            return Err(unauthorized("mTLS client certificate required"));
        };
        let state = self.state();
        let rows = std::iter::once(&state.target_row).chain(&state.id_at_target);
        let mut names = rows.flat_map(|row| names_of(row));
        let own_name = certificate.common_name.as_deref();
        let is_known = names.any(|name| own_name.is_some_and(|own_name| is_same_id(own_name, &name)));
        if is_known { Ok(()) } else { Err(unauthorized(UNREACHABLE)) }
    }

    /// Checks if a call is still admitted after the end of the peering. Only the commit of an open migration
    /// within its grace (4.3), and the other side's own revocation are. The event and the status of a
    /// revocation may arrive in two heartbeats.
    fn still_open(&self, route: &Route, body: &Value) -> Result<(), Reply> {
        let now = self.0.options.clock.now();
        let state = self.state();
        let Some(outcome) = &state.outcome else { return Ok(()) };
        let valid = match route {
            Route::MigrationCommit { .. } => now < outcome.grace_until,
            Route::Heartbeat => revokes(body),
            _ => false,
        };
        if valid && outcome.injected.is_none() {
            return Ok(());
        }
        let injected = outcome.injected.into_iter().map(ToOwned::to_owned).collect();
        Err(Reply { answer: unauthorized(UNREACHABLE), injected })
    }

    fn on_accept(&self, body: &Value) -> Answer {
        let invalid =
            |text: &str| (422, json!({"success": false, "error": text, "code": "VALIDATION_ERROR"}));
        let offered = body["acceptance_token"].as_str().unwrap_or_default();
        if offered.is_empty() {
            return invalid("acceptance_token required");
        }
        let profile = self.profile();
        if body["contract_version"] != profile.contract_version {
            let (asked, ours) = (&body["contract_version"], &profile.contract_version);
            return invalid(&format!("Unsupported contract_version {asked}; supported: [{ours}]"));
        }
        let (asked, ours) = (&body["contract_digest"], &profile.contract_digest);
        let is_other =
            asked.as_str().zip(ours.as_str()).is_some_and(|(asked, ours)| !asked.eq_ignore_ascii_case(ours));
        // A text that is no SHA-256 is as an absent one (`binding.md`, reading 13).
        if is_other && asked.as_str().is_some_and(HeldText::is_digest) {
            return invalid("contract_digest is that of another text");
        }
        if !self.redeem(offered) {
            return (401, json!({"success": false, "error": "acceptance_token not recognized or expired"}));
        }
        self.state().begin_peering();
        let mut data = json!({
            "peer_id": self.state().target_row,
            "status": "enrolled",
            "peer_kind": "platform",
            "contract_version_agreed": profile.contract_version,
            "accepted_at": self.now(),
            "handshake_at": self.now(),
        });
        super::conforming::merge(&mut data, &profile.disclose());
        super::conforming::merge(&mut data, &response_members(self, body));
        success(&data)
    }

    /// Redeems an invitation. Each one is valid once, until it expires.
    fn redeem(&self, token: &str) -> bool {
        let now = self.0.options.clock.now();
        let used = self.state().proposal.take_if(|proposal| proposal.token == token);
        used.is_some_and(|proposal| now < proposal.expires_at)
    }

    fn on_heartbeat(&self, body: &Value) -> Answer {
        if revokes(body) {
            self.end(None);
        }
        let mut data = json!({
            "status": if self.state().outcome.is_some() { "revoked" } else { "active" },
            "last_heartbeat_at": self.now(),
            "our_endpoints": self.endpoints(),
        });
        let profile = self.profile();
        let theirs = &body["platform_version"];
        if !theirs.is_null() {
            data["schema_compatibility"] = compatibility(&profile.platform_version, theirs);
        }
        super::conforming::merge(&mut data, &profile.disclose());
        let stated = Value::Object(self.state().stated.clone());
        super::conforming::merge(&mut data, &stated);
        success(&data)
    }

    fn on_resource(&self, kind: &str, id: &str, request: &Inbound) -> Reply {
        let grant = match self.grant(request, Scope::Read, kind, id) {
            Ok(grant) => grant,
            Err(refusal) => return refusal,
        };
        if !self.declares(kind) {
            return (422, json!({"error": format!("resource kind {kind} is not served here")})).into();
        }
        let record = self.record_at(kind, id);
        let mut data = json!({
            "kind": kind, "id": id, "exists": record.is_some(), "grant_id": grant, "fetched_at": self.now(),
        });
        if let Some(record) = record {
            data["record"] = Value::Object(record);
        }
        success(&data).into()
    }

    fn on_sync(&self, body: &Value) -> Answer {
        let Ok(batch) = SyncBatch::deserialize(body) else {
            return (422, json!({"error": "not a sync batch"}));
        };
        if compare_digest(&body["records"], &batch.sha256) == DigestMatch::Wrong {
            return (422, json!({"error": "the digest does not fit the records"}));
        }
        let mut state = self.state();
        let known = state.cursors_in.get(&batch.resource_kind);
        if known.is_some_and(|cursor| !is_same_place(cursor, &batch.cursor.from)) {
            return (409, json!({"error": "the cursor does not join on"}));
        }
        state.cursors_in.insert(batch.resource_kind.clone(), batch.cursor.to.clone());
        for record in &batch.records {
            state.records.insert(place(&batch.resource_kind, &record.id), record.payload.clone());
        }
        success(&json!({"accepted": batch.records.len(), "cursor": batch.cursor.to}))
    }

    /// Returns the id of a grant of this peer that admits the call.
    pub(super) fn grant(
        &self,
        request: &Inbound,
        scope: Scope,
        kind: &str,
        id: &str,
    ) -> Result<String, Reply> {
        let unauthorized = |text: &str| Reply::from((401, json!({"error": text})));
        let forbidden = |text: &str| Reply::from((403, json!({"error": text})));
        let token = request.header(header::AUTHORIZATION).and_then(header::bearer_token);
        let token = token.ok_or_else(|| unauthorized("Bearer grant token required"))?;
        let state = self.state();
        let grant = state.grants.values().find(|grant| grant.bearer_token == token);
        let grant = grant.ok_or_else(|| unauthorized("Grant token does not resolve"))?;
        if self.0.options.clock.now() >= grant.expires_at {
            return Err(unauthorized("Grant has expired"));
        }
        if grant.revoked {
            let injected = grant.injected.into_iter().map(ToOwned::to_owned).collect();
            return Err(Reply { injected, ..unauthorized("Grant has been revoked") });
        }
        if grant.resource_kind != kind {
            return Err(forbidden("the grant is for another kind"));
        }
        if grant.resource_id.as_deref().is_some_and(|granted| !is_same_id(granted, id)) {
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

    pub(super) fn now(&self) -> String {
        self.0.options.clock.now().to_string()
    }
}

/// Returns the common names of a row's certificate: that of the newest revisions, and that of an intermediate one
/// (`wire.md` §9).
pub(super) fn names_of(row: &str) -> [String; 2] {
    [inbound_subject(row), format!("federation-peer-{row}")]
}

/// Returns whether a heartbeat revokes the peering: by its status, or by an event.
fn revokes(heartbeat: &Value) -> bool {
    let events = heartbeat["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    heartbeat["status"] == "revoked" || events.iter().any(|event| event["kind"] == kind::PEER_REVOKED)
}

fn unauthorized(text: &str) -> Answer {
    (401, json!({"success": false, "error": text, "code": "UNAUTHORIZED"}))
}

pub(super) fn success(data: &Value) -> Answer {
    (200, json!({"success": true, "data": data}))
}
