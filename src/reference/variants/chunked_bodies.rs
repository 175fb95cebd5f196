//! Sends every body in pieces, without saying how long it is.

use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("chunked-bodies", "Sends every body in pieces, without saying how long it is.", |rules| {
        rules.wire.amend_outbound = |_, outbound| outbound.chunked = true;
    });
