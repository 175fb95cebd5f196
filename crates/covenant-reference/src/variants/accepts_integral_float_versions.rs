//! The platform accepts the contract version 1.0 as 1, as in a language with only one number type.

use serde_json::Value;

use crate::Patch;
use crate::handshake::contract;

pub(super) const PATCH: Patch = Patch::variant(
    "accepts-integral-float-versions",
    "Takes a contract version of 1.0 for 1, as a platform must whose language has one kind of number.",
    |policy| policy.handshake.version_asked = version_asked,
);

fn version_asked(value: Option<&Value>) -> Option<u64> {
    let mut versions = 1..=99_u32;
    let given = value?.as_f64()?;
    versions
        .find(|version| f64::from(*version).total_cmp(&given).is_eq())
        .map(u64::from)
        .or_else(|| contract::version_asked(value))
}
