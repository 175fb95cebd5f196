//! Disclosure of a platform: the `metadata` of accept and heartbeat (commitment 1, proposed).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;

/// Disclosure of commitment 1. Texts stay as received; checks evaluate if they are well-formed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disclosure {
    /// Operator contact: an email address, or a signed, PGP-attested identifier in any form (1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_contact: Option<Value>,
    /// Declared location or jurisdiction (1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<Value>,
    /// Platform version, a semantic version (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// Last known-good release, a release tag (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_known_good_release: Option<Value>,
    /// Data residency of the platform (8.1), read here as well as beside `metadata`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Deprecated releases (10.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecations: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
