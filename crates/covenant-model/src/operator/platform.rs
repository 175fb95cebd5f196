//! `describe`, `platform.*` and `clock.*`: the adapter itself, the platform as a process, and its time.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::method::methods;
use super::{Done, Example, Extra, ResourceKind};
use crate::clock::deserialize_moment;
use crate::transcript::Addition;

methods! {
    /// Methods about the adapter, the platform as a process, and its time.
    PlatformMethod in Platform {
        "describe" => Describe -> Described {
            required: true,
            example: Example {
                parameters: "{}",
                result: r#"{"protocol": 1, "name": "example", "version": "2.3.0", "verbs": ["describe", "platform.start"], "identity": "tls", "generation": "G3"}"#,
            },
        }
        "platform.start" => Start -> Started {
            required: true,
            example: Example {
                parameters: "{}",
                result: r#"{"base_url": "https://127.0.0.1:8443", "ca_bundle_pem": "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"}"#,
            },
        }
        "platform.stop" => Stop -> Done {}
        "platform.kill" => Kill -> Done {}
        "platform.reset" => Reset -> Done {}
        "clock.now" => Now -> Time {
            example: Example { parameters: "{}", result: r#"{"now": "2026-06-01T00:00:00Z"}"# },
        }
        "clock.advance" => Advance -> Time {
            example: Example { parameters: r#"{"seconds": 1}"#, result: r#"{"now": "2026-06-01T00:00:01Z"}"# },
        }
    }
}

/// Describes the adapter: the protocol that it speaks and the methods that it has.
///
/// The suite calls it first. `clock.now` in `verbs` makes the peers follow the platform's clock, and
/// `platform.reset` makes a shared platform fresh for each scenario.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {}

/// The description of an adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Described {
    /// The version of the protocol that the adapter speaks: `1`. The suite speaks no other.
    pub protocol: u64,
    /// The names of the methods that the adapter has.
    pub verbs: Vec<String>,
    /// The name of the platform, for the report.
    pub name: String,
    /// The version of the platform, for the report.
    pub version: String,
    /// How a caller identifies itself to the platform: `tls` (default) or `forwarded`, with the headers of a
    /// proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The generation of the wire: `G1`, `G2` or `G3`. With `forwarded`, `G1` selects the header of G1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// The contract versions that the platform knows: integers, or rows as in `contract.list`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_versions: Option<Vec<Value>>,
    /// `true` if the platform has completed everything that follows from a call when it responds. The suite
    /// then waits for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at_once: Option<bool>,
    /// `true` if `platform.reset` leaves the platform as after its first start, in every respect: no peer, record,
    /// declaration, offering, grant, event, finding or counter, and the clock and the residency as at the start. The
    /// suite then plays several scenarios in one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_completely: Option<bool>,
    /// The additions of the binding that the platform reads though it shows them nowhere, of `metadata`,
    /// `contract_digest`, `contract_version`, `resource_kinds`, `notices` and `status`. What the platform sends, answers
    /// or shows its operator need not stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks: Option<Vec<Addition>>,
    /// The kinds of record that the platform has, if it can't take the suite's own: each with a sample and the
    /// members that it stores. The suite then uses these kinds and members, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<ResourceKind>>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Starts the platform, or starts it again after a stop or a kill.
///
/// What the platform stored before a stop or a kill is still there, in the same adapter process. A start
/// without `settings` uses the defaults. An adapter ignores settings that it does not know. A platform at an
/// address that the user names (`--target URL`) may lack the method; the scenarios that need settings are then
/// unproven.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The release that the platform runs, as a semantic version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The settings to start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
}

/// The settings of a platform. Each is optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// The contract versions that the platform knows: integers, or objects with `version`, `text` or `digest`,
    /// and optionally `effective_at` and `deprecated_at`. Scenarios of V.1, V.3 and V.4 set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_versions: Option<Vec<Value>>,
    /// The number of steps of a plan after which the platform dies inside the transaction; 0 is before the
    /// first step. A testing aid, which a scenario of 7.1 sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_at_step: Option<u32>,
    /// The release that the platform runs. The parameter beside `settings` takes precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The operator contact that the platform discloses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_contact: Option<String>,
    /// The jurisdiction that the platform discloses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// The last known-good release that the platform discloses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_known_good_release: Option<String>,
    /// The data residency that the platform discloses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residency: Option<String>,
    /// The number of accept and heartbeat calls that one peer may make in any 60 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<u64>,
    /// The seconds between two heartbeats to a peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_seconds: Option<i64>,
    /// The slugs of the extensions that the platform runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_slugs: Option<Vec<String>>,
    /// The number of breaches of one hard norm within 24 hours that suspends a peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach_limit: Option<u64>,
    /// The lifetime, in days, of the client certificates that the platform signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_days: Option<u32>,
    /// Other names for the platform's findings, by their default name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding_names: Option<std::collections::BTreeMap<String, String>>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The address of a started platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// The address of the federation plane, without the prefix of the routes.
    #[schemars(url)]
    pub base_url: String,
    /// The authorities to trust there, as PEM. Without it, a peer pins the first server certificate that it
    /// sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_pem: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Stops the platform gracefully.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {}

/// Kills the platform, without a chance to clean up.
///
/// A later `platform.start` finds what the platform had stored durably.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kill {}

/// Makes a shared platform fresh: no peer, grant, record or event of an earlier scenario is left.
///
/// The suite calls it before each scenario, if `describe` lists it. A program that starts a fresh platform for
/// each process does not need it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {}

/// Reads the platform's clock.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Now {}

/// Moves the platform's clock forward.
///
/// Everything that falls due on the way has run, in order, when the method responds: heartbeats, retries,
/// limits, deliveries. Without the method, everything that takes hours or days is unproven.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    /// The number of seconds.
    pub seconds: i64,
}

/// The time of a platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Time {
    /// The time that the clock shows, in a year from 2000 to 2199.
    #[serde(deserialize_with = "deserialize_moment")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub now: Timestamp,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
