//! Deviation: the peer stores migrated records under ids of its own.

use crate::Behaviour;
use serde_json::Value;

/// Behaviour that, as destination, stores the received records under other ids.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "remapped-ids",
    about: "as destination stores migrated records under other ids",
    clauses: &["7.4"],
    stores: Some(|_, id, payload| {
        *id = format!("ffffffff{}", id.get(8..).unwrap_or_default());
        payload.insert("id".to_owned(), Value::from(id.as_str()));
    }),
    ..Behaviour::CONFORMING
};
