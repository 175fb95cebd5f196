//! A revocation is announced in no form.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "revokes-without-a-word",
    &[("4.1", Conduct), ("4.2", Conduct)],
    "revokes a peer and sends it no notice",
    |rules| {
        rules.out.is_sent = |notice| notice.event.kind != crate::wire::notice::kind::PEER_REVOKED;
    },
);
