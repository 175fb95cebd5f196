//! The platform replicates its audit to a peer on request.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-audit-replication",
    &[("O.1", Conduct)],
    "Replicates its audit to any peer that asks for it, from then on.",
    |policy| {
        policy.wire.beyond =
            |call| call.path.ends_with("/audit_replication").then(|| json!({"replication": "started"}));
    },
);
