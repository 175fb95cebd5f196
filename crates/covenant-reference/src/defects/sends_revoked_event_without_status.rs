//! The platform leaves the heartbeat status unchanged on a revocation.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use serde_json::json;

pub(super) const PATCH: Patch = Patch::defect(
    "sends-revoked-event-without-status",
    &[("4.2", Conduct)],
    "announces a revocation by its event, in a heartbeat that still says active",
    |policy| {
        policy.out.override_heartbeat = |body| {
            body.insert("status".to_owned(), json!("active"));
        };
    },
);
