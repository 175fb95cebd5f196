//! The platform lists contract versions as strings, and digests after the name of their algorithm.

use serde_json::json;

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "lists-contract-versions-as-strings",
    "Lists contract versions as texts, and digests after the name of their algorithm.",
    |policy| {
        policy.handshake.override_known = |known| {
            known["version"] = json!(known["version"].to_string());
            if let Some(digest) = known["digest"].as_str() {
                known["digest"] = json!(format!("sha256:{digest}"));
            }
        };
    },
);
