//! The platform refuses an accept that has neither a signing request nor an authority.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "requires-credentials-at-accept",
    "Refuses an accept that brings neither a signing request nor an authority.",
    |policy| policy.handshake.needs_credentials = true,
);
