//! The platform lists contract versions as `v1`, and digests in base64 beside the name of their algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "prefixes-contract-versions-with-v",
    "Lists contract versions as v1, and digests in base64 beside the name of their algorithm.",
    |policy| {
        policy.handshake.override_known = |known| {
            known["version"] = json!(format!("v{}", known["version"]));
            let bytes = known["digest"].as_str().and_then(|digest| hex::decode(digest).ok());
            known["digest"] = json!({
                "algorithm": "SHA-256", "value": bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
            });
        };
    },
);
