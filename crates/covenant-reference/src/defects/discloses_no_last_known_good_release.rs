//! The platform never discloses its `last_known_good_release`.

use serde_json::{Map, Value};

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discloses-no-last-known-good-release",
    &[("1.4", Conduct)],
    "Never says its `last_known_good_release`.",
    |policy| policy.handshake.override_introduction = amend,
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("last_known_good_release");
    }
}
