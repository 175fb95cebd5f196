//! The platform counts the calls of all peers as those of one caller, so one flood blocks every peer.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "shares-rate-limit-across-peers",
    &[("6.1", Detection)],
    "Counts the calls of all peers as one caller's, so that one flood shuts out everyone.",
    |policy| policy.watch.counted_as = |_| String::new(),
);
