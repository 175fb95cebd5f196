//! The platform writes digests in upper case.

use serde_json::{Map, Value, json};

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("writes-uppercase-digests", "Writes digests in capitals.", |policy| {
        policy.handshake.override_introduction = amend;
        policy.handshake.override_known = |known| {
            if let Some(digest) = known["digest"].as_str() {
                known["digest"] = json!(digest.to_uppercase());
            }
        };
    });

fn amend(members: &mut Map<String, Value>) {
    if let Some(Value::String(digest)) = members.get_mut("contract_digest") {
        *digest = digest.to_uppercase();
    }
}
