//! The platform requires credentials in place of a contract version.

use serde_json::Value;

use crate::Patch;
use crate::handshake::contract;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "requires-credentials-not-contract-version",
    &[("A.1", Conduct)],
    "Refuses an accept for want of credentials, and never for want of a contract version.",
    |policy| {
        policy.handshake.needs_credentials = true;
        policy.handshake.version_asked = version_asked;
    },
);

fn version_asked(value: Option<&Value>) -> Option<u64> {
    let is_silent = value.is_none_or(Value::is_null);
    if is_silent { Some(1) } else { contract::version_asked(value) }
}
