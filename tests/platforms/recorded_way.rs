//! The recorded way of the release gate: every seeded change, and conforming variants of the same wire.

use covenant::gate::Verdict;
use covenant::reference::{release_changes, variant};

use crate::held::{compared, each_is_found, recording};

#[tokio::test(flavor = "multi_thread")]
async fn each_incompatibility_is_found_by_its_rule_and_no_addition_is_breaking() {
    let (breaking, additions) = each_is_found(release_changes()).await;
    assert!(breaking >= 30 && additions >= 15, "{breaking} breaking, {additions} additions");
}

/// Variants whose wire a peer of the release before reads as it did.
const SAME_WIRE: &[&str] = &[
    "adds-unknown-members",
    "sends-null-members",
    "omits-success-member",
    "sends-full-envelopes",
    "sends-errors-without-code",
    "writes-extra-audit-entries",
    "reverses-json-members",
    "delays-responses",
    "blocks-inbound-during-outbound-calls",
    "syncs-integers-as-floats",
    "writes-uppercase-digests",
    "http1-only",
    "sends-chunked-bodies",
    "runs-behind-tls-proxy",
    "sends-frequent-heartbeats",
    "applies-strict-rate-limit",
    "discloses-pgp-fingerprint-as-contact",
];

/// Scenarios with every route, in both directions.
const IN_SHORT: &[&str] = &[
    "00-sanity/every-outcome",
    "00-sanity/every-route",
    "00-sanity/full-lifecycle",
    "01-identity-disclosure/target-discloses-itself",
    "06-no-undermining/flood-is-limited",
    "06-no-undermining/sync-streams-are-intact",
    "11-right-of-exit/sent-data-remains-at-peer",
    "A-acknowledgement/join-acknowledges-contract",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_conforming_variant_of_the_same_wire_is_compatible() {
    let recording = recording().await;
    for name in SAME_WIRE {
        let comparison = compared(&recording, vec![variant(name).expect(name)], 2, IN_SHORT).await;
        assert_eq!(comparison.verdict, Verdict::Compatible, "{name}: {:#?}", comparison.breaking);
    }
}
