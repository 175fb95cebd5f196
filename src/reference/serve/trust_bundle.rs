//! `GET /trust_bundle`

use serde_json::json;

use super::{Reply, Visit};

/// Answers with the authority that everything of this platform chains to.
pub(super) fn answer(visit: &Visit<'_>) -> Reply {
    let act = visit.act;
    Reply::success(&json!({
        "ca_bundle_pem": act.keys.authority.pem(), "generated_at": act.now.to_string(),
    }))
}
