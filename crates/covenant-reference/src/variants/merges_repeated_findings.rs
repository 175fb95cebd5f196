//! The platform merges repeats of one finding about a peer within a minute.

use jiff::SignedDuration;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "merges-repeated-findings",
    "Takes repeats of one finding about a peer within a minute as one.",
    |policy| policy.govern.merges_for = SignedDuration::from_secs(60),
);
