//! Steps of traces for the tests of acknowledgement.

use serde_json::{Value, json};

use crate::check::trace_builder::TraceBuilder;
use covenant_model::transcript::Exchange;

/// Returns a trace of an accept that asks for a version, and the version that the target agrees on.
pub(super) fn accepted(asked: &Value, agreed: &Value) -> TraceBuilder {
    let data = json!({"peer_id": "1", "contract_version_agreed": agreed});
    let accept = Exchange::to_target("alice").on("POST", "accept");
    let accept = accept.sending(json!({ "contract_version": asked }));
    TraceBuilder::new().call("accepted", accept.answered_with(200, json!({ "data": data })))
}

/// Adds a snapshot of a peer.
pub(super) fn snapshot(builder: TraceBuilder, label: &str, peer: &Value) -> TraceBuilder {
    builder.operation(label, "peer.show", json!({ "peer": peer }))
}

/// Returns the record of a peer that acknowledged a version.
pub(super) fn record(version: &Value) -> Value {
    json!({ "contract_version_agreed": version })
}
