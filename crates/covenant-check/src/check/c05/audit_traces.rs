//! Traces of a peer's calls and of the audit entries about them, for the tests.

use serde_json::{Value, json};

use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::{Direction, Exchange};
use covenant_model::wire::generation::{FORWARDED_G1, ProxiedCaller};
use covenant_model::wire::path::PREFIX;

/// Builds a trace of an admitted read, a refused read, and a heartbeat of the target between them. The
/// snapshot `after` has these new entries, and so has the excerpt, without those that are withheld.
pub(super) fn peer_calls(before: &Value, new: &[Value]) -> TraceBuilder {
    let mut new = new.to_vec();
    for (n, entry) in (1..).zip(&mut new) {
        entry["id"] = json!(n);
    }
    let after: Vec<&Value> = [before].into_iter().chain(&new).collect();
    let disclosed: Vec<&Value> = new.iter().filter(|entry| entry["withheld"].is_null()).collect();
    let excerpt = Exchange::to_target("alice").on("GET", "audit_excerpts");
    TraceBuilder::new()
        .call("accept", by_peer("POST", "accept", 200))
        .operation("before", "audit.list", json!({ "entries": [before] }))
        .call("call", by_peer("GET", "resources/skill/a", 200))
        .call_from_target(answered(
            Exchange::made("alice", Direction::FromTarget).on("POST", "heartbeat"),
            200,
        ))
        .call("call", by_peer("GET", "resources/skill/b", 403))
        .operation("after", "audit.list", json!({ "entries": after }))
        .call("excerpt", excerpt.answered_with(200, json!({"data": {"events": disclosed}})))
}

fn by_peer(method: &str, path: &str, status: u16) -> Exchange {
    let mut call = answered(Exchange::to_target("alice").on(method, path), status);
    let caller = ProxiedCaller { peer_id: Some("p".to_owned()), certificate: None };
    call.request.headers = (FORWARDED_G1.headers)(&caller);
    call
}

fn answered(call: Exchange, status: u16) -> Exchange {
    call.answered_with(status, json!({"success": true, "data": {"peer_id": "p"}}))
}

/// Returns an entry as the reference platform writes it.
pub(super) fn entry(action: &str, path: &str, status: u16) -> Value {
    json!({"federation_peer_id": "p", "action": action, "route": format!("GET {PREFIX}/{path}"), "status": status})
}

/// Returns the entry of the admitted read.
pub(super) fn admitted() -> Value {
    entry("federation.resources", "resources/skill/a", 200)
}

/// Returns the entry of the refused read.
pub(super) fn refused() -> Value {
    entry("federation.resources", "resources/skill/b", 403)
}

/// Returns the entry of the target's heartbeat.
pub(super) fn own() -> Value {
    json!({"federation_peer_id": "p", "action": "federation.heartbeat.sent", "direction": "outbound", "status": 200})
}

/// Returns this entry as another level of the platform writes it.
pub(super) fn transport(entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry["action"] = json!("transport.resources");
    entry
}
