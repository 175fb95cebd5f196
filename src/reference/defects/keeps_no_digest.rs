//! Knows its contract versions by their numbers alone.

use serde_json::Value;

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-no-digest",
    &[("V.1", Conduct)],
    "Knows its contract versions by their numbers alone.",
    |rules| rules.handshake.amend_known = |known| known["digest"] = Value::Null,
);
