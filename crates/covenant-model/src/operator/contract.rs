//! `contract.*`: the contract versions that the platform knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::method::methods;
use super::{Done, Example, Extra, Listed};

methods! {
    /// Methods about contract versions.
    ContractMethod in Contract {
        "contract.list" => List -> Listed<Versions> {
            example: Example {
                parameters: "{}",
                result: r#"[{"version": 1, "digest": "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7", "effective_at": "2026-05-14T00:00:00Z"}]"#,
            },
        }
        "contract.release" => Release -> Version {
            example: Example {
                parameters: r#"{"version": 7002, "text": "A second version of the contract, for the test of it."}"#,
                result: r#"{"version": 7002, "digest": "1c16dc0f267ccac315e172f8cfc0df519900d8321461b95b63c2e1788a3e0f74", "effective_at": "2026-06-01T00:00:00Z"}"#,
            },
        }
        "contract.deprecate" => Deprecate -> Done {
            example: Example { parameters: r#"{"version": 1, "reason": "replaced"}"#, result: "{}", },
        }
    }
}

/// Lists the contract versions that the platform knows.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {}

/// The contract versions that the platform knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// The versions, each as `contract.release` returns it.
    pub versions: Vec<Version>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A contract version. A row with a `status` or `state` such as `draft`, or with a later `effective_at`, is not
/// released.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// The number, as `1`, `"1"`, `"v1"` or `"1.0"`. `contract_version` and `number` are read as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Value>,
    /// The SHA-256 of the text, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub digest: Option<Value>,
    /// The time since which the version is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub effective_at: Option<Value>,
    /// The time since which the version is read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deprecated_at: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Adds a contract version while the platform runs. A released version is permanent.
///
/// An addition of this suite for scenarios that need a version in the middle of a run. The built-in scenarios
/// pass versions in `settings.contract_versions` instead.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The number.
    pub version: u64,
    /// The text. Either the text or its digest is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The SHA-256 of the text, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Makes a contract version read-only from now on: no new peering may agree to it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecate {
    /// The number.
    pub version: u64,
    /// The reason, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
