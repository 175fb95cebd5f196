//! Takes no migration from the major version before, from the day of its release on.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;
use crate::reference::apply::{self, Failure, Outcome, Plan};
use crate::reference::handshake::versions;

pub(super) const PATCH: Patch = Patch::defect(
    "breaks-migrations-without-notice",
    &[("10.2", Conduct)],
    "Syncs on with the major version before, and takes no migration of it from the day of its release on.",
    |policy| policy.migrations.apply = apply_of_its_like,
);

fn apply_of_its_like(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let compatibility = versions::compatibility(plan.tx, plan.peer.platform_version.as_deref())?;
    match compatibility.status {
        "compatible" => apply::apply(plan),
        _ => Err(Failure::failed("the versions do not go together")),
    }
}
