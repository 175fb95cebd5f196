//! Defects against section V: contract versions.

use serde_json::{Value, json};

use crate::handshake::contract;
use crate::inbound::identity;
use crate::store::rows::Peer;
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use crate::{Patch, governance};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::contract::{REGISTERS, Register};
use covenant_model::wire::canonical::sha256_hex;
use covenant_net::net::Inbound;

/// Defects in the response to a requested contract version.
pub(super) const ANSWERS: &[Patch] = &[
    Patch::defect(
        "agrees-to-other-contract-version",
        &[("12.1", Conduct), ("12.1", Detection), ("V.2", Conduct), ("V.3", Conduct), ("A.1", Conduct)],
        "Answers a handshake for one contract version with the next version.",
        |policy| policy.handshake.choose_version = |asked| asked + 1,
    ),
    Patch::defect(
        "returns-wrong-contract-digest",
        &[("V.2", Conduct)],
        "Agrees to a contract version, but returns the digest of another text.",
        |policy| {
            policy.handshake.override_accept_response = |data| {
                data.insert("contract_digest".to_owned(), json!(sha256_hex("")));
            }
        },
    ),
    Patch::defect(
        "accepts-any-contract-version",
        &[("12.1", Conduct), ("V.4", Conduct)],
        "Treats every contract version as supported.",
        |policy| policy.handshake.is_supported = |_, _| true,
    ),
];

