//! The platform treats an absent contract version as version 1.

use serde_json::Value;

use crate::Patch;
use crate::handshake::contract;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "accepts-missing-contract-version",
    &[("A.1", Conduct)],
    "Takes an absent contract version for the first.",
    |policy| policy.handshake.version_asked = version_asked,
);

fn version_asked(value: Option<&Value>) -> Option<u64> {
    match value {
        None | Some(Value::Null) => Some(1),
        given => contract::version_asked(given),
    }
}
