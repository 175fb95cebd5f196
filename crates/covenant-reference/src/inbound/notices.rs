//! The notices that a peer sends in its heartbeat's `events` (`binding.md`).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::InboundCall;
use crate::governance;
use crate::peering;
use crate::policy::policy;
use crate::store::rows::{HeldGrant, Peer, Side};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::{finding, kind};
use covenant_model::wire::state::PeerStatus;

/// Time within which a compromise must be disclosed (9.1).
const DISCLOSURE: SignedDuration = SignedDuration::from_hours(24);

policy! {
    /// The policy for a peer's notices.
    Policy {
        /// Number of events that are read of one heartbeat (9.2, 11.1).
        events_read: usize = usize::MAX,
        /// Returns whether a revocation by the peer is honoured (11.1).
        honours_revocation: fn(&Peer) -> bool = |_| true,
        /// Controls whether the status `revoked` of a heartbeat is a revocation without an event (11.1).
        status_revokes: bool = true,
        /// Returns whether the notice of a revoked grant ends a held grant, by the id that it names (2.3).
        ends_grant: fn(&HeldGrant, &str) -> bool = ends_grant,
        /// Returns whether a disclosed compromise suspends the peer (9.2).
        suspends_compromised: fn(&Peer, &Value) -> bool = |_, _| true,
        /// Returns whether a disclosed compromise is reported to the operator (9.2).
        reports_compromise: fn(&Peer) -> bool = |_| true,
        /// Returns whether a disclosure is late, by its time after the detection (9.1).
        is_late: fn(SignedDuration) -> bool = is_late,
    }
}

/// Returns whether more than 24 hours have passed.
pub(crate) fn is_late(after_detection: SignedDuration) -> bool {
    after_detection > DISCLOSURE
}

/// Returns whether the notice names this grant.
pub(crate) fn ends_grant(held: &HeldGrant, named: &str) -> bool {
    held.grant_id == named
}

/// Returns whether the payload names an operator.
fn is_by_operator(payload: &Value) -> bool {
    ["operator", "operator_id", "issued_by"]
        .iter()
        .any(|name| payload[*name].as_str().is_some_and(|who| who != "program"))
}

/// Processes every notice, in order. Returns the suspicions that they raise.
pub(super) fn process(
    inbound: &InboundCall<'_>,
    peer: &mut Peer,
    body: &Value,
) -> Result<Vec<Suspicion>, StoreError> {
    let mut found = Vec::new();
    for event in body["events"].as_array().into_iter().flatten().take(inbound.tx.policy.notices.events_read) {
        found.extend(process_one(inbound.tx, peer, event)?);
    }
    Ok(found)
}

fn process_one(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    event: &Value,
) -> Result<Option<Suspicion>, StoreError> {
    let payload = &event["payload"];
    match event["kind"].as_str().unwrap_or_default() {
        kind::PEER_REVOKED => {
            if peer.status != PeerStatus::Revoked {
                revoked_by_peer(tx, peer, payload)?;
            }
            Ok(None)
        }
        kind::GRANT_REVOKED => grant_ends(tx, peer, payload).map(|()| None),
        kind::PEER_COMPROMISED => compromised(tx, peer, payload),
        kind::RELEASE_DEPRECATED => release_deprecated(tx, peer, payload).map(|()| None),
        kind::RESIDENCY_CHANGED => residency_changed(tx, peer, payload).map(|()| None),
        other if is_grant_issue(other, event) => grant_issued(tx, peer, payload),
        other => {
            let facts = json!({"notice": other, "facts": payload});
            peering::report_event(tx, peer, "federation.peer.notice", "low", facts)?;
            Ok(None)
        }
    }
}

/// Ends the peering at the peer's request. Its open migrations are accepted for five minutes from the stated
/// time or from now, whichever is later.
pub(super) fn revoked_by_peer(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    payload: &Value,
) -> Result<(), StoreError> {
    if !(tx.policy.notices.honours_revocation)(peer) {
        return Ok(());
    }
    let effective_at = time(payload, "effective_at").map_or(tx.now, |named| named.max(tx.now));
    // A peer whose clock runs far ahead must not extend the grace.
    let effective_at = effective_at.min(peering::compute_grace_end(tx.now));
    let grace = (tx.policy.peering.compute_grace_end)(effective_at);
    let reason = payload["reason"].as_str().map(ToOwned::to_owned);
    peering::tear_down(tx, peer, Side::Remote, reason, grace)
}

