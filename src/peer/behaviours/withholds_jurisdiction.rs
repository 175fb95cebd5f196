//! Does not disclose its jurisdiction.

use crate::peer::Behaviour;
use serde_json::Value;

/// Leaves its jurisdiction out of every request.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-jurisdiction",
    about: "leaves its jurisdiction out of every request",
    clauses: &["1.2", "1.5"],
    request: Some(|_, body| {
        if let Some(body) = body.as_object_mut()
            && let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("jurisdiction");
        }
    }),
    ..Behaviour::HONEST
};
