//! The platform discloses an operator contact without an address.

use serde_json::{Map, Value, json};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-contact-without-address",
    &[("1.1", Conduct)],
    "Says where to ask for its operator, and gives no address.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("operator_contact".to_owned(), json!("ask reception"));
    }
}
