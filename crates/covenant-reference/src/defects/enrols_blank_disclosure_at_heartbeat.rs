//! The platform leaves a peer with an incomplete disclosure at `accepted`, and enrols it once a heartbeat has
//! all members, even if they are blank.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "enrols-blank-disclosure-at-heartbeat",
    &[("1.5", Detection)],
    "Enrols at the heartbeat whoever says something of everything, be it blanks.",
    |policy| {
        policy.handshake.refuses_anonymous = |_| false;
        policy.handshake.enrols_at_heartbeat = Some(|metadata| {
            ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"]
                .into_iter()
                .all(|name| metadata.contains_key(name))
        });
    },
);
