//! The platform discloses its residency in the handshake and in its own heartbeats, but not in its heartbeat
//! responses.

use serde_json::{Value, json};

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "omits-residency-from-heartbeat-responses",
    "Is in France, and says where it is in the handshake and in its own heartbeats, not in its answers to a peer's.",
    |policy| {
        policy.handshake.override_introduction = |members| {
            if let Some(Value::Object(metadata)) = members.get_mut("metadata") {
                metadata.insert("jurisdiction".to_owned(), json!("FR"));
            }
        };
        policy.handshake.override_heartbeat_response = |data| {
            data.remove("metadata");
            data.remove("data_residency");
        };
    },
);
