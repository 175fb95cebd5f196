//! The platform leaves every peer at `accepted` until its first heartbeat, which enrols a peer with a
//! complete disclosure.

use crate::Patch;
use crate::handshake::disclosure;

pub(super) const PATCH: Patch = Patch::variant(
    "enrols-at-first-heartbeat",
    "Leaves everyone at `accepted` until its first heartbeat, which enrols whoever disclosed all.",
    |policy| {
        policy.handshake.refuses_anonymous = |_| false;
        policy.handshake.enrols = |_, _| false;
        policy.handshake.enrols_at_heartbeat = Some(|metadata| disclosure::gaps(metadata).is_empty());
    },
);
