//! `POST /heartbeat`: a peer's introduction, its view of the peering, and its notices.

use serde_json::{Value, json};

use super::accept::undisclosed;
use super::{InboundCall, InboundError, Reply, notices};
use crate::governance::scan::residency;
use crate::handshake::{contract, introduction, own_endpoints, versions};
use crate::peering;
use crate::store::StoreError;
use crate::store::rows::Peer;
use crate::store::table;
use crate::suspicion::Suspicion;
use covenant_model::wire::notice::{finding, kind};
use covenant_model::wire::state::PeerStatus;

/// Maximum length of a version and of a residency, in characters.
const SHORT_TEXT_MAX: usize = 64;
/// Maximum number of notices in one heartbeat.
const EVENTS_MAX: usize = 1000;

/// Returns whether a suspended peer revokes the peering. Only that is honoured of a suspended peer (11.1).
pub(super) fn is_revocation_by_suspended(inbound: &InboundCall<'_>) -> bool {
    inbound.peer.status == PeerStatus::Suspended && inbound.json().is_ok_and(|body| says_revoked(&body))
}

/// Returns whether an accepted peer sends its first heartbeat to a platform that enrols at the heartbeat.
pub(super) fn is_first_of_accepted(inbound: &InboundCall<'_>) -> bool {
    inbound.peer.status == PeerStatus::Accepted && inbound.tx.policy.handshake.enrols_at_heartbeat.is_some()
}

/// Answers a heartbeat.
pub(super) fn answer(inbound: &InboundCall<'_>) -> Result<Reply, InboundError> {
    let tx = inbound.tx;
    let limit = tx.settings.rate_limit;
    let admit = || tx.counters().admit(&tx.policy.counters, &inbound.peer.id, tx.now, limit);
    let admitted = if (tx.policy.counters.counts_heartbeat)(inbound.call) { admit() } else { Ok(()) };
    if let Err(too_often) = admitted {
        let reply = Reply::too_often(too_often.retry_after_seconds).suspecting(too_often.suspicion);
        return Err(reply.refused());
    }
    let body = well_formed(inbound)?;
    let before = &inbound.peer;
    let mut peer = before.clone();
    peering::store_introduction(&mut peer, &body);
    (tx.policy.peering.override_updated)(before, &mut peer);
    peer.last_heartbeat_at = Some(tx.now);
    peer.refusing_since = None;
    let enrols = tx.policy.handshake.enrols_at_heartbeat.filter(|_| peer.status == PeerStatus::Accepted);
    if enrols.is_some_and(|enrols| enrols(&peer.metadata)) {
        peering::enrol(tx, &mut peer)?;
    }
    if matches!(peer.status, PeerStatus::Enrolled | PeerStatus::Degraded) {
        peer.status = PeerStatus::Active;
    }
    peering::update_compatibility(tx, &mut peer)?;
    table::put(tx.db, &peer)?;

    let mut suspicions = check(inbound, &peer, &body)?;
    (tx.policy.handshake.on_claims)(tx, &mut peer, &body)?;
    suspicions.extend(notices::process(inbound, &mut peer, &body)?);
    let says_so = tx.policy.notices.status_revokes && body["status"] == "revoked";
    if says_so && peer.status != PeerStatus::Revoked {
        notices::revoked_by_peer(tx, &mut peer, &Value::Null)?;
    }
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    let drift = compatibility.drift().filter(|_| (tx.policy.handshake.compares_version)(Some(&body)));
    let states = drift.into_iter().chain(residency(tx, &peer)).collect::<Vec<_>>();

    if compatibility.is_frozen() && tx.policy.handshake.refuses_incompatible_heartbeats {
        let reply = Reply::failure(422, "the platform versions do not go together");
        return Ok(reply.suspecting(suspicions).noting(states));
    }
    let mut data = introduction(tx, &peer)?;
    data.insert("status".to_owned(), json!(peer.status));
    data.insert("last_heartbeat_at".to_owned(), json!(tx.now.to_string()));
    data.insert("our_endpoints".to_owned(), own_endpoints(tx));
    data.insert("schema_compatibility".to_owned(), compatibility.to_value());
    (tx.policy.handshake.override_heartbeat_response)(&mut data);
    Ok(Reply::success(&data).suspecting(suspicions).noting(states))
}

