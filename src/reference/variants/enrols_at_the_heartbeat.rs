//! Leaves everyone at `accepted` until its first heartbeat, which enrols whoever disclosed all.

use crate::reference::Patch;
use crate::reference::handshake::disclosure;

pub(super) const PATCH: Patch = Patch::variant(
    "enrols-at-the-heartbeat",
    "Leaves everyone at `accepted` until its first heartbeat, which enrols whoever disclosed all.",
    |rules| {
        rules.handshake.refuses_anonymous = |_| false;
        rules.handshake.enrols = |_, _| false;
        rules.handshake.enrols_at_heartbeat = Some(|metadata| disclosure::gaps(metadata).is_empty());
    },
);
