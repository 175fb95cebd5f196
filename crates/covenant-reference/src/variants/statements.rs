//! Variants in the form of disclosures, lists and reports.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::patch::{omit_disclosed, replace_disclosed};
use crate::store::rows::{Direction, KnownContract};
use crate::{Patch, migration, peering};
use covenant_model::wire::canonical::sha256_hex;
use covenant_model::wire::notice::finding;

/// Variants in the form of disclosures, lists and reports.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "renames-findings",
        "Uses its own names for its findings, except for the one that the contract names.",
        |policy| policy.governance.name_finding = prefixed_unless_in_contract,
    ),
    Patch::variant(
        "discloses-pgp-fingerprint-as-contact",
        "Discloses a PGP fingerprint as its operator contact.",
        |policy| {
            policy.handshake.override_introduction = |members| {
                let contact = "openpgp4fpr:0123456789ABCDEF0123456789ABCDEF01234567";
                replace_disclosed(members, "operator_contact", contact);
            };
        },
    )
    .deciding(&["its introduction"]),
    Patch::variant(
        "discloses-in-responses-only",
        "Sends its disclosure in its responses, but not in its own heartbeats.",
        |policy| {
            policy.outbound.override_heartbeat = |body| {
                body.remove("metadata");
            }
        },
    ),
    Patch::variant(
        "announces-ends-in-notices-alone",
        "Announces the end of a release in a notice while its operator declares it, and nowhere after that.",
        |policy| policy.handshake.override_introduction = |members| omit_disclosed(members, "deprecations"),
    )
    .deciding(&["its introduction"]),
    Patch::variant("writes-uppercase-digests", "Writes digests in upper case.", |policy| {
        policy.handshake.override_introduction = uppercase_digest;
        policy.handshake.override_version = |known| {
            if let Some(digest) = known["digest"].as_str() {
                known["digest"] = json!(digest.to_uppercase());
            }
        };
    })
    .deciding(&["its introduction", "its list of versions"]),
    Patch::variant(
        "lists-contract-versions-as-strings",
        "Lists contract versions as strings, and digests after the name of their algorithm.",
        |policy| {
            policy.handshake.override_version = |known| {
                known["version"] = json!(known["version"].to_string());
                if let Some(digest) = known["digest"].as_str() {
                    known["digest"] = json!(format!("sha256:{digest}"));
                }
            };
        },
    )
    .deciding(&["its list of versions"]),
    Patch::variant(
        "prefixes-contract-versions-with-v",
        "Lists contract versions as `v1`, and digests in base64 beside the name of their algorithm.",
        |policy| {
            policy.handshake.override_version = |known| {
                known["version"] = json!(format!("v{}", known["version"]));
                let bytes = known["digest"].as_str().and_then(|digest| hex::decode(digest).ok());
                known["digest"] = json!({
                    "algorithm": "SHA-256", "value": bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)),
                });
            };
        },
    )
    .deciding(&["its list of versions"]),
    Patch::variant(
        "lists-unmounted-addresses",
        "Keeps the overlay addresses of a revoked peer on its list, as revoked ones.",
        |policy| policy.peering.lists_unmounted = true,
    ),
    Patch::variant(
        "merges-repeated-findings",
        "Merges repeats of one finding about a peer within a minute.",
        |policy| policy.governance.merge_window = SignedDuration::from_secs(60),
    ),
    Patch::variant(
        "derives-crossing-from-jurisdiction",
        "Determines a crossing by the jurisdictions of the two sides, not by their residencies.",
        |policy| {
            policy.migration.locate_peer =
                |peer| peer.metadata.get("jurisdiction").and_then(Value::as_str).unwrap_or_default();
            policy.migration.locate_self = |tx| Ok(tx.settings.jurisdiction.clone());
        },
    ),
    Patch::variant(
        "reports-crossing-at-the-opening",
        "Reports the crossing of a migration that is opened first when it is opened, and not when it is committed.",
        |policy| {
            policy.migration.reports_crossing = |migration| migration.plan.commit != Some(false);
            policy.migration.on_opening = |tx, peer, migration| {
                let policy = &tx.policy.migration;
                let (theirs, ours) = ((policy.locate_peer)(peer), (policy.locate_self)(tx)?);
                let Some(crossing) = migration::crossing(theirs, &ours) else { return Ok(()) };
                let facts = json!({"migration_id": migration.id, "cross_jurisdiction": crossing});
                peering::report_event(tx, peer, "migration.cross_residency_boundary", "high", facts)
            };
        },
    ),
    Patch::variant(
        "omits-residency-from-heartbeat-responses",
        "Discloses its residency in the handshake and in its heartbeats, but not in heartbeat responses.",
        |policy| {
            policy.handshake.override_introduction =
                |members| replace_disclosed(members, "jurisdiction", "FR");
            policy.handshake.override_heartbeat_response = |data| {
                data.remove("metadata");
                data.remove("data_residency");
            };
        },
    )
    .deciding(&["its introduction"]),
    Patch::variant(
        "reports-residency-change-of-recipients",
        "Reports a changed residency only of peers to which it sent data.",
        |policy| {
            policy.peering.concerns_migration =
                |migration| migration.direction == Direction::Outbound && migration.status == "completed";
        },
    ),
    Patch::variant(
        "offers-extra-contract-versions",
        "Offers contract versions of its own, 2 and 7, beside the others.",
        |policy| {
            policy.handshake.list_extra_versions = || {
                let own = |version: u64| KnownContract {
                    id: version.to_string(),
                    version,
                    digest: Some(sha256_hex(format!("version {version}"))),
                    effective_at: Some("2099-01-01T00:00:00Z".to_owned()),
                    deprecated_at: None,
                };
                vec![own(2), own(7)]
            }
        },
    ),
];

fn prefixed_unless_in_contract(default: &str) -> String {
    if default == finding::CAPABILITY_DRIFT { default.to_owned() } else { format!("federation/{default}") }
}

fn uppercase_digest(members: &mut Map<String, Value>) {
    if let Some(Value::String(digest)) = members.get_mut("contract_digest") {
        *digest = digest.to_uppercase();
    }
}