fn grant_ends(tx: &Transaction<'_>, peer: &Peer, payload: &Value) -> Result<(), StoreError> {
    let named = payload["grant_id"].as_str().unwrap_or_default();
    for mut held in table::of_peer::<HeldGrant>(tx.db, &peer.id)? {
        if (tx.policy.notices.ends_grant)(&held, named) && held.revoked_at.is_none() {
            held.revoked_at = Some(tx.now);
            table::put(tx.db, &held)?;
        }
    }
    let facts = json!({"grant_id": named, "reason": payload["reason"]});
    peering::report_event(tx, peer, "federation.grant.revoked_by_peer", "medium", facts)
}

/// Suspends a peer that disclosed a compromise at once, pending the operator's review (9.2).
fn compromised(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    payload: &Value,
) -> Result<Option<Suspicion>, StoreError> {
    if (tx.policy.notices.reports_compromise)(peer) {
        let facts = json!({"facts": payload});
        peering::report_event(tx, peer, "federation.peer.compromised", "critical", facts)?;
    }
    if (tx.policy.notices.suspends_compromised)(peer, payload) {
        governance::suspend(tx, peer, "the peer disclosed a compromise")?;
    }
    let Some(detected_at) = time(payload, "detected_at") else {
        return Ok(None);
    };
    let after = tx.now.duration_since(detected_at);
    let late = (tx.policy.notices.is_late)(after);
    let facts = json!({"detected_at": payload["detected_at"], "received_at": tx.now.to_string()});
    Ok(late.then(|| Suspicion::soft(finding::DISCLOSURE_LATE, "a compromise was disclosed late", facts)))
}

fn release_deprecated(tx: &Transaction<'_>, peer: &mut Peer, payload: &Value) -> Result<(), StoreError> {
    let mut notice = payload.clone();
    if !notice.is_object() {
        return Ok(());
    }
    notice["received_at"] = json!(tx.now.to_string());
    let kept = peer.metadata.entry("deprecations_received").or_insert_with(|| json!([]));
    if let Some(kept) = kept.as_array_mut() {
        kept.push(notice);
    }
    table::put(tx.db, peer)?;
    peering::report_event(tx, peer, "federation.release.deprecated", "medium", json!({"facts": payload}))
}

/// Stores an announced residency and reports it to the operator. The crossing check itself runs when the
/// residency member changes.
fn residency_changed(tx: &Transaction<'_>, peer: &mut Peer, payload: &Value) -> Result<(), StoreError> {
    if let Some(to) = payload["to"].as_str() {
        peer.data_residency = Some(to.to_owned());
        table::put(tx.db, peer)?;
    }
    let facts = json!({"from": payload["from"], "to": payload["to"]});
    peering::report_event(tx, peer, "federation.peer.residency_announced", "medium", facts.clone())?;
    if peering::has_migrated(tx, &peer.id)? {
        peering::report_event(tx, peer, "migration.cross_residency_boundary", "high", facts)?;
    }
    Ok(())
}

fn is_grant_issue(kind: &str, event: &Value) -> bool {
    let action = event["payload"]["action"].as_str().unwrap_or_default();
    [kind, action]
        .iter()
        .any(|word| word.contains("grant") && ["issue", "create"].iter().any(|method| word.contains(method)))
}

/// Stores a grant that the peer issued if its token is included, and counts it (6.2).
fn grant_issued(tx: &Transaction<'_>, peer: &Peer, payload: &Value) -> Result<Option<Suspicion>, StoreError> {
    let text = |name: &str| payload[name].as_str().map(ToOwned::to_owned);
    let scopes: Vec<String> = payload["permission_scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|scope| scope.as_str().map(ToOwned::to_owned))
        .collect();
    let wide = payload["resource_id"].is_null()
        && scopes.iter().any(|scope| ["write", "admin", "migrate"].contains(&scope.as_str()));
    if let (Some(grant_id), Some(bearer_token), Some(resource_kind)) =
        (text("grant_id"), text("bearer_token"), text("resource_kind"))
    {
        let held = HeldGrant {
            id: tx.new_id(),
            peer_id: peer.id.clone(),
            grant_id,
            bearer_token,
            resource_kind,
            resource_id: text("resource_id"),
            permission_scopes: scopes,
            expires_at: time(payload, "expires_at"),
            held_since: tx.now,
            revoked_at: None,
        };
        table::put(tx.db, &held)?;
    }
    if is_by_operator(payload) {
        return Ok(None);
    }
    Ok(tx.counters().granted(&tx.policy.counters, &peer.id, wide, tx.now))
}

fn time(payload: &Value, name: &str) -> Option<Timestamp> {
    payload[name].as_str()?.parse().ok()
}
