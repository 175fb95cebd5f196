//! Heartbeats that report a residency, for the tests.

use serde_json::{Value, json};

use covenant_model::transcript::{Direction, Exchange};

/// Returns a call on the route of heartbeats, with the content and the data of its answer.
pub(super) fn exchange(peer: &str, direction: Direction, sent: &Value, data: &Value) -> Exchange {
    Exchange::made(peer, direction)
        .on("POST", "heartbeat")
        .sending(sent.clone())
        .answered_with(200, json!({ "data": data }))
}

/// Returns a call of alice.
pub(super) fn by_alice(sent: &Value, data: &Value) -> Exchange {
    exchange("alice", Direction::ToTarget, sent, data)
}

/// Returns a call of the target to alice, with an empty answer.
pub(super) fn by_target(sent: &Value) -> Exchange {
    exchange("alice", Direction::FromTarget, sent, &json!({}))
}

/// Returns a body that reports this location.
pub(super) fn is_in(residency: &str, jurisdiction: &str) -> Value {
    json!({"data_residency": residency, "metadata": {"jurisdiction": jurisdiction}})
}
