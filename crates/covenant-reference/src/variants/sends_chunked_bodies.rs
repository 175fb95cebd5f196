//! Sends every body in pieces, without saying how long it is.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "sends-chunked-bodies",
    "Sends every body in pieces, without saying how long it is.",
    |policy| {
        policy.wire.override_outbound = |_, outbound| outbound.chunked = true;
    },
);
