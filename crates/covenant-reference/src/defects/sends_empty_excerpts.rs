//! The platform answers with an excerpt at once, but the excerpt is empty.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-empty-excerpts",
    &[("5.3", Conduct), ("5.4", Conduct)],
    "Gives an excerpt at once, and nothing stands in it.",
    |policy| policy.audit.belongs_to = |_, _, _| false,
);
