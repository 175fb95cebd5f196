//! The platform accepts one open migration within the grace, and refuses the others.

use crate::Patch;
use crate::apply;
use crate::store::rows::Peer;
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "limits-grace-to-one-migration",
    &[("4.3", Conduct)],
    "Takes one open migration within the grace, and refuses the others.",
    |policy| {
        policy.migrations.apply = |plan| {
            if plan.peer.grace_until.is_some() {
                table::put(plan.tx.db, &Peer { grace_until: None, ..plan.peer.clone() })?;
            }
            apply::apply(plan)
        }
    },
);
