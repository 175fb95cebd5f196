//! Knows its contract versions by their numbers alone.

use serde_json::Value;

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-no-digest",
    &[("V.1", Conduct)],
    "Knows its contract versions by their numbers alone.",
    |policy| policy.handshake.override_known = |known| known["digest"] = Value::Null,
);
