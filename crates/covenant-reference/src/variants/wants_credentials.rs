//! Refuses an accept that brings neither a signing request nor an authority.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "wants-credentials",
    "Refuses an accept that brings neither a signing request nor an authority.",
    |policy| policy.handshake.needs_credentials = true,
);
