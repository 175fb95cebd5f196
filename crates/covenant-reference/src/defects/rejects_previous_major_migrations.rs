//! The platform rejects migrations from the previous major version as soon as it runs a new one.

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use crate::handshake::versions;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-previous-major-migrations",
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
