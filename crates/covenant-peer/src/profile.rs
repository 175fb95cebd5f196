//! Profile of a peer: its disclosure, capabilities and versions.

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Release that a peer runs if the target's release is not known.
pub static DEFAULT_RELEASE: Version = Version::new(1, 4, 0);

/// Profile of a peer. The defaults are those of a conforming platform. A scenario overrides single members;
/// `null` removes one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Address of the operator (1.1).
    pub operator_contact: Value,
    /// Law that the operator is under (1.2).
    pub jurisdiction: Value,
    /// Release that the peer runs (1.3).
    pub platform_version: Value,
    /// Last known-good release (1.4).
    pub last_known_good_release: Value,
    /// Place where the peer keeps data (8.1).
    pub data_residency: Value,
    /// Capability document (commitment 3).
    pub capabilities: Value,
    /// Contract version that the peer acknowledges.
    pub contract_version: Value,
    /// SHA-256 of the text of that contract, in hex; null sends none.
    pub contract_digest: Value,
    /// Extensions that the peer declares; null sends none.
    pub extension_slugs: Value,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            operator_contact: json!("operator@peer.example"),
            jurisdiction: json!("DE"),
            platform_version: json!(DEFAULT_RELEASE.to_string()),
            last_known_good_release: json!(tag(&DEFAULT_RELEASE)),
            data_residency: json!("eu"),
            capabilities: json!({"resource_kinds": [
                {"kind": "skill", "schema_version": 1, "direction": "bidirectional", "policy": "manual"},
                {"kind": "agent", "schema_version": 1, "direction": "bidirectional", "policy": "manual"},
            ]}),
            contract_version: json!(1),
            contract_digest: json!(covenant_model::contract::V1_2026_05.digest),
            extension_slugs: Value::Null,
        }
    }
}

impl Profile {
    /// Returns the profile of a conforming platform of this release.
    #[must_use]
    pub fn of_release(release: &Version) -> Self {
        Self::default().at(release)
    }

    /// Returns the profile at another release.
    pub(super) fn at(self, release: &Version) -> Self {
        let (platform_version, last_known_good_release) = (json!(release.to_string()), json!(tag(release)));
        Self { platform_version, last_known_good_release, ..self }
    }

    /// Returns the profile with other values for some members. The error names a member that does not exist.
    pub fn with(self, members: &Map<String, Value>) -> serde_json::Result<Self> {
        let mut own = serde_json::to_value(self)?;
        if let Some(own) = own.as_object_mut() {
            own.extend(members.clone());
        }
        Self::deserialize(own)
    }

    /// Returns the members of accept and heartbeat that disclose the profile.
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

fn tag(release: &Version) -> String {
    format!("v{release}")
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
        let disclosed = profile.disclose();
        assert!(disclosed["metadata"].get("jurisdiction").is_none());
        assert_eq!(disclosed["metadata"]["operator_contact"], "operator@peer.example");
        assert!(disclosed.get("extension_slugs").is_none());
    }

    #[test]
    fn a_profile_follows_the_release_except_in_its_own_members() {
        let members = |value: Value| value.as_object().expect("an object").clone();
        let of_2 = || Profile::of_release(&Version::new(2, 0, 3));
        let profile = of_2().with(&members(json!({"jurisdiction": null}))).expect("a profile");
        assert_eq!(profile.disclose()["metadata"]["last_known_good_release"], "v2.0.3");
        assert_eq!((profile.platform_version, profile.jurisdiction), (json!("2.0.3"), Value::Null));
        let own = of_2().with(&members(json!({"platform_version": "1.4.0"}))).expect("a profile");
        assert_eq!(own.platform_version, "1.4.0");
        assert!(of_2().with(&members(json!({"jurisdictoin": "DE"}))).is_err());
    }
}
