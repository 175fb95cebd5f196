//! A peering over its life: what a peer says of itself is kept, it is enrolled, it ends.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::governance::Suspicion;
use super::handshake::versions;
use super::history;
use super::policy::policy;
use super::store::rows::{Grant, HeldGrant, Migration, OverlayAddress, Peer, Side};
use super::store::{StoreError, table};
use super::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// How long what was open at a revocation is still taken (4.3).
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(5);

policy! {
    /// Decisions about how a peering ends.
    Policy {
        /// What else happens when a peer is enrolled (6.2): nothing.
        at_enrolment: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// What else happens when an operator issues a grant (6.2): nothing.
        at_grant: fn(&Transaction<'_>, &Grant) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Whether a revocation is announced before it is in force (2.3, 4.1).
        announces_first: bool = true,
        /// Whether a peer that operator were shaken with is told of its revocation (4.1): always.
        is_told: fn(&Peer) -> bool = |_| true,
        /// Whether the operator may revoke a peer in this state (11.1).
        may_be_revoked: fn(&Peer) -> bool = |_| true,
        /// Until when what was open is still taken, by the moment of the revocation.
        grace_until: fn(Timestamp) -> Timestamp = grace_until,
        /// Which records go when a peer is revoked (11.2): none.
        records_deleted_on_revocation: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// What is deleted of the audit when a peer is revoked (11.3): nothing.
        audit_deleted_on_revocation: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// What goes when a grant that ended is archived (11.2): nothing.
        at_archive: fn(&Transaction<'_>, &Grant) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Whether an overlay address of a peer, by its place, is unmounted (11.4).
        unmounts: fn(&Peer, usize) -> bool = |_, _| true,
        /// Whether an unmounted address stays on the operator's list, as one that is revoked.
        lists_unmounted: bool = false,
        /// Whether the certificate of a peer, as it was until then, is revoked (11.5).
        revokes_certificate: fn(&Peer) -> bool = |_| true,
        /// Last word on a row after a heartbeat, beside what it was before (10.1).
        override_introduced: fn(&Peer, &mut Peer) = |_, _| (),
        /// Last word on a row that has been revoked (A.2).
        override_revoked: fn(&mut Peer) = |_| (),
        /// Whether a migration is one of those whose data a move of the residency bears on (8.2).
        bears_on: fn(&Migration) -> bool = |migration| migration.status == "completed",
        /// Whether a move of the residency is reported, by whether records were migrated (8.2).
        residency_move_is_reported: fn(bool) -> bool = |migrated| migrated,
    }
}

/// Five minutes.
pub(crate) fn grace_until(effective_at: Timestamp) -> Timestamp {
    effective_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX)
}

/// Up to, and not at, its end.
pub(crate) fn grace_lasts(peer: &Peer, now: Timestamp) -> bool {
    peer.grace_until.is_some_and(|end| now < end)
}

/// The disclosure in a body: its `metadata`, and the version that may stand beside it.
pub(crate) fn disclosed(body: &Value) -> Map<String, Value> {
    let mut metadata = body["metadata"].as_object().cloned().unwrap_or_default();
    for name in ["platform_version", "data_residency"] {
        if let Some(beside) = body.get(name).filter(|value| !value.is_null()) {
            metadata.entry(name).or_insert_with(|| beside.clone());
        }
    }
    metadata
}

/// Keeps what a peer says of itself in accept or heartbeat, or in the answer to one: the disclosure
/// member by member, the rest in place of what was kept.
pub(crate) fn take_introduction(peer: &mut Peer, body: &Value) {
    let metadata = disclosed(body);
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    if metadata.contains_key("platform_version") {
        peer.platform_version = text("platform_version").or_else(|| Some(String::new()));
    }
    if metadata.contains_key("data_residency") {
        peer.data_residency = text("data_residency");
    }
    peer.metadata.extend(metadata);
    let replace = |kept: &mut Value, name: &str| {
        if let Some(given) = body.get(name) {
            *kept = given.clone();
        }
    };
    replace(&mut peer.capabilities, "capabilities");
    replace(&mut peer.endpoints, "endpoints");
    replace(&mut peer.extension_slugs, "extension_slugs");
    replace(&mut peer.sync_cursor, "sync_cursor");
}

/// Checks the peer's version again and keeps the outcome.
pub(crate) fn settle_compatibility(tx: &Transaction<'_>, peer: &mut Peer) -> Result<(), StoreError> {
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    peer.schema_compatibility = compatibility.to_value();
    Ok(())
}

/// Extensions with no capabilities behind them (3.4).
pub(crate) fn bogus_extensions(peer: &Peer) -> Option<Suspicion> {
    let slugs = peer.extension_slugs.as_array().filter(|slugs| !slugs.is_empty())?;
    let kinds = peer.capabilities["resource_kinds"].as_array();
    let empty = match &peer.capabilities {
        Value::Null => true,
        Value::Object(members) => members.is_empty() || kinds.is_some_and(Vec::is_empty),
        _ => false,
    };
    empty.then(|| {
        let payload = json!({ "extension_slugs": slugs });
        Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], "extensions with no capabilities", payload)
    })
}