/// Checks the current members of a heartbeat against the contract. It also checks the response to a heartbeat
/// of this platform.
pub(crate) fn check_claims(
    tx: &crate::transaction::Transaction<'_>,
    before: &Peer,
    peer: &Peer,
    body: &Value,
) -> Result<Vec<Suspicion>, StoreError> {
    let mut found = Vec::new();
    let version = body.get("contract_version").filter(|value| !value.is_null());
    let digest = body.get("contract_digest");
    found.extend(contract::check(tx, peer, version, digest)?);
    found.extend(peering::bogus_extensions(tx, peer));
    found.extend(residency_moved(tx, before, peer, body)?);
    found.extend((tx.policy.handshake.find_unannounced_break)(tx, before, peer));
    Ok(found)
}

fn check(inbound: &InboundCall<'_>, peer: &Peer, body: &Value) -> Result<Vec<Suspicion>, StoreError> {
    let mut found = check_claims(inbound.tx, &inbound.peer, peer, body)?;
    // The disclosure at accept does not cover a heartbeat without one (1.1).
    let gaps = (inbound.tx.policy.handshake.find_gaps)(&peering::disclosed(body));
    if !gaps.is_empty() {
        found.push(undisclosed(&gaps));
    }
    Ok(found)
}

/// Returns a suspicion if the residency changed after records were migrated and this heartbeat has no notice
/// of it (8.2).
fn residency_moved(
    tx: &crate::transaction::Transaction<'_>,
    before: &Peer,
    peer: &Peer,
    body: &Value,
) -> Result<Option<Suspicion>, StoreError> {
    let (Some(from), Some(to)) = (&before.data_residency, &peer.data_residency) else {
        return Ok(None);
    };
    if from.eq_ignore_ascii_case(to) {
        return Ok(None);
    }
    let facts = json!({"from": from, "to": to});
    peering::report_event(tx, peer, "federation.peer.residency_changed", "medium", facts.clone())?;
    let migrated = peering::has_migrated(tx, &peer.id)?;
    if migrated {
        peering::report_event(tx, peer, "migration.cross_residency_boundary", "high", facts.clone())?;
    }
    let reported = (tx.policy.peering.reports_residency_change)(tx, peer, body, migrated)?;
    let message = "the residency moved after records were migrated";
    Ok(reported.then(|| Suspicion::soft(finding::RESIDENCY_MOVED, message, facts)))
}

/// Returns the body if every member has a valid type. Otherwise returns a 400 or 422 that names the member.
fn well_formed(inbound: &InboundCall<'_>) -> Result<Value, InboundError> {
    let body = inbound.json()?;
    let refuse = |text: &str| Err(Reply::failure(422, text).refused());
    if !body.is_object() {
        return Err(Reply::bare_failure(400, "Invalid payload: not an object").refused());
    }
    for name in ["platform_version", "data_residency"] {
        if body[name].as_str().is_some_and(|text| text.chars().count() > SHORT_TEXT_MAX) {
            return refuse(&format!("{name} is longer than {SHORT_TEXT_MAX} characters"));
        }
    }
    match &body["events"] {
        Value::Null => {}
        Value::Array(events) if events.len() <= EVENTS_MAX => {}
        _ => return refuse("events is no list, or a longer one than 1000"),
    }
    Ok(body)
}

fn says_revoked(body: &Value) -> bool {
    let events = body["events"].as_array();
    let announced =
        events.is_some_and(|events| events.iter().any(|event| event["kind"] == kind::PEER_REVOKED));
    body["status"] == "revoked" || announced
}
