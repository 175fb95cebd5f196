//! The scenarios that the gate plays: the life of a federation, with each route and outcome, in both directions.

use crate::runner::library;
use crate::scenario::LibraryError;
use crate::wire::canonical::sha256_hex;

/// The ids of the scenarios.
pub const SCENARIOS: &[&str] = &[
    "00-sanity/every-outcome",
    "00-sanity/every-route",
    "00-sanity/full-lifecycle",
    "00-sanity/handshake",
    "00-sanity/heartbeat",
    "00-sanity/migrate",
    "00-sanity/notice",
    "00-sanity/read",
    "00-sanity/revoke",
    "00-sanity/sync",
    "01-identity-disclosure/target-discloses-itself",
    "02-reciprocity-of-grants/grant-lasts-to-its-last-second",
    "02-reciprocity-of-grants/grant-revocation-is-announced",
    "02-reciprocity-of-grants/revoked-grant-stops-at-once",
    "04-notice-of-revocation/notice-precedes-teardown",
    "04-notice-of-revocation/open-migrations-have-grace",
    "05-audit-transparency/excerpt-within-72-hours",
    "05-audit-transparency/overdue-excerpt-is-noticed",
    "06-no-undermining/flood-is-limited",
    "06-no-undermining/sync-streams-are-intact",
    "07-migration-hygiene/conflicts-are-resolved",
    "07-migration-hygiene/failure-leaves-nothing",
    "07-migration-hygiene/originals-are-kept",
    "07-migration-hygiene/sync-after-migration-is-refused",
    "08-data-residency/inbound-crossing-is-reported",
    "08-data-residency/outbound-crossing-is-reported",
    "09-compromise-disclosure/compromise-is-disclosed-to-every-partner",
    "10-backwards-compatibility/major-break-follows-30-day-notice",
    "11-right-of-exit/data-remains-after-revocation-by-peer",
    "11-right-of-exit/sent-data-remains-at-peer",
    "12-contract-version-honesty/agreed-version-is-requested-version",
    "A-acknowledgement/join-acknowledges-contract",
];

/// Returns SHA-256 of the sources of the scenarios. Another digest stands for other requests.
pub fn scenarios_sha256() -> Result<String, LibraryError> {
    let library = library(None)?;
    let sources = SCENARIOS.iter().filter_map(|id| library.scenario(id));
    let sources: Vec<String> = sources.map(|loaded| format!("{}\n{}", loaded.id, loaded.source)).collect();
    Ok(sha256_hex(sources.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_gate_exists() {
        let library = library(None).expect("sound scenarios");
        for id in SCENARIOS {
            assert!(library.scenario(id).is_some(), "{id}");
        }
    }
}
