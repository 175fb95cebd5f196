//! The start options of a platform.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::patch::Patch;
use covenant_model::clock::{Clock, Seed};
use covenant_model::wire::canonical::sha256_hex;

/// The start options of a platform.
#[derive(Clone, Debug)]
pub struct Options {
    /// The platform's only source of time.
    pub clock: Clock,
    /// The seed of every id and token that the platform generates.
    pub seed: Seed,
    /// The location of the store.
    pub database: Database,
    /// The address to listen on. Port 0 takes a free port; on a restart, it takes the previous port.
    pub listen: SocketAddr,
    /// The operator's settings.
    pub settings: Settings,
    /// The seeded defects and variants, applied in order.
    pub patches: Vec<&'static Patch>,
}

impl Options {
    /// Returns options for a platform in memory on a free loopback port, with the default settings and no
    /// patch.
    #[must_use]
    pub fn in_memory(clock: Clock, seed: Seed) -> Self {
        Self {
            clock,
            seed,
            database: Database::Memory,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            settings: Settings::default(),
            patches: Vec::new(),
        }
    }
}

/// The location of a platform's store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Database {
    /// A store in memory, which is gone when the platform stops.
    #[default]
    Memory,
    /// A store in a file, which survives a kill.
    File(PathBuf),
}

/// The settings of `platform.start`. Unknown members are ignored; missing ones have a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Disclosed: an email address (1.1).
    pub operator_contact: String,
    /// Disclosed: the jurisdiction to which the operator is subject (1.2).
    pub jurisdiction: String,
    /// Disclosed: the platform's own semantic version (1.3).
    pub release: String,
    /// Disclosed: the last known-good release (1.4).
    pub last_known_good_release: String,
    /// The place where data is kept (8.1).
    pub residency: String,
    /// Number of accept and heartbeat calls that one peer may make in any 60 s (6.1).
    pub rate_limit: usize,
    /// Seconds between two heartbeats to a peer.
    pub heartbeat_seconds: i64,
    /// Slugs of the extensions that the platform runs.
    pub extension_slugs: Vec<String>,
    /// Number of breaches of one hard norm within 24 hours that suspends a peer (E.2).
    pub breach_limit: usize,
    /// The known contract versions (V.1): numbers, or objects with `version`, `text` or `digest`,
    /// `effective_at`, `deprecated_at`.
    pub contract_versions: Vec<ContractVersion>,
    /// Lifetime of the client certificates that the platform signs, in days. The observed platform signs for
    /// 90 days. But no route renews a certificate, and a clock that is moved by a year would outrun one of 90
    /// days.
    pub certificate_days: u32,
    /// Alternative names of findings, by their default name: a platform is free to choose them.
    pub finding_names: BTreeMap<String, String>,
    /// Testing aid: the number of steps after which the platform dies inside a migration's transaction.
    pub crash_at_step: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            operator_contact: "operator@target.example".to_owned(),
            jurisdiction: "DE".to_owned(),
            release: "1.4.0".to_owned(),
            last_known_good_release: "v1.4.0".to_owned(),
            residency: "eu".to_owned(),
            rate_limit: 60,
            heartbeat_seconds: 60,
            extension_slugs: Vec::new(),
            breach_limit: 5,
            contract_versions: vec![ContractVersion::first()],
            certificate_days: 730,
            finding_names: BTreeMap::new(),
            crash_at_step: None,
        }
    }
}

/// A version of the contract that the platform knows (V.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "GivenVersion")]
pub struct ContractVersion {
    /// The version number.
    pub version: u64,
    /// SHA-256 of its text, in hex. `None` if the text is not known, or for version 1 the platform's own.
    pub digest: Option<String>,
    /// An RFC 3339 time or a date.
    pub effective_at: Option<String>,
    /// The time since which the version is read-only (V.4).
    pub deprecated_at: Option<String>,
}

/// SHA-256 of the first text of version 1.
pub(crate) const FIRST_DIGEST: &str = "39f54d890f9eb663538bd2f39806ee75b5dba1c9c5c994fe1406cb3cbc2910d7";

impl ContractVersion {
    /// Returns version 1, in the text that the platform keeps.
    #[must_use]
    pub fn first() -> Self {
        Self {
            version: 1,
            digest: None,
            effective_at: Some("2026-05-14T00:00:00Z".to_owned()),
            deprecated_at: None,
        }
    }
}

/// The forms in which the settings can give a version.
#[derive(Deserialize)]
#[serde(untagged)]
enum GivenVersion {
    Number(u64),
    Object {
        version: u64,
        #[serde(default)]
        text: Option<String>,
        #[serde(default)]
        digest: Option<String>,
        #[serde(default)]
        effective_at: Option<String>,
        #[serde(default)]
        deprecated_at: Option<String>,
    },
}

impl From<GivenVersion> for ContractVersion {
    fn from(given: GivenVersion) -> Self {
        match given {
            GivenVersion::Number(1) => Self::first(),
            GivenVersion::Number(version) => {
                Self { version, digest: None, effective_at: None, deprecated_at: None }
            }
            GivenVersion::Object { version, text, digest, effective_at, deprecated_at } => {
                Self { version, digest: text.map(sha256_hex).or(digest), effective_at, deprecated_at }
            }
        }
    }
}

impl Settings {
    /// Parses the parameters of `platform.start`. The error names a member of the wrong type.
    pub fn read(value: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn unknown_members_are_ignored_and_missing_ones_have_defaults() {
        let settings = Settings::read(&json!({"residency": "us", "colour": "blue"})).expect("settings");
        assert_eq!(settings.residency, "us");
        assert_eq!(settings.rate_limit, 60);
        assert!(Settings::read(&json!({"rate_limit": "many"})).is_err());
    }

    #[test]
    fn a_contract_version_is_a_number_or_an_object_with_a_text() {
        let given = json!({"contract_versions": [1, {"version": 2, "text": "abc"}]});
        let versions = Settings::read(&given).expect("settings").contract_versions;
        assert_eq!(versions[0], ContractVersion::first());
        assert_eq!(
            versions[1].digest.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }
}
