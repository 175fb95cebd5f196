//! The phases of a peering: a peer's introduction is stored, the peer is enrolled, the peering ends.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::handshake::versions;
use super::history;
use super::policy::policy;
use super::store::rows::{Grant, HeldGrant, Migration, OverlayAddress, Peer, Side};
use super::store::{StoreError, table};
use super::suspicion::Suspicion;
use super::transaction::Transaction;
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;

/// Time for which an open migration is still accepted after a revocation (4.3).
pub(crate) const GRACE: SignedDuration = SignedDuration::from_mins(5);

policy! {
    /// The policy for the end of a peering.
    Policy {
        /// Runs when a peer is enrolled (6.2). The default does nothing.
        on_enrolment: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs when an operator proposes a peering, with the new row (2.1). The default does nothing.
        on_proposal: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs when an operator issues a grant (6.2). The default does nothing.
        on_grant: fn(&Transaction<'_>, &Grant) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs when the revocation of a grant is in force (2.2). The default does nothing.
        on_grant_end: fn(&Transaction<'_>, &Grant) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs when an operator sets another release, with the one before and the new one (2.1). The default does nothing.
        on_release: fn(&Transaction<'_>, &str, &str) -> Result<(), StoreError> = |_, _, _| Ok(()),
        /// Returns the grants that end together with a peering, by the id of its peer: those of that peer (2.1).
        grants_of_ended: fn(&Transaction<'_>, &str) -> Result<Vec<Grant>, StoreError> =
            |tx, peer_id| table::of_peer(tx.db, peer_id),
        /// Runs when an operator resumes a peer (2.2). The default does nothing.
        on_resume: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs at each start, before any call is served (2.1). The default does nothing.
        on_start: fn(&Transaction<'_>) -> Result<(), StoreError> = |_| Ok(()),
        /// Controls whether a revocation is announced before it is in force (2.3, 4.1).
        announces_first: bool = true,
        /// Returns whether a peer that completed the handshake receives a notice of its revocation (4.1). The
        /// default is always.
        announces_to: fn(&Peer) -> bool = |_| true,
        /// Returns whether the operator may revoke a peer in this state (11.1).
        may_be_revoked: fn(&Peer) -> bool = |_| true,
        /// Returns whether a suspension by the operator takes effect (9.2).
        operator_suspends: fn(&Peer) -> bool = |_| true,
        /// Returns the time until which open migrations are still accepted, by the time of the revocation.
        compute_grace_end: fn(Timestamp) -> Timestamp = compute_grace_end,
        /// Deletes records when a peer is revoked (11.2). The default deletes none.
        delete_records: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Deletes audit entries when a peer is revoked (11.3). The default deletes none.
        delete_audit: fn(&Transaction<'_>, &Peer) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Runs when a grant that ended is archived (11.2). The default does nothing.
        on_archival: fn(&Transaction<'_>, &Grant) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Returns whether an overlay address of a peer, by its index, is unmounted (11.4).
        unmounts: fn(&Peer, usize) -> bool = |_, _| true,
        /// Controls whether an unmounted address stays on the operator's list, as a revoked one.
        lists_unmounted: bool = false,
        /// Returns whether a peer's certificate is revoked, by the peer's row before the revocation (11.5).
        revokes_certificate: fn(&Peer) -> bool = |_| true,
        /// Policy hook on a row after a heartbeat, with the row before it (10.1).
        override_updated: fn(&Peer, &mut Peer) = |_, _| (),
        /// Policy hook on a row that has been revoked (A.2).
        override_revoked: fn(&mut Peer) = |_| (),
        /// Returns whether a move of the residency concerns a migration's data (8.2).
        concerns_migration: fn(&Migration) -> bool = |migration| migration.status == "completed",
        /// Returns whether a move of a peer's residency is reported, by the body that states it and by whether records were
        /// migrated (8.2).
        reports_residency_change: fn(&Transaction<'_>, &Peer, &Value, bool) -> Result<bool, StoreError> =
            |_, _, _, migrated| Ok(migrated),
    }
}

/// Returns the time five minutes later.
pub(crate) fn compute_grace_end(effective_at: Timestamp) -> Timestamp {
    effective_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX)
}

/// Returns whether the grace lasts. Its end is exclusive.
pub(crate) fn grace_lasts(peer: &Peer, now: Timestamp) -> bool {
    peer.grace_until.is_some_and(|end| now < end)
}

/// Returns the disclosure in a body: its `metadata`, and the version that may be beside it.
pub(crate) fn disclosed(body: &Value) -> Map<String, Value> {
    let mut metadata = body["metadata"].as_object().cloned().unwrap_or_default();
    for name in ["platform_version", "data_residency"] {
        if let Some(beside) = body.get(name).filter(|value| !value.is_null()) {
            metadata.entry(name).or_insert_with(|| beside.clone());
        }
    }
    metadata
}

/// Stores a peer's introduction from accept, from a heartbeat, or from the response to one. The disclosure is
/// merged member by member; all else is replaced.
pub(crate) fn store_introduction(peer: &mut Peer, body: &Value) {
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

/// Checks the peer's version again and stores the outcome.
pub(crate) fn update_compatibility(tx: &Transaction<'_>, peer: &mut Peer) -> Result<(), StoreError> {
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    peer.schema_compatibility = compatibility.to_value();
    Ok(())
}

/// Returns a suspicion if the peer lists extensions with no capabilities behind them (3.4).
pub(crate) fn bogus_extensions(tx: &Transaction<'_>, peer: &Peer) -> Option<Suspicion> {
    let slugs = peer.extension_slugs.as_array().filter(|slugs| !slugs.is_empty())?;
    (tx.policy.capabilities.claims_nothing)(&peer.capabilities).then(|| {
        let payload = json!({ "extension_slugs": slugs });
        Suspicion::breach(finding::CAPABILITY_DRIFT, &[3], "extensions with no capabilities", payload)
    })
}

/// Enrols an accepted peer. From now on it may call, and it has overlay addresses of its own.
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
    (tx.policy.peering.on_enrolment)(tx, peer)
}

/// Ends a peering, whichever side ends it. From now on nothing is honoured except open migrations while the
/// grace lasts. Records and audit stay (11).
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
    peer.pending_revocation = None;
    if revokes_certificate {
        peer.certificate_revoked_at = Some(tx.now);
    }
    (tx.policy.peering.override_revoked)(peer);
    table::put(tx.db, peer)?;
    unmount(tx, peer)?;
    end_grants(tx, &peer.id)?;
    (tx.policy.peering.delete_records)(tx, peer)?;
    (tx.policy.peering.delete_audit)(tx, peer)?;
    let facts = json!({"by": by, "reason": peer.revoke_reason, "grace_until": grace_until.to_string()});
    report_event(tx, peer, "federation.peer.revoked", "high", facts)
}

/// Returns whether any migration between this platform and a peer is concerned by a move of the peer's
/// residency.
pub(crate) fn has_migrated(tx: &Transaction<'_>, peer_id: &str) -> Result<bool, StoreError> {
    let migrations: Vec<Migration> = table::of_peer(tx.db, peer_id)?;
    Ok(migrations.iter().any(tx.policy.peering.concerns_migration))
}

/// Writes an event about a peer. `facts` are its payload beside the peer's id and state.
pub(crate) fn report_event(
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
    for mut grant in (tx.policy.peering.grants_of_ended)(tx, peer_id)? {
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
