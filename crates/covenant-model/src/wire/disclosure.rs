//! Who a platform says it is: the `metadata` of accept and heartbeat (commitment 1, proposed).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;

/// The disclosure of commitment 1. Texts stay as they came; whether they are well-formed is evaluated elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Disclosure {
    /// An email address, or a signed, PGP-attested identifier in any form (1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_contact: Option<Value>,
    /// A declared location or jurisdiction (1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<Value>,
    /// A semantic version (1.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Value>,
    /// A release tag (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_known_good_release: Option<Value>,
    /// Where the platform keeps data (8.1); read here as well as beside `metadata`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_residency: Option<Value>,
    /// Releases that are on their way out (10.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecations: Option<Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
