//! What a peer says of itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a peer says of itself: the defaults are those of a well-behaved platform. A scenario
/// overrides single members; `null` takes one away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// 1.1
    pub operator_contact: Value,
    /// 1.2
    pub jurisdiction: Value,
    /// 1.3
    pub platform_version: Value,
    /// 1.4
    pub last_known_good_release: Value,
    /// 8.1
    pub data_residency: Value,
    /// The capability document of commitment 3.
    pub capabilities: Value,
    /// The contract version it acknowledges.
    pub contract_version: Value,
    /// SHA-256 hex of that contract's text; null sends none.
    pub contract_digest: Value,
    /// Extensions it says it runs; null sends none.
    pub extension_slugs: Value,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            operator_contact: json!("operator@peer.example"),
            jurisdiction: json!("DE"),
            platform_version: json!("1.4.0"),
            last_known_good_release: json!("v1.4.0"),
            data_residency: json!("eu"),
            capabilities: json!({"resource_kinds": [
                {"kind": "skill", "schema_version": 1, "direction": "bidirectional", "policy": "manual"},
                {"kind": "agent", "schema_version": 1, "direction": "bidirectional", "policy": "manual"},
            ]}),
            contract_version: json!(1),
            contract_digest: json!(crate::contract::REGISTER_V1.digest),
            extension_slugs: Value::Null,
        }
    }
}

impl Profile {
    /// The members of accept and heartbeat that tell of it.
    pub(super) fn disclose(&self) -> Value {
        without_nulls(json!({
            "metadata": without_nulls(json!({
                "operator_contact": self.operator_contact,
                "jurisdiction": self.jurisdiction,
                "platform_version": self.platform_version,
                "last_known_good_release": self.last_known_good_release,
            })),
            "platform_version": self.platform_version,
            "data_residency": self.data_residency,
            "capabilities": self.capabilities,
            "contract_digest": self.contract_digest,
            "extension_slugs": self.extension_slugs,
        }))
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_set_to_null_is_not_sent() {
        let profile = Profile { jurisdiction: Value::Null, ..Profile::default() };
        let said = profile.disclose();
        assert!(said["metadata"].get("jurisdiction").is_none());
        assert_eq!(said["metadata"]["operator_contact"], "operator@peer.example");
        assert!(said.get("extension_slugs").is_none());
    }
}
