//! The notice of a revocation comes after the first refusal.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "announces-too-late",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "sends the notice of a revocation only with its next timers, when it has long refused a call",
    |rules| {
        rules.out.is_sent =
            |notice| notice.event.kind != crate::wire::notice::kind::PEER_REVOKED || notice.attempts > 0;
    },
)
.deep();
