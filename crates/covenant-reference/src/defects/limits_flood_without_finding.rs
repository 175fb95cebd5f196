//! The platform limits a flood, but reports no finding.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "limits-flood-without-finding",
    &[("6.1", Detection)],
    "Limits a flood, and reports none.",
    |policy| policy.watch.flood_is_reported = |_| false,
);
