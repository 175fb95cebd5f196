//! The platform revokes a suspended peer without a notice.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-revocation-notice-to-suspended",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "Revokes a suspended peer and sends it no notice.",
    |policy| policy.peering.is_reported = |peer| peer.suspended_reason.is_none(),
);
