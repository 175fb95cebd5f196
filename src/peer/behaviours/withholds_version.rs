//! Does not disclose its platform version.

use crate::peer::Behaviour;
use serde_json::Value;

/// Leaves its platform version out of every request.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-version",
    about: "leaves its platform version out of every request",
    clauses: &["1.3", "1.5"],
    request: Some(|_, body| {
        if let Some(body) = body.as_object_mut() {
            body.remove("platform_version");
            if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("platform_version");
            }
        }
    }),
    ..Behaviour::HONEST
};
