//! The platform refuses a peer's open migrations as soon as the peer revokes.

use crate::Patch;
use crate::apply;
use crate::store::rows::Side;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "denies-grace-to-revoking-peer",
    &[("4.3", Conduct)],
    "Refuses what a peer had open the moment that the peer leaves.",
    |policy| {
        policy.migrations.grace_covers = |peer, migration, now| {
            peer.revoked_by != Some(Side::Remote)
                && (apply::Policy::default().grace_covers)(peer, migration, now)
        }
    },
);