/// Defects in the known and accepted contract versions.
pub(super) const VERSIONS: &[Patch] = &[
    Patch::defect(
        "accepts-mismatched-contract-digest",
        &[("V.2", Detection), ("12.1", Detection)],
        "Accepts the digest of another text with a supported contract version.",
        |policy| policy.handshake.digest_matches = |_, _| true,
    ),
    Patch::defect(
        "accepts-any-published-text",
        &[("V.2", Detection)],
        "Accepts the digest of any text that was published under the version, and keeps its own.",
        |policy| {
            policy.handshake.digest_matches = |contract, given| {
                let is_published = |text: &&Register| given.is_some_and(|given| *given == text.digest);
                contract::digest_matches(contract, given) || REGISTERS.iter().any(is_published)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-zeros-for-an-absent-digest",
        &[("V.2", Detection)],
        "Treats a contract digest of zeros as absent.",
        |policy| {
            policy.handshake.digest_matches = |contract, given| {
                let is_zeros = given
                    .and_then(Value::as_str)
                    .is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte == b'0'));
                is_zeros || contract::digest_matches(contract, given)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "records-version-of-rejected-accept",
        &[("V.2", Detection)],
        "Records the contract version of an accept that it refuses.",
        |policy| policy.handshake.on_refusal = record_requested_version,
    ),
    Patch::defect(
        "records-version-of-a-heartbeat",
        &[("V.2", Conduct)],
        "Records the contract version that a heartbeat claims as the agreed one.",
        |policy| policy.handshake.on_claims = record_claimed_version,
    )
    .hard_to_reach(),
    Patch::defect(
        "records-newest-version-for-each-peer",
        &[("V.2", Conduct)],
        "Overwrites the agreed contract version of a peer with its newest one at a heartbeat.",
        |policy| policy.handshake.on_claims = record_newest_version,
    )
    .hard_to_reach(),
    Patch::defect(
        "stores-no-contract-digest",
        &[("V.1", Conduct)],
        "Knows its contract versions by number alone.",
        |policy| policy.handshake.override_version = |known| known["digest"] = Value::Null,
    ),
    Patch::defect(
        "stores-digest-of-empty-text",
        &[("V.1", Conduct)],
        "Stores the digest of an empty text for every contract version.",
        |policy| policy.handshake.override_version = |known| known["digest"] = json!(sha256_hex("")),
    ),
    Patch::defect(
        "stores-digest-of-replaced-characters",
        &[("V.1", Conduct)],
        "Stores a contract text without the characters beyond U+FFFF, and the digest of what is left.",
        |policy| {
            policy.handshake.override_version = |known| {
                if known["digest"] == sha256_hex(THIRD_TEXT) {
                    let left: String =
                        THIRD_TEXT.chars().filter(|character| *character <= '\u{ffff}').collect();
                    known["digest"] = json!(sha256_hex(left));
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-newest-contract-version-only",
        &[("V.3", Conduct)],
        "Drops a contract version as soon as the next one is released.",
        |policy| {
            policy.handshake.is_supported =
                |known, version| known.iter().map(|contract| contract.version).max() == Some(version);
        },
    ),
    Patch::defect(
        "accepts-oldest-contract-version-only",
        &[("V.3", Conduct)],
        "Agrees only to the oldest contract version in force.",
        |policy| {
            policy.handshake.is_supported = |known, version| {
                let in_force = known.iter().filter(|contract| contract.deprecated_at.is_none());
                in_force.map(|contract| contract.version).min() == Some(version)
            }
        },
    ),
    Patch::defect(
        "accepts-deprecated-contract-version",
        &[("V.4", Conduct)],
        "Lets new peerings adopt a deprecated contract version.",
        |policy| {
            policy.handshake.is_supported =
                |known, version| known.iter().any(|contract| contract.version == version);
        },
    ),
    Patch::defect(
        "suspends-peers-on-deprecated-contract",
        &[("V.4", Conduct)],
        "Suspends every peer on a contract version as soon as that version is deprecated.",
        |policy| policy.handshake.on_deprecation = suspend_peers_on,
    ),
    Patch::defect(
        "lifts-agreed-version-at-a-deprecation",
        &[("V.4", Conduct)],
        "Records the newest contract version as the agreed one of every peer on a version that is deprecated.",
        |policy| policy.handshake.on_deprecation = lift_peers_on,
    )
    .hard_to_reach(),
    Patch::defect(
        "joins-with-deprecated-contract-version",
        &[("V.4", Conduct)],
        "Joins on the newest contract version, deprecated or not.",
        |policy| policy.outbound.may_join_on = |_| true,
    ),
    Patch::defect(
        "joins-with-first-contract-version-alone",
        &[("V.4", Conduct)],
        "Joins on the contract version 1, deprecated or not, and on no other.",
        |policy| policy.outbound.may_join_on = |contract| contract.version == 1,
    ),
    Patch::defect(
        "keeps-only-heartbeats-on-deprecated-contract",
        &[("V.4", Conduct)],
        "Refuses all but the heartbeats of a peer whose contract version is deprecated.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let known = contract::known(tx)?;
                let agreed = known.iter().find(|known| Some(known.version) == peer.contract_version_agreed);
                let is_deprecated = agreed.is_some_and(|agreed| agreed.deprecated_at.is_some());
                Ok(identity::is_admitted(tx, peer) && (is_heartbeat(call) || !is_deprecated))
            };
        },
    ),
    Patch::defect(
        "keeps-only-heartbeats-on-older-contract",
        &[("V.3", Conduct)],
        "Refuses all but the heartbeats of a peer whose contract version is not the newest.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let newest = contract::known(tx)?.iter().map(|known| known.version).max();
                let is_older = peer.contract_version_agreed.is_some_and(|agreed| Some(agreed) < newest);
                Ok(identity::is_admitted(tx, peer) && (is_heartbeat(call) || !is_older))
            };
        },
    ),
];

/// A contract text that the suite supplies, with characters beyond U+FFFF (`binding.md`, "Contract texts").
const THIRD_TEXT: &str = "A third version of the contract, for the test of it: 🦊 𠮷 𐍈.";

fn lift_peers_on(tx: &Transaction<'_>, version: u64) -> Result<(), StoreError> {
    let newest = contract::known(tx)?.iter().map(|known| known.version).max();
    for peer in table::all::<Peer>(tx.db)? {
        if peer.contract_version_agreed == Some(version) {
            table::put(tx.db, &Peer { contract_version_agreed: newest, ..peer })?;
        }
    }
    Ok(())
}

fn record_requested_version(tx: &Transaction<'_>, peer: &Peer, body: &Value) -> Result<(), StoreError> {
    match contract::read_version(body.get("contract_version")) {
        Some(asked) if peer.contract_version_agreed.is_none() => {
            table::put(tx.db, &Peer { contract_version_agreed: Some(asked), ..peer.clone() })
        }
        _ => Ok(()),
    }
}

fn record_claimed_version(tx: &Transaction<'_>, peer: &mut Peer, body: &Value) -> Result<(), StoreError> {
    let Some(claimed) = body["contract_version"].as_u64() else {
        return Ok(());
    };
    peer.contract_version_agreed = Some(claimed);
    table::put(tx.db, peer)
}

fn record_newest_version(tx: &Transaction<'_>, peer: &mut Peer, _: &Value) -> Result<(), StoreError> {
    let newest = contract::known(tx)?.iter().map(|known| known.version).max();
    peer.contract_version_agreed = newest.filter(|_| peer.contract_version_agreed.is_some());
    table::put(tx.db, peer)
}

fn is_heartbeat(call: &Inbound) -> bool {
    call.path.ends_with("/heartbeat")
}

fn suspend_peers_on(tx: &Transaction<'_>, version: u64) -> Result<(), StoreError> {
    for mut peer in table::all::<Peer>(tx.db)? {
        if peer.contract_version_agreed == Some(version) {
            governance::suspend(tx, &mut peer, "its contract version is deprecated")?;
        }
    }
    Ok(())
}
