//! `GET /trust_bundle`

use serde_json::json;

use super::{InboundCall, Reply};

/// Answers with the authority to which every certificate of this platform chains.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Reply {
    let tx = inbound.tx;
    Reply::success(&json!({
        "ca_bundle_pem": tx.keys.authority.pem(), "generated_at": tx.now.to_string(),
    }))
}
