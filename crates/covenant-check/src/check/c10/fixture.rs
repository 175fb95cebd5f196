//! Steps of traces for the tests of commitment 10.

use serde_json::{Value, json};

use crate::check::Verdict;
use crate::check::definition::Check;
use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::{Body, Exchange, Message};
use covenant_model::wire::notice::kind;

/// A day, in seconds.
pub(super) const DAY: i64 = 24 * 3600;

/// Steps in which platforms report versions, and work with each other.
pub(super) trait VersionSteps {
    /// Adds a call of alice that gets this status.
    fn served(self, label: &str, status: u16) -> Self;

    /// Adds a call of the target to alice, with this body.
    fn sends(self, body: &Value) -> Self;

    /// Adds a call in which the target reports this release.
    fn runs(self, release: &str) -> Self;

    /// Adds the operator's `release.deprecate`.
    fn deprecates(self) -> Self;

    /// Adds alice's accept, in which she reports this version and gets this status of the peering.
    fn federated(self, version: &str, status: &str) -> Self;

    /// Adds a scan without findings, and one with these.
    fn scans(self, findings: &Value) -> Self;

    /// Adds the accept of a peer of this version, which is enrolled.
    fn accepts(self, peer: &str, version: &str) -> Self;

    /// Adds the sync of a peer, of which this number of records is stored.
    fn syncs(self, peer: &str, status: u16, stored: u64) -> Self;

    /// Adds the completed migration of a record.
    fn migrates(self, peer: &str, label: &str, id: &str) -> Self;

    /// Adds the read of a record that is there or is not.
    fn reads(self, peer: &str, label: &str, id: &str, exists: bool) -> Self;
}

impl VersionSteps for TraceBuilder {
    fn served(self, label: &str, status: u16) -> Self {
        let call = Exchange::to_target("alice").sending(json!({}));
        self.call(label, call.answered_with(status, json!({"data": {}})))
    }

    fn sends(self, body: &Value) -> Self {
        let call = Exchange::from_target("alice").sending(body.clone());
        self.call_from_target(call.answered_with(200, json!({"data": {}})))
    }

    fn runs(self, release: &str) -> Self {
        self.sends(&json!({ "platform_version": release }))
    }

    fn deprecates(self) -> Self {
        let parameters = json!({"version": "1.4.0", "breaks_at": "2026-07-01T00:00:01Z", "notice_url": "https://it.example/1"});
        self.operation_with("declared", "release.deprecate", parameters, json!({}))
    }

    fn federated(self, version: &str, status: &str) -> Self {
        let call = Exchange::to_target("alice").sending(json!({ "platform_version": version }));
        let data = json!({"platform_version": "1.4.0", "status": status, "peer_id": "p"});
        self.call("accept", call.answered_with(200, json!({ "data": data })))
    }

    fn scans(self, findings: &Value) -> Self {
        self.operation("before", "governance.scan", json!({"findings": []})).operation(
            "after",
            "governance.scan",
            json!({ "findings": findings }),
        )
    }

    fn accepts(self, peer: &str, version: &str) -> Self {
        let data = json!({"platform_version": "1.4.0", "status": "enrolled"});
        let sent = json!({ "platform_version": version });
        let call = routed(peer, ("POST", "accept"), &sent, answer(200, &data));
        self.call(&format!("accept-{peer}"), call)
    }

    fn syncs(self, peer: &str, status: u16, stored: u64) -> Self {
        let batch = json!({"records": [{"id": "1"}]});
        let response = answer(status, &json!({ "accepted": stored }));
        self.call(&format!("sync-{peer}"), routed(peer, ("POST", "sync"), &batch, response))
    }

    fn migrates(self, peer: &str, label: &str, id: &str) -> Self {
        let plan = json!({"steps": [{ "resource_id": id }]});
        let completed = answer(201, &json!({"status": "completed"}));
        self.call(label, routed(peer, ("POST", "migrations"), &plan, completed))
    }

    fn reads(self, peer: &str, label: &str, id: &str, exists: bool) -> Self {
        let path = format!("resources/skill/{id}");
        let response = answer(200, &json!({ "exists": exists }));
        self.call(label, routed(peer, ("GET", &path), &json!({}), response))
    }
}

/// Returns a call of a peer on a route below the prefix.
pub(super) fn routed(peer: &str, route: (&str, &str), sent: &Value, response: Message) -> Exchange {
    let call = Exchange::to_target(peer).on(route.0, route.1).sending(sent.clone());
    Exchange { response: Some(response), ..call }
}

/// Returns a response with this data.
pub(super) fn answer(status: u16, data: &Value) -> Message {
    Message { status: Some(status), body: Body::Json(json!({ "data": data })), ..Message::default() }
}

/// Returns the body that announces an end.
pub(super) fn notice() -> Value {
    json!({"events": [{"kind": kind::RELEASE_DEPRECATED, "payload": {"breaks_at": "2026-07-01"}}]})
}

/// Returns the verdict on a call of alice, where bob's calls are the controls.
pub(super) fn work<C: Check>(builder: TraceBuilder, call: &str) -> Verdict {
    builder.served("heartbeat", 200).verdict::<C>(json!({
        "accept": "accept-alice", "call": call, "probe": "heartbeat", "control": ["sync-bob", "read-bob"],
    }))
}
