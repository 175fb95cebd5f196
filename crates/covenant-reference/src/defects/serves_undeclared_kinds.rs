//! The platform serves any kind of record under any grant, declared or not.

use serde_json::json;

use crate::Patch;
use crate::store::rows::Capability;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-undeclared-kinds",
    &[("6.4", Detection)],
    "Serves any kind of record under any grant, declared or not.",
    |policy| {
        policy.grants.covers_kind = |_, _| true;
        policy.resources.undeclared = |kind| Some(declared(kind));
    },
);

fn declared(kind: &str) -> Capability {
    Capability {
        id: kind.to_owned(),
        peer_id: None,
        resource_kind: kind.to_owned(),
        schema_version: json!(1),
        direction: "bidirectional".to_owned(),
        policy: "manual".to_owned(),
        filter: None,
        conflict_resolution: None,
        dependencies: Vec::new(),
    }
}
