//! `compromise.declare`, `residency.set` and `release.*`: what the operator declares to all peers.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::method::methods;
use super::{Done, Example};
use crate::contract::Basis;

methods! {
    /// Methods about what the operator declares to all peers.
    ReleaseMethod in Release {
        "compromise.declare" => DeclareCompromise -> Done {
            prompt: Some("Declare this compromise."),
            example: Example {
                parameters: r#"{"kind": "intrusion", "detected_at": "2026-06-01T00:00:00Z", "summary": "a stolen key"}"#,
                result: "{}",
            },
        }
        "residency.set" => SetResidency -> Done {
            basis: Basis::Observed,
            prompt: Some("Set the platform's data residency."),
            example: Example { parameters: r#"{"residency": "EU"}"#, result: "{}", },
        }
        "release.set" => SetRelease -> Done {
            prompt: Some("Change the platform to this release."),
            example: Example { parameters: r#"{"version": "1.4.1"}"#, result: "{}", },
        }
        "release.deprecate" => Deprecate -> Done {
            prompt: Some("Announce the end of this release."),
            example: Example {
                parameters: r#"{"version": "1.4.0", "breaks_at": "2100-01-01T00:00:00Z", "notice_url": "https://example.org/end"}"#,
                result: "{}",
            },
        }
    }
}

/// Declares a compromise of the platform: the platform sends a notice to every partner.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareCompromise {
    /// The kind: `certificate`, `intrusion` or `exfiltration`.
    pub kind: String,
    /// The time at which it was detected.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub detected_at: Timestamp,
    /// The summary, for a person.
    pub summary: String,
}

/// Sets the platform's data residency: the platform sends a notice to its partners before the change is visible.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetResidency {
    /// The residency, such as `eu`.
    pub residency: String,
}

/// Changes the release of the platform while it runs.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRelease {
    /// The release, as a semantic version.
    pub version: String,
}

/// Announces the end of a release: the platform sends a notice to its partners.
///
/// An end that is less than 30 days away is an error.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecate {
    /// The release that ends.
    pub version: String,
    /// The time of the break.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub breaks_at: Timestamp,
    /// The address of the notice, for people.
    #[schemars(url)]
    pub notice_url: String,
}
