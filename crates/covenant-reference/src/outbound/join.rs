//! Joining: this platform accepts a peer's proposal with a call of the peer's accept route.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::outbound_call::{Called, call, forget};
use crate::governance;
use crate::handshake::{contract, introduction, own_endpoints, release};
use crate::inbound::record_handshake;
use crate::method_error::MethodError;
use crate::peering;
use crate::platform::{Platform, anchor_label};
use crate::store::rows::{KnownContract, Peer, Side};
use crate::store::table;
use crate::transaction::Transaction;
use covenant_model::operator::{INTERNAL, OTHER_CONTRACT, PEER_ANSWERED_WRONG};
use covenant_model::wire::accept::AcceptResponse;
use covenant_model::wire::path::Route;
use covenant_net::pki::SigningRequest;

/// The requested contract and the agreed one.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) asked: u64,
    pub(crate) asked_digest: Option<String>,
    pub(crate) agreed: Value,
    pub(crate) agreed_digest: Value,
}

impl Agreement {
    /// Returns whether the number and, if a digest is present, the text are the same (V.2).
    pub(crate) fn is_same(&self) -> bool {
        let digest = match (&self.agreed_digest, &self.asked_digest) {
            (Value::String(agreed), Some(asked)) => agreed.eq_ignore_ascii_case(asked),
            _ => true,
        };
        self.agreed.as_u64() == Some(self.asked) && digest
    }
}

/// Accepts a peer's proposal. Returns the id of the peer's row.
pub(crate) async fn join(
    platform: &Arc<Platform>,
    base_url: String,
    token: &str,
    ca_bundle_pem: Option<String>,
) -> Result<String, MethodError> {
    let request = SigningRequest::new("reference platform")
        .map_err(|error| MethodError::new(INTERNAL, error.to_string()))?;
    let (peer, contract, body) = platform.transaction::<_, MethodError>(|tx| {
        let mut peer = Peer::proposed(tx.new_id(), Side::Remote, base_url, tx.now);
        peer.server_anchor_pem = ca_bundle_pem;
        table::put(tx.db, &peer)?;
        let contract = newest(tx)?;
        let mut body = introduction(tx, &peer)?;
        body.insert("acceptance_token".to_owned(), json!(token));
        body.insert("contract_version".to_owned(), json!(contract.version));
        body.insert("contract_digest".to_owned(), json!(contract.digest));
        body.insert("endpoints".to_owned(), own_endpoints(tx));
        let (name, pem) = (tx.policy.outbound.choose_credentials)(tx, &request);
        body.insert(name.to_owned(), json!(pem));
        body.insert("caller_inbound_subject".to_owned(), json!(peer.inbound_subject));
        (tx.policy.outbound.override_join)(&mut body);
        Ok((peer, contract, Value::Object(body)))
    })?;
    let mut called = call(platform, &peer, &Route::Accept, Some(&body), None).await?;
    let mut times = 1;
    while (platform.policy.outbound.repeats_join)(times, &called) {
        called = call(platform, &peer, &Route::Accept, Some(&body), None).await?;
        times += 1;
    }
    // The connection so far was anonymous.
    forget(platform, &peer.id);
    platform.transaction(|tx| conclude(tx, peer, &contract, request, &called))
}

/// Returns the member for a request that the peer signs, and its value.
pub(crate) fn signing_request(_: &Transaction<'_>, request: &SigningRequest) -> (&'static str, String) {
    ("csr_pem", request.pem().to_owned())
}

