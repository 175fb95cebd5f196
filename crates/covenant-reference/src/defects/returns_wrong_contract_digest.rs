//! The platform agrees to a contract version, but returns the digest of another text.

use serde_json::json;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::canonical::sha256_hex;

pub(super) const PATCH: Patch = Patch::defect(
    "returns-wrong-contract-digest",
    &[("V.2", Conduct)],
    "Agrees to a contract version, and tells back the digest of another text.",
    |policy| {
        policy.handshake.override_accept_response = |data| {
            data.insert("contract_digest".to_owned(), json!(sha256_hex("")));
        }
    },
);
