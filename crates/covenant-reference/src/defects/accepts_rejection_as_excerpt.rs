//! The platform stops waiting for an excerpt once the peer refuses it.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-rejection-as-excerpt",
    &[("5.3", Detection)],
    "Waits no longer for an excerpt that was refused, and reports nothing.",
    |policy| policy.out.gives_excerpt = |called| called.status.is_some_and(|status| status != 202),
);
