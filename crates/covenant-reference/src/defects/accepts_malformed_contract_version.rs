//! The platform accepts strings, fractions and zero as a contract version.

use serde_json::Value;

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-malformed-contract-version",
    &[("A.1", Conduct)],
    "Reads texts, fractions and zero as a contract version.",
    |policy| policy.handshake.version_asked = version_asked,
);

fn version_asked(value: Option<&Value>) -> Option<u64> {
    value
        .filter(|value| !value.is_null())
        .map(|value| value.as_u64().filter(|version| *version > 0).unwrap_or(1))
}
