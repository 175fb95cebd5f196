//! Shows its operator findings about hard norms only.

use crate::contract::Face::Detection;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "keeps-soft-findings-to-itself",
    &[("4.1", Detection), ("4.2", Detection), ("4.3", Detection), ("10.1", Detection), ("E.3", Detection)],
    "Shows its operator findings about hard norms only.",
    |rules| rules.govern.is_reported = |suspicion| !suspicion.norms.is_empty(),
);
