//! The platform does not compare a batch with its digest.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-any-batch-digest",
    &[("6.3", Detection), ("E.1", Detection)],
    "Does not compare a batch with its digest.",
    |policy| policy.sync.digest_is_right = |_| true,
);
