//! Refuses what a peer had open the moment that the peer leaves.

use crate::contract::Face::Conduct;
use crate::reference::Patch;
use crate::reference::apply;
use crate::reference::store::rows::Side;

pub(super) const PATCH: Patch = Patch::defect(
    "cuts-off-leavers",
    &[("4.3", Conduct)],
    "Refuses what a peer had open the moment that the peer leaves.",
    |rules| {
        rules.migrations.grace_covers = |peer, migration, now| {
            peer.revoked_by != Some(Side::Remote)
                && (apply::Rules::default().grace_covers)(peer, migration, now)
        }
    },
);
