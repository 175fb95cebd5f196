//! Deviation: the peer keeps the id of a record and changes the ids that the record refers to.

use crate::Behaviour;
use serde_json::{Map, Value};

/// Behaviour that, as destination, changes ids inside the received payloads.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "remapped-reference",
    about: "as destination changes the ids inside the payloads of migrated records",
    clauses: &["7.4"],
    stores: Some(|_, _, payload| remap(payload)),
    ..Behaviour::CONFORMING
};

/// Changes every id that is not the record's own.
fn remap(members: &mut Map<String, Value>) {
    for (name, member) in members {
        match member {
            Value::String(id) if name != "id" && name.ends_with("_id") => {
                *id = format!("ffffffff{}", id.get(8..).unwrap_or_default());
            }
            Value::Object(inner) => remap(inner),
            _ => {}
        }
    }
}
