//! `POST /accept`: the handshake. The refusals come in the observed order.

use serde_json::{Map, Value, json};

use super::{InboundError, Reply, conclude, undone_if_refused};
use crate::handshake::{contract, introduction, is_token_usable, release, token_hash, versions};
use crate::peering;
use crate::platform::anchor_label;
use crate::reply::json_body;
use crate::store::rows::{KnownContract, Peer};
use crate::store::{StoreError, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::accept::{FederationCertificate, TrustExchange};
use covenant_model::wire::notice::finding;
use covenant_model::wire::state::PeerStatus;
use covenant_net::net::Inbound;

/// Answers a handshake. The audit entry belongs to the token's peer, if there is one.
pub(super) fn answer(tx: &Transaction<'_>, call: &Inbound) -> Result<Reply, InboundError> {
    let body = match json_body(call) {
        Ok(body) => body,
        Err(InboundError::Refused(reply)) => return Ok(*reply),
        Err(other) => return Err(other),
    };
    let token = body["acceptance_token"].as_str().unwrap_or_default();
    let peer = peer_of_token(tx, token)?;
    let caller =
        peer.as_ref().map_or_else(|| format!("address {}", call.remote.ip()), |peer| peer.id.clone());
    let limit = tx.settings.rate_limit;
    let admit = || tx.counters().admit(&tx.policy.counters, &caller, tx.now, limit);
    let admitted = if tx.policy.counters.counts_handshakes { admit() } else { Ok(()) };
    let reply = match admitted {
        Ok(()) => undone_if_refused(tx, || handshake(tx, &body, peer.as_ref()))?,
        Err(too_often) => Reply::too_often(too_often.retry_after_seconds).suspecting(too_often.suspicion),
    };
    if let Some(peer) = peer.as_ref().filter(|_| reply.status >= 400) {
        (tx.policy.handshake.on_refusal)(tx, peer, &body)?;
    }
    match peer {
        Some(peer) => Ok(conclude(tx, call, "accept", &peer, reply)?),
        None => Ok(reply),
    }
}

fn handshake(tx: &Transaction<'_>, body: &Value, peer: Option<&Peer>) -> Result<Reply, InboundError> {
    if body["acceptance_token"].as_str().is_none_or(str::is_empty) {
        return Err(Reply::failure(422, "acceptance_token required").refused());
    }
    let contract = supported_contract(tx, body, peer)?;
    let usable = peer.filter(|peer| is_token_usable(peer, tx.now));
    let Some(peer) = usable else {
        return Err(Reply::failure(401, "acceptance_token not recognized or expired").refused());
    };
    if !(tx.policy.handshake.may_be_accepted)(peer) {
        return Err(transition_failed(&format!("the peer is {}", peer.status)).refused());
    }
    let digest = body.get("contract_digest");
    if !(tx.policy.handshake.digest_matches)(&contract, digest) {
        let mismatch = contract::mismatch("accept names another text", body.get("contract_version"), digest);
        return Err(transition_failed("contract_digest is of another text").suspecting([mismatch]).refused());
    }
    let metadata = peering::disclosed(body);
    let gaps = (tx.policy.handshake.find_gaps)(&metadata);
    if (tx.policy.handshake.refuses_anonymous)(tx, peer, &gaps) {
        let reply = transition_failed(&format!("identity is not disclosed: {}", gaps.join(", ")));
        return Err(reply.suspecting([undisclosed(&gaps)]).refused());
    }
    let remote = metadata.get("platform_version").and_then(Value::as_str).unwrap_or_default();
    if (tx.policy.handshake.rejects_version)(&release(tx)?, remote) {
        return Err(transition_failed("the versions do not go together").refused());
    }
    let mut peer = peer.clone();
    peering::store_introduction(&mut peer, body);
    let credentials = exchange_credentials(tx, &mut peer, body)?;
    if credentials.is_empty() && tx.policy.handshake.requires_credentials {
        return Err(transition_failed("csr_pem or peer_ca_bundle_pem is required").refused());
    }
    record_handshake(tx, &mut peer, &contract, &gaps, !credentials.is_empty())?;
    let reply = accepted_reply(tx, &peer, credentials)?;
    Ok(if gaps.is_empty() { reply } else { reply.suspecting([undisclosed(&gaps)]) })
}

/// Creates the finding about a disclosure with gaps.
pub(super) fn undisclosed(gaps: &[&'static str]) -> Suspicion {
    let message = format!("not disclosed, or malformed: {}", gaps.join(", "));
    Suspicion::soft(finding::IDENTITY_UNDISCLOSED, message, json!({ "members": gaps }))
}

fn peer_of_token(tx: &Transaction<'_>, token: &str) -> Result<Option<Peer>, StoreError> {
    let hash = token_hash(token);
    Ok(table::with_member(tx.db, Peer::TOKEN, &hash)?.into_iter().next())
}

fn supported_contract(
    tx: &Transaction<'_>,
    body: &Value,
    peer: Option<&Peer>,
) -> Result<KnownContract, InboundError> {
    let known = contract::known(tx)?;
    let given = body.get("contract_version");
    let asked = (tx.policy.handshake.read_version)(given);
    let is_supported = tx.policy.handshake.is_supported;
    if let Some(version) = asked.filter(|version| is_supported(&known, *version)) {
        let found = known.iter().find(|contract| contract.version == version);
        return Ok(found.cloned().unwrap_or_else(|| unknown_contract(version)));
    }
    let answers_unversioned = tx.policy.handshake.answers_unversioned.filter(|_| asked.is_none());
    if let Some((answer, peer)) = answers_unversioned.zip(peer) {
        return Err(answer(peer).refused());
    }
    let supported: Vec<String> = known
        .iter()
        .filter(|contract| is_supported(&known, contract.version))
        .map(|contract| contract.version.to_string())
        .collect();
    let shown = given.filter(|given| given.is_i64()).map_or_else(|| "0".to_owned(), Value::to_string);
    let text = format!("Unsupported contract_version {shown}; supported: [{}]", supported.join(", "));
    // A malformed version is an error, and no breach. A valid version that this platform does not support is
    // advertised, which is a breach.
    let advertised = asked
        .filter(|_| peer.is_some())
        .map(|_| contract::mismatch("accept advertises an unsupported contract version", given, None));
    Err(Reply::failure(422, text).suspecting(advertised).refused())
}

fn unknown_contract(version: u64) -> KnownContract {
    KnownContract { id: version.to_string(), version, digest: None, effective_at: None, deprecated_at: None }
}

fn transition_failed(reason: &str) -> Reply {
    Reply::failure(422, format!("accept transition failed: {reason}"))
}

/// Signs the caller's request, or takes its authority and assigns the name to present. Returns the members
/// for the response, or `None` if the caller sent neither.
fn exchange_credentials(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    body: &Value,
) -> Result<Map<String, Value>, InboundError> {
    let mut members = Map::new();
    let refuse = |name: &str, why: String| transition_failed(&format!("{name}: {why}")).refused();
    if let Some(request) = body["csr_pem"].as_str() {
        let days = tx.settings.certificate_days;
        let signed = tx.keys.authority.sign_request(request, &peer.inbound_subject, days);
        let certificate = signed.map_err(|error| refuse("csr_pem", error.to_string()))?;
        peer.certificate_serial = Some(certificate.serial.clone());
        peer.certificate_not_after = Some(certificate.not_after);
        let federation_certificate = FederationCertificate {
            cert_pem: certificate.pem(),
            ca_chain_pem: tx.keys.authority.pem().to_owned(),
            serial: Some(certificate.serial),
            not_after: Some(certificate.not_after.to_string()),
            ..FederationCertificate::default()
        };
        members.insert("federation_certificate".to_owned(), json!(federation_certificate));
    }
    if let Some(bundle) = body["peer_ca_bundle_pem"].as_str() {
        let added = tx.keys.trust.add(&anchor_label(&peer.id), bundle);
        added.map_err(|error| refuse("peer_ca_bundle_pem", error.to_string()))?;
        peer.anchor_pem = peer.certificate_serial.is_none().then(|| bundle.to_owned());
        peer.server_anchor_pem = Some(bundle.to_owned());
        let exchange = TrustExchange {
            ca_bundle_pem: tx.keys.authority.pem().to_owned(),
            assigned_inbound_subject: peer.inbound_subject.clone(),
            ..TrustExchange::default()
        };
        members.insert("trust_exchange".to_owned(), json!(exchange));
    }
    peer.outbound_subject = body["caller_inbound_subject"].as_str().map(ToOwned::to_owned);
    Ok(members)
}

/// Updates the peer's row after the handshake. It writes only after every decision is made.
pub(crate) fn record_handshake(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    contract: &KnownContract,
    gaps: &[&'static str],
    has_certificate: bool,
) -> Result<(), StoreError> {
    peer.token_used_at = Some(tx.now);
    peer.contract_version_agreed = Some((tx.policy.handshake.choose_version)(contract.version));
    peer.contract_digest.clone_from(&contract.digest);
    peer.acknowledged_at = Some(tx.now);
    peer.accepted_at = Some(tx.now);
    peer.handshake_at = Some(tx.now);
    peer.status = PeerStatus::Accepted;
    if (tx.policy.handshake.enrols)(gaps, has_certificate) && peer.peer_kind == "platform" {
        peering::enrol(tx, peer)?;
    }
    peering::update_compatibility(tx, peer)?;
    table::put(tx.db, peer)?;
    peering::report_event(tx, peer, "federation.peer.accepted", "low", json!({}))
}

fn accepted_reply(
    tx: &Transaction<'_>,
    peer: &Peer,
    credentials: Map<String, Value>,
) -> Result<Reply, StoreError> {
    let mut data = introduction(tx, peer)?;
    let timestamps = json!(tx.now.to_string());
    let mut insert = |name: &str, value: Value| data.insert(name.to_owned(), value);
    insert("peer_id", json!(peer.id));
    insert("status", json!(peer.status));
    insert("peer_kind", json!(peer.peer_kind));
    insert("contract_version_agreed", json!(peer.contract_version_agreed));
    insert("accepted_at", timestamps.clone());
    insert("handshake_at", timestamps);
    let mut warnings = Vec::new();
    if credentials.is_empty() {
        warnings.push("no csr_pem and no peer_ca_bundle_pem: without a certificate no one is enrolled");
    }
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    if compatibility.is_frozen() {
        warnings.push("the platform versions do not go together: sync is frozen");
    }
    if !warnings.is_empty() {
        insert("warnings", json!(warnings));
    }
    data.extend(credentials);
    (tx.policy.handshake.override_accept_response)(&mut data);
    let drift = compatibility.drift().filter(|_| (tx.policy.handshake.compares_version)(None));
    let states = drift.into_iter().chain(peering::bogus_extensions(tx, peer));
    Ok(Reply::success(&data).noting(states))
}
