//! Notices: events that a platform delivers in its heartbeats.

use serde_json::Value;

use covenant_model::transcript::Message;

/// Returns the events in a message.
pub(in crate::check) fn events(message: &Message) -> impl Iterator<Item = &Value> {
    message.body.json().and_then(|body| body["events"].as_array()).into_iter().flatten()
}
