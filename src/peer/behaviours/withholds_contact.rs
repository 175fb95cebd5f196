//! Does not disclose its operator contact.

use crate::peer::Behaviour;
use serde_json::Value;

/// Leaves its operator contact out of every request.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "withholds-contact",
    about: "leaves its operator contact out of every request",
    clauses: &["1.1", "1.5"],
    request: Some(|_, body| {
        if let Some(body) = body.as_object_mut()
            && let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("operator_contact");
        }
    }),
    ..Behaviour::HONEST
};
