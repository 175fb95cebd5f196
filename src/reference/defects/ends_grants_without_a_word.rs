//! A revoked grant is announced in no form.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::wire::notice::kind;

pub(super) const PATCH: Patch = Patch::defect(
    "ends-grants-without-a-word",
    &[("2.3", Conduct)],
    "Revokes a grant, and does not tell the peer that has it.",
    |policy| policy.out.is_sent = |notice| notice.event.kind != kind::GRANT_REVOKED,
);
