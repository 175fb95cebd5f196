//! The platform does not announce a revocation in any form.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-peer-revocation-notice",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "revokes a peer and sends it no notice",
    |policy| {
        policy.out.is_sent = |notice| notice.event.kind != covenant_model::wire::notice::kind::PEER_REVOKED;
    },
);
