//! The platform stores the digest of an empty text for every contract version.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::canonical::sha256_hex;

pub(super) const PATCH: Patch = Patch::defect(
    "stores-digest-of-empty-text",
    &[("V.1", Conduct)],
    "Keeps under every contract version the digest of an empty text.",
    |policy| policy.handshake.override_known = |known| known["digest"] = json!(sha256_hex("")),
);
