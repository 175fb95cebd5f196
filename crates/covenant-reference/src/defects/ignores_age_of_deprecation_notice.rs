//! The platform accepts a break without delay from any peer that ever announced the end of a release.

use serde_json::Value;

use crate::Patch;
use crate::handshake::versions;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-age-of-deprecation-notice",
    &[("10.2", Detection)],
    "Reports a break without a notice, and none after a notice, however new that was.",
    |policy| {
        policy.handshake.broke_without_notice = |tx, before, peer| {
            let notices = peer.metadata.get("deprecations_received").and_then(Value::as_array);
            let is_silent = notices.is_none_or(Vec::is_empty);
            is_silent.then(|| versions::broke_without_notice(tx, before, peer)).flatten()
        };
    },
);
