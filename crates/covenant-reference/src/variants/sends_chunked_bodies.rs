//! The platform sends every body in chunks, without a length.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "sends-chunked-bodies",
    "Sends every body in pieces, without saying how long it is.",
    |policy| {
        policy.wire.override_outbound = |_, outbound| outbound.chunked = true;
    },
);
