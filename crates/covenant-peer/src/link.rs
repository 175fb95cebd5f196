//! Exchange of trust in accept: by a signed request, or by exchanged authorities.

use serde_json::{Value, json};

use super::permitted_choices::IdentityWay;
use super::{Peer, PeerError};
use covenant_model::wire::accept::AcceptResponse;
use covenant_model::wire::header::inbound_subject;
use covenant_net::pki::SigningRequest;
use serde::Deserialize;

/// Lifetime of a client certificate, in days. The observed lifetime is 90 days (`wire.md` §3). No route
/// renews the certificate, so it would expire when a scenario moves the clock by a year.
pub(super) const CERTIFICATE_DAYS: u32 = 730;

/// Caller's half of an accept.
pub(super) enum Introduction {
    Request(SigningRequest),
    Exchange { ca_bundle_pem: String, inbound_subject: String },
}

impl Introduction {
    pub(super) fn new(peer: &Peer) -> Result<Self, PeerError> {
        match peer.0.options.permitted_choices.identity {
            IdentityWay::SignedRequest => SigningRequest::new(peer.name())
                .map(Self::Request)
                .map_err(|source| PeerError::Keys { name: peer.name().to_owned(), source }),
            IdentityWay::ExchangedTrust => {
                let inbound_subject = inbound_subject(&peer.state().target_row);
                Ok(Self::Exchange { ca_bundle_pem: peer.ca_bundle_pem().to_owned(), inbound_subject })
            }
        }
    }

    /// Returns the members of the request.
    pub(super) fn members(&self) -> Value {
        match self {
            Self::Request(request) => json!({"csr_pem": request.pem()}),
            Self::Exchange { ca_bundle_pem, inbound_subject } => {
                json!({"peer_ca_bundle_pem": ca_bundle_pem, "caller_inbound_subject": inbound_subject})
            }
        }
    }

    /// Stores the data of the target's response. If a member is missing or not valid, the peer has no
    /// identity, and its next call shows that.
    pub(super) fn conclude(self, peer: &Peer, data: &Value) {
        let Ok(answer) = AcceptResponse::deserialize(data) else { return };
        let mut state = peer.state();
        state.begin_peering();
        if is_an_id(&answer.peer_id) {
            state.is_introduced = true;
            state.id_at_target = Some(answer.peer_id.clone());
        }
        match self {
            Self::Request(request) => {
                let Some(certificate) = answer.federation_certificate else { return };
                let _ = peer.0.trust.add("target", &certificate.ca_chain_pem);
                state.target_bundle_pem = Some(certificate.ca_chain_pem.clone());
                if let Ok(identity) = request.into_identity(&certificate.cert_pem, &certificate.ca_chain_pem)
                {
                    state.present(identity);
                }
            }
            Self::Exchange { .. } => {
                let Some(exchange) = answer.trust_exchange else { return };
                let _ = peer.0.trust.add("target", &exchange.ca_bundle_pem);
                state.target_bundle_pem = Some(exchange.ca_bundle_pem.clone());
                let subject = exchange.assigned_inbound_subject;
                if let Ok(identity) = peer.0.authority.leaf(&subject, &[], CERTIFICATE_DAYS) {
                    state.present(identity);
                }
            }
        }
    }
}

/// Returns whether a text is valid in a path, a header and a certificate. Without a valid id in the response,
/// the peer has no row.
fn is_an_id(text: &str) -> bool {
    const CHARACTERS_MAX: usize = 128;
    let is_plain = |character: char| character.is_ascii_graphic();
    !text.is_empty() && text.len() <= CHARACTERS_MAX && text.chars().all(is_plain)
}

/// Returns the members of a response to the target's accept: the half of the called side.
pub(super) fn response_members(peer: &Peer, request: &Value) -> Value {
    let row = peer.state().target_row.clone();
    let subject = inbound_subject(&row);
    let their_subject = request["caller_inbound_subject"].as_str().map(ToOwned::to_owned);
    let their_id = their_subject.as_deref().and_then(|subject| subject.strip_prefix("fed:"));
    if let Some(id) = their_id.filter(|id| is_an_id(id)) {
        let mut state = peer.state();
        state.id_at_target = Some(id.to_owned());
        state.is_introduced = true;
    }
    let call_back_as = their_subject.unwrap_or_else(|| subject.clone());
    if let Ok(identity) = peer.0.authority.leaf(&call_back_as, &[], CERTIFICATE_DAYS) {
        peer.state().present(identity);
    }
    if let Some(csr) = request["csr_pem"].as_str() {
        return match peer.0.authority.sign_request(csr, &subject, CERTIFICATE_DAYS) {
            Ok(certificate) => {
                peer.state().is_introduced = true;
                json!({"federation_certificate": {
                    "cert_pem": certificate.pem(),
                    "ca_chain_pem": peer.0.authority.pem(),
                    "serial": certificate.serial,
                    "not_after": certificate.not_after.to_string(),
                }})
            }
            Err(_) => json!({"warnings": ["the certificate request could not be signed"]}),
        };
    }
    if let Some(bundle) = request["peer_ca_bundle_pem"].as_str() {
        let is_an_authority = peer.0.trust.add("target", bundle).is_ok();
        peer.state().is_introduced |= is_an_authority;
        return json!({"trust_exchange": {
            "ca_bundle_pem": peer.0.authority.pem(),
            "assigned_inbound_subject": subject,
        }});
    }
    json!({})
}
