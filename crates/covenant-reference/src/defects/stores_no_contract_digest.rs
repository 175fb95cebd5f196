//! The platform knows its contract versions by number alone.

use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "stores-no-contract-digest",
    &[("V.1", Conduct)],
    "Knows its contract versions by their numbers alone.",
    |policy| policy.handshake.override_known = |known| known["digest"] = Value::Null,
);
