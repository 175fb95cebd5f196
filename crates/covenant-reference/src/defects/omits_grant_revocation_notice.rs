//! The platform does not announce the revocation of a grant in any form.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "omits-grant-revocation-notice",
    &[("2.3", Conduct)],
    "Revokes a grant, and does not tell the peer that has it.",
    |policy| policy.out.is_sent = |notice| notice.event.kind != kind::GRANT_REVOKED,
);
