//! The platform resets the call count of a peer after each batch that the peer sends.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;
use covenant_model::wire::path::Route;

pub(super) const PATCH: Patch = Patch::defect(
    "resets-rate-limit-after-sync",
    &[("6.1", Detection)],
    "Counts the calls of a peer again after each batch that it sends.",
    |policy| policy.watch.forgets_calls_at = |route| *route == Route::Sync,
)
.hard_to_reach();