fn conclude(
    tx: &Transaction<'_>,
    mut peer: Peer,
    contract: &KnownContract,
    request: SigningRequest,
    called: &Called,
) -> Result<String, MethodError> {
    let data = called.data();
    let wrong = |text: String| MethodError::new(PEER_ANSWERED_WRONG, text);
    let answer = AcceptResponse::deserialize(&data)
        .map_err(|_| wrong(format!("the peer did not accept: {:?} {}", called.status, called.error())))?;
    let agreement = Agreement {
        asked: contract.version,
        asked_digest: contract.digest.clone(),
        agreed: answer.contract_version_agreed.clone().unwrap_or(Value::Null),
        agreed_digest: answer.contract_digest.clone().unwrap_or(Value::Null),
    };
    let is_same = (tx.policy.outbound.is_same_contract)(&agreement);
    if !is_same && !tx.policy.outbound.enrols_rejected_peers {
        return refuse_contract(tx, &peer, &agreement);
    }
    peer.remote_peer_id = Some(answer.peer_id.clone()).filter(|id| !id.is_empty());
    peering::store_introduction(&mut peer, &data);
    let theirs = peer.platform_version.as_deref().unwrap_or_default();
    if !(tx.policy.outbound.joins)(&release(tx)?, theirs) {
        return Err(MethodError::state(format!("the peer runs {theirs}")));
    }
    let certified = store_credentials(tx, &mut peer, &answer, request)?;
    let find_gaps = tx.policy.outbound.find_gaps.unwrap_or(tx.policy.handshake.find_gaps);
    let gaps = find_gaps(&peering::disclosed(&data));
    record_handshake(tx, &mut peer, contract, &gaps, certified)?;
    if is_same { Ok(peer.id) } else { refuse_contract(tx, &peer, &agreement) }
}

/// Refuses the contract. The row stays proposed, with the finding against the peer; nobody is enrolled. The
/// finding must outlive the refusal, so the refusal is a value and not an error inside the transaction.
fn refuse_contract(tx: &Transaction<'_>, peer: &Peer, agreement: &Agreement) -> Result<String, MethodError> {
    let suspicion = contract::mismatch(
        "the peer agreed to another contract than was asked for",
        Some(&agreement.agreed),
        Some(&agreement.agreed_digest),
    );
    governance::raise(tx, &peer.id, &suspicion)?;
    Ok(String::new())
}

/// Stores the identity that the peer issued to this platform, and the anchor to trust when it calls.
fn store_credentials(
    tx: &Transaction<'_>,
    peer: &mut Peer,
    answer: &AcceptResponse,
    request: SigningRequest,
) -> Result<bool, MethodError> {
    let wrong = |error: covenant_net::pki::PkiError| MethodError::new(PEER_ANSWERED_WRONG, error.to_string());
    let anchor = if let Some(certificate) = &answer.federation_certificate {
        let key = request.key_pem();
        // The key comes first: it is parsed as the first block, and the certificates as all blocks that
        // follow.
        let pem = format!("{key}\n{}\n{}", certificate.cert_pem, certificate.ca_chain_pem);
        request.into_identity(&certificate.cert_pem, &certificate.ca_chain_pem).map_err(wrong)?;
        peer.outbound_identity_pem = Some(pem);
        certificate.ca_chain_pem.clone()
    } else if let Some(exchange) = &answer.trust_exchange {
        peer.outbound_subject = Some(exchange.assigned_inbound_subject.clone());
        exchange.ca_bundle_pem.clone()
    } else {
        return Ok(false);
    };
    tx.keys.trust.add(&anchor_label(&peer.id), &anchor).map_err(wrong)?;
    peer.anchor_pem = Some(anchor);
    Ok(true)
}

/// Returns the newest contract version that is in force and not deprecated.
fn newest(tx: &Transaction<'_>) -> Result<KnownContract, MethodError> {
    let known = contract::known(tx)?;
    let is_in_force = |contract: &KnownContract| {
        let from = contract.effective_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
        (tx.policy.outbound.may_join_on)(contract) && from.is_none_or(|from| from <= tx.now)
    };
    let open = known.into_iter().rev().find(is_in_force);
    open.ok_or_else(|| MethodError::state("no contract version is open to new federations"))
}

/// Returns the method's result for a join.
pub(crate) fn joined(peer_id: &str) -> Result<Value, MethodError> {
    if peer_id.is_empty() {
        return Err(MethodError::new(
            OTHER_CONTRACT,
            "the peer agreed to another contract than was asked for",
        ));
    }
    Ok(json!({ "peer_id": peer_id }))
}
