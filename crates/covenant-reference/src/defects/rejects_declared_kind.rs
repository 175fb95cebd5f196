//! The platform declares every kind, but answers 422 for the last one in alphabetical order.

use serde_json::{Value, json};

use crate::Patch;
use crate::store::rows::Capability;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-declared-kind",
    &[("3.1", Conduct)],
    "Declares every kind, and answers 422 for the last of the alphabet.",
    |policy| {
        policy.capabilities.serves = serves;
        policy.capabilities.override_document = amend;
    },
);

/// The kind that it declares in addition to those of its operator.
const CLAIMED: &str = "zeppelin";

fn serves(row: &Capability) -> bool {
    row.resource_kind != CLAIMED
}

fn amend(document: &mut Value) {
    if let Some(kinds) = document["resource_kinds"].as_array_mut().filter(|kinds| !kinds.is_empty()) {
        kinds.push(json!({
            "kind": CLAIMED, "schema_version": 1, "direction": "bidirectional", "policy": "manual",
        }));
    }
}
