//! The platform answers a batch or a migration from the previous major version with success, but stores none
//! of it.

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use crate::handshake::versions;
use crate::store::StoreError;
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "discards-previous-major-data",
    &[("10.2", Conduct)],
    "Answers what the major version before brings with success, and keeps none of it from the day of its release on.",
    |policy| {
        policy.sync.is_dropped = is_dropped;
        policy.migrations.apply = apply_of_its_like;
    },
);

fn is_dropped(tx: &Transaction<'_>, peer: &Peer) -> Result<bool, StoreError> {
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    Ok(compatibility.status == "degraded")
}

fn apply_of_its_like(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    if is_dropped(plan.tx, plan.peer)? {
        return Ok(Outcome { applied: plan.request.steps.len() as u64, ..Outcome::default() });
    }
    apply::apply(plan)
}
