//! The handshake: the identity of a peer, the contract and platform versions of both sides, and this
//! platform's introduction.

pub(crate) mod contract;
pub(crate) mod disclosure;
pub(crate) mod versions;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::capabilities;
use super::options::FIRST_DIGEST;
use super::policy::policy;
use super::reply::Reply;
use super::store::rows::{KnownContract, Peer};
use super::store::{StoreError, facts};
use super::suspicion::Suspicion;
use super::transaction::Transaction;
use covenant_model::wire::canonical::sha256_hex;
use covenant_model::wire::state::PeerStatus;

policy! {
    /// The policy of the handshake, the disclosure and the versions.
    Policy {
        /// Returns which of the four disclosure members are missing or malformed (1.5).
        find_gaps: fn(&Map<String, Value>) -> Vec<&'static str> = disclosure::find_gaps,
        /// Returns whether an accept of this peer with these gaps is refused (1.5).
        refuses_anonymous: fn(&Transaction<'_>, &Peer, &[&'static str]) -> bool = refuses_anonymous,
        /// Returns whether a peer with these gaps, with or without a certificate, is enrolled at accept.
        enrols: fn(&[&'static str], bool) -> bool = enrols,
        /// Returns whether a heartbeat with these members enrols an accepted peer. `None` if an accepted peer
        /// may not send a heartbeat (`binding.md`, reading 9).
        enrols_at_heartbeat: Option<fn(&Map<String, Value>) -> bool> = None,
        /// Controls whether an accept without credentials is refused (`binding.md`, reading 5).
        requires_credentials: bool = false,
        /// Runs when an accept is refused. The default does nothing.
        on_refusal: fn(&Transaction<'_>, &Peer, &Value) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Returns whether a proposal in this state may still be accepted (11.1).
        may_be_accepted: fn(&Peer) -> bool = |peer| peer.status == PeerStatus::Proposed,
        /// Returns the requested contract version, if there is one (A.1).
        read_version: fn(Option<&Value>) -> Option<u64> = contract::read_version,
        /// Answers an accept that names no version. `None` refuses it (`binding.md`, reading 74).
        answers_unversioned: Option<fn(&Peer) -> Reply> = None,
        /// Returns whether new peerings may adopt this version (V.4, 12.1).
        is_supported: fn(&[KnownContract], u64) -> bool = contract::is_supported,
        /// SHA-256 of the text of version 1 that the platform keeps, where its settings name none (V.1).
        own_text: &'static str = FIRST_DIGEST,
        /// Returns the agreed version for a requested one (12.1, V.2).
        choose_version: fn(u64) -> u64 = contract::choose_version,
        /// Controls whether the contract digest of a heartbeat is compared with that of the agreed version (12.1).
        compares_claimed_digest: bool = true,
        /// Returns whether a digest is that of the given version (V.2).
        digest_matches: fn(&KnownContract, Option<&Value>) -> bool = contract::digest_matches,
        /// Returns the running release for the one in the settings (1.3).
        choose_release: fn(&str) -> String = str::to_owned,
        /// Returns whether an accept is refused for its remote version, given the local one (10.1). The
        /// default never refuses.
        rejects_version: fn(&str, &str) -> bool = |_, _| false,
        /// Returns whether a local and a remote platform version are compatible (10.1).
        are_compatible: fn(&str, &str) -> bool = versions::are_compatible,
        /// Returns whether a peer's version is compared with the platform's, by the heartbeat; `None` in an accept
        /// and in a scan (10.1).
        compares_version: fn(Option<&Value>) -> bool = |_| true,
        /// Controls whether the heartbeat of a peer of an incompatible version is refused; what it announces is taken.
        refuses_incompatible_heartbeats: bool = false,
        /// Runs after a heartbeat's claims were checked (V.2). The default does nothing.
        on_claims: fn(&Transaction<'_>, &mut Peer, &Value) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Returns whether a peer that runs the previous major version is still served (10.2).
        serves_previous_major: fn(&Transaction<'_>, &str) -> Result<bool, StoreError> = versions::serves_previous_major,
        /// Minimum notice before support ends (10.2).
        required_notice: SignedDuration = versions::BREAK_NOTICE,
        /// Returns a suspicion if a peer changed its major version without notice (10.2).
        find_unannounced_break: fn(&Transaction<'_>, &Peer, &Peer) -> Option<Suspicion> = versions::find_unannounced_break,
        /// Runs when a contract version is deprecated (V.4). The default does nothing.
        on_deprecation: fn(&Transaction<'_>, u64) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Returns contract versions that are known in addition to those of the settings.
        list_extra_versions: fn() -> Vec<KnownContract> = Vec::new,
        /// Policy hook on a contract version that the operator reads (V.1).
        override_version: fn(&mut Value) = |_| (),
        /// Policy hook on this platform's introduction, in accept and heartbeat alike.
        override_introduction: fn(&mut Map<String, Value>) = |_| (),
        /// Adds members to the introduction for this peer. The default adds nothing.
        extend_introduction: fn(&Transaction<'_>, &Peer, &mut Map<String, Value>) = |_, _, _| (),
        /// Policy hook on the `data` of a response to accept.
        override_accept_response: fn(&mut Map<String, Value>) = |_| (),
        /// Policy hook on the `data` of a response to a heartbeat.
        override_heartbeat_response: fn(&mut Map<String, Value>) = |_| (),
    }
}

/// Returns whether the disclosure has gaps. Such a peer stays proposed, and its token stays valid.
pub(crate) fn refuses_anonymous(_: &Transaction<'_>, _: &Peer, gaps: &[&'static str]) -> bool {
    !gaps.is_empty()
}

/// Returns whether the peer disclosed all four members and has a certificate to call with.
pub(crate) fn enrols(gaps: &[&'static str], has_certificate: bool) -> bool {
    gaps.is_empty() && has_certificate
}

/// Returns whether the token is unused and has not expired.
pub(crate) fn is_token_usable(peer: &Peer, now: Timestamp) -> bool {
    peer.token_used_at.is_none() && peer.token_expires_at.is_some_and(|end| now < end)
}

/// Returns the hash that is stored of an acceptance token.
pub(crate) fn token_hash(token: &str) -> String {
    sha256_hex(token)
}

/// Returns this platform's introduction in accept and heartbeat, requests and responses alike: the members
/// `metadata`, `platform_version`, `data_residency`, `capabilities`, `extension_slugs` and, if a contract is
/// agreed on, `contract_digest`.
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
    (tx.policy.handshake.extend_introduction)(tx, peer, &mut members);
    Ok(members)
}

/// Returns the addresses of this platform, in the form of `endpoints`.
pub(crate) fn own_endpoints(tx: &Transaction<'_>) -> Value {
    json!([{"url": tx.base_url, "scope": "wan", "priority": 10}])
}

/// Returns the release that this platform runs.
pub(crate) fn release(tx: &Transaction<'_>) -> Result<String, StoreError> {
    Ok(facts::text(tx.db, facts::RELEASE)?
        .unwrap_or_else(|| (tx.policy.handshake.choose_release)(&tx.settings.release)))
}

/// Returns the place where this platform keeps data.
pub(crate) fn residency(tx: &Transaction<'_>) -> Result<String, StoreError> {
    Ok(facts::text(tx.db, facts::RESIDENCY)?.unwrap_or_else(|| tx.settings.residency.clone()))
}