/// Enrols an accepted peer: it may call from now on, at addresses of its own on the overlay.
pub(crate) fn enrol(tx: &Transaction<'_>, peer: &mut Peer) -> Result<(), StoreError> {
    peer.status = PeerStatus::Enrolled;
    peer.enrolled_at = Some(tx.now);
    for host in 1..=2 {
        let [a, b] = tx.ids.bytes::<2>();
        let address = OverlayAddress {
            id: tx.new_id(),
            peer_id: peer.id.clone(),
            address: format!("fd00:{a:02x}{b:02x}::{host}"),
            mounted_at: tx.now,
            unmounted_at: None,
        };
        table::put(tx.db, &address)?;
    }
    (tx.policy.peering.at_enrolment)(tx, peer)
}

/// Ends a peering, whoever ends it: nothing of it is honoured from now on but what was open, for as
/// long as the grace lasts. Records and audit stay (11).
pub(crate) fn tear_down(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    by: Side,
    reason: Option<String>,
    grace_until: Timestamp,
) -> Result<(), StoreError> {
    let revokes_certificate = (tx.policy.peering.revokes_certificate)(peer);
    peer.status = PeerStatus::Revoked;
    peer.revoked_at = Some(tx.now);
    peer.revoked_by = Some(by);
    peer.revoke_reason = reason;
    peer.grace_until = Some(grace_until);
    peer.leaving = None;
    if revokes_certificate {
        peer.certificate_revoked_at = Some(tx.now);
    }
    (tx.policy.peering.override_revoked)(peer);
    table::put(tx.db, peer)?;
    unmount(tx, peer)?;
    end_grants(tx, &peer.id)?;
    (tx.policy.peering.records_deleted_on_revocation)(tx, peer)?;
    (tx.policy.peering.audit_deleted_on_revocation)(tx, peer)?;
    let facts = json!({"by": by, "reason": peer.revoke_reason, "grace_until": grace_until.to_string()});
    tell_operator(tx, peer, "federation.peer.revoked", "high", facts)
}

/// Whether something was ever migrated between this platform and a peer that a move of its residency
/// bears on.
pub(crate) fn has_migrated(tx: &Transaction<'_>, peer_id: &str) -> Result<bool, StoreError> {
    let migrations: Vec<Migration> = table::of_peer(tx.db, peer_id)?;
    Ok(migrations.iter().any(tx.policy.peering.bears_on))
}

/// An event about a peer; `facts` are its payload beside the peer's id and state.
pub(crate) fn tell_operator(
    tx: &Transaction<'_>,
    peer: &Peer,
    kind: &str,
    severity: &str,
    mut facts: Value,
) -> Result<(), StoreError> {
    facts["federation_peer_id"] = json!(peer.id);
    facts["status"] = json!(peer.status);
    history::event(tx, kind, severity, Some(&peer.id), facts)
}

fn unmount(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    let addresses: Vec<OverlayAddress> = table::of_peer(tx.db, &peer.id)?;
    let unmounts = |place: usize| (tx.policy.peering.unmounts)(peer, place);
    for (_, mut address) in addresses.into_iter().enumerate().filter(|(place, _)| unmounts(*place)) {
        if tx.policy.peering.lists_unmounted {
            address.unmounted_at = Some(tx.now);
            table::put(tx.db, &address)?;
        } else {
            table::remove::<OverlayAddress>(tx.db, &address.id)?;
        }
    }
    Ok(())
}

fn end_grants(tx: &Transaction<'_>, peer_id: &str) -> Result<(), StoreError> {
    for mut grant in table::of_peer::<Grant>(tx.db, peer_id)? {
        if grant.revoked_at.is_none() {
            grant.revoked_at = Some(tx.now);
            grant.revoked_with_peer = true;
            grant.revoke_reason = Some("the peering ended".to_owned());
            table::put(tx.db, &grant)?;
        }
    }
    for mut held in table::of_peer::<HeldGrant>(tx.db, peer_id)? {
        if held.revoked_at.is_none() {
            held.revoked_at = Some(tx.now);
            table::put(tx.db, &held)?;
        }
    }
    Ok(())
}
