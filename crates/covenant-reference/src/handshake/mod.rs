//! Who a peer is, which contract and which version it speaks, and what this platform says of itself.

pub(crate) mod contract;
pub(crate) mod disclosure;
pub(crate) mod versions;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::capabilities;
use super::governance::Suspicion;
use super::policy::policy;
use super::store::rows::{KnownContract, Peer};
use super::store::{StoreError, facts};
use super::transaction::Transaction;
use covenant_model::wire::canonical::sha256_hex;
use covenant_model::wire::state::PeerStatus;

policy! {
    /// Decisions of the handshake, the disclosure and the versions.
    Policy {
        /// Which of the four members of a disclosure are missing or malformed (1.5).
        disclosure_gaps: fn(&Map<String, Value>) -> Vec<&'static str> = disclosure::gaps,
        /// Whether an accept with these gaps is refused.
        refuses_anonymous: fn(&[&'static str]) -> bool = refuses_anonymous,
        /// Whether a peer with these gaps, with or without a certificate, is enrolled at accept.
        enrols: fn(&[&'static str], bool) -> bool = enrols,
        /// Whether an accepted peer that beats, and is known by these members, is enrolled by it; where there is no
        /// such rule, it may not even beat (open reading 9).
        enrols_at_heartbeat: Option<fn(&Map<String, Value>) -> bool> = None,
        /// Whether an accept is refused that brings no credentials: no (open reading 5).
        needs_credentials: bool = false,
        /// What else happens when an accept is refused: nothing.
        at_refusal: fn(&Transaction<'_>, &Peer, &Value) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Whether an acceptance token may be used now.
        token_is_good: fn(&Peer, Timestamp) -> bool = token_is_good,
        /// Whether a proposal in this state may still be accepted (11.1).
        may_be_accepted: fn(&Peer) -> bool = |peer| peer.status == PeerStatus::Proposed,
        /// Which contract version was asked for, if any was (A.1).
        version_asked: fn(Option<&Value>) -> Option<u64> = contract::version_asked,
        /// Whether new peerings may adopt this version (V.4, 12.1).
        is_supported: fn(&[KnownContract], u64) -> bool = contract::is_supported,
        /// Which version is agreed to, by the one asked for (12.1, V.2).
        version_agreed: fn(u64) -> u64 = contract::version_agreed,
        /// Whether a digest is that of the version at hand (V.2).
        digest_matches: fn(&KnownContract, Option<&Value>) -> bool = contract::digest_matches,
        /// The release that is run, by the one of the settings (1.3).
        release_run: fn(&str) -> String = str::to_owned,
        /// Whether an accept is refused for a remote version, beside a local one (10.1): never.
        turns_away: fn(&str, &str) -> bool = |_, _| false,
        /// Whether a local and a remote platform version go together (10.1).
        versions_go_together: fn(&str, &str) -> bool = versions::go_together,
        /// Whether the major version before is served on for a peer that runs this one (10.2).
        still_serves: fn(&Transaction<'_>, &str) -> Result<bool, StoreError> = versions::still_serves,
        /// How long an end is announced before it comes, at the least (10.2).
        notice_needed: SignedDuration = versions::BREAK_NOTICE,
        /// Whether a peer went to another major version without notice (10.2).
        broke_without_notice: fn(&Transaction<'_>, &Peer, &Peer) -> Option<Suspicion> = versions::broke_without_notice,
        /// What else happens when a contract version is deprecated (V.4): nothing.
        at_deprecation: fn(&Transaction<'_>, u64) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Contract versions that are known beside those of the settings.
        also_known: fn() -> Vec<KnownContract> = Vec::new,
        /// Last word on a contract version that the operator is shown (V.1).
        override_known: fn(&mut Value) = |_| (),
        /// Last word on what this platform says of itself, in accept and heartbeat alike.
        override_introduction: fn(&mut Map<String, Value>) = |_| (),
        /// What it says of itself to this peer in particular: nothing else.
        says_to: fn(&Peer, &mut Map<String, Value>) = |_, _| (),
        /// Last word on the `data` of an accept's answer.
        override_accept_response: fn(&mut Map<String, Value>) = |_| (),
        /// Last word on the `data` of a heartbeat's answer.
        override_heartbeat_response: fn(&mut Map<String, Value>) = |_| (),
    }
}

/// Whoever does not disclose all four stays proposed, and its token stays good.
pub(crate) fn refuses_anonymous(gaps: &[&'static str]) -> bool {
    !gaps.is_empty()
}

/// Only who disclosed, and has a certificate to call with.
pub(crate) fn enrols(gaps: &[&'static str], has_certificate: bool) -> bool {
    gaps.is_empty() && has_certificate
}

/// Once, and for as long as it lives.
pub(crate) fn token_is_good(peer: &Peer, now: Timestamp) -> bool {
    peer.token_used_at.is_none() && peer.token_expires_at.is_some_and(|end| now < end)
}

/// What is kept of an acceptance token.
pub(crate) fn token_hash(token: &str) -> String {
    sha256_hex(token)
}

/// What this platform says of itself in accept and heartbeat, requests and answers alike: the
/// members `metadata`, `platform_version`, `data_residency`, `capabilities`, `extension_slugs` and,
/// where a contract was agreed on, `contract_digest`.
pub(crate) fn introduction(tx: &Transaction<'_>, peer: &Peer) -> Result<Map<String, Value>, StoreError> {
    let release = release(tx)?;
    let residency = residency(tx)?;
    let mut metadata = Map::new();
    let mut disclose = |name: &str, value: &str| metadata.insert(name.to_owned(), json!(value));
    disclose("operator_contact", &tx.settings.operator_contact);
    disclose("jurisdiction", &tx.settings.jurisdiction);
    disclose("platform_version", &release);
    disclose("last_known_good_release", &tx.settings.last_known_good_release);
    disclose("data_residency", &residency);
    if let Some(deprecations) = facts::find(tx.db, facts::DEPRECATIONS)? {
        metadata.insert("deprecations".to_owned(), deprecations);
    }

    let mut members = Map::new();
    members.insert("metadata".to_owned(), Value::Object(metadata));
    members.insert("platform_version".to_owned(), json!(release));
    members.insert("data_residency".to_owned(), json!(residency));
    members.insert("capabilities".to_owned(), capabilities::document(tx, &peer.id)?);
    if !tx.settings.extension_slugs.is_empty() {
        members.insert("extension_slugs".to_owned(), json!(tx.settings.extension_slugs));
    }
    if let Some(digest) = &peer.contract_digest {
        members.insert("contract_digest".to_owned(), json!(digest));
    }
    (tx.policy.handshake.override_introduction)(&mut members);
    (tx.policy.handshake.says_to)(peer, &mut members);
    Ok(members)
}

/// Where this platform can be reached, as `endpoints` says it.
pub(crate) fn own_endpoints(tx: &Transaction<'_>) -> Value {
    json!([{"url": tx.base_url, "scope": "wan", "priority": 10}])
}

/// The release that this platform runs.
pub(crate) fn release(tx: &Transaction<'_>) -> Result<String, StoreError> {
    Ok(facts::text(tx.db, facts::RELEASE)?
        .unwrap_or_else(|| (tx.policy.handshake.release_run)(&tx.settings.release)))
}

/// Where this platform keeps data.
pub(crate) fn residency(tx: &Transaction<'_>) -> Result<String, StoreError> {
    Ok(facts::text(tx.db, facts::RESIDENCY)?.unwrap_or_else(|| tx.settings.residency.clone()))
}
