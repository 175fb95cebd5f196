//! Does not disclose its last known-good release.

use crate::peer::Behaviour;
use serde_json::Value;

/// Leaves its last known-good release out of every request.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-last-good-release",
    about: "leaves its last known-good release out of every request",
    clauses: &["1.4", "1.5"],
    request: Some(|_, body| {
        if let Some(body) = body.as_object_mut()
            && let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("last_known_good_release");
        }
    }),
    ..Behaviour::HONEST
};
