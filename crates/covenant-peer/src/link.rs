//! Exchange of trust in accept: by a signed request, or by exchanged authorities.

use serde_json::{Value, json};

use super::permitted_choices::IdentityWay;
use super::{Peer, PeerError};
use covenant_model::wire::header::inbound_subject;
use covenant_model::with_causes;
use covenant_net::pki::SigningRequest;

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

    /// Stores the data of the target's response. If a member that the peer needs is missing or not valid, the peer has no
    /// id or no identity, and its next call shows that. Returns such a member, in words: what was expected, and what came.
    /// The form of any other member is no matter of the peer's.
    pub(super) fn conclude(self, peer: &Peer, data: &Value) -> Option<String> {
        let mut state = peer.state();
        state.begin_peering();
        let id = text(data, &["peer_id"]).and_then(|id| {
            let wanted = "an id of 1 to 128 visible ASCII characters";
            if is_an_id(id) { Ok(id) } else { Err(unexpected(&["peer_id"], wanted, &data["peer_id"])) }
        });
        if let Ok(id) = id {
            state.is_introduced = true;
            state.id_at_target = Some(id.to_owned());
        }
        let identity = match self {
            Self::Request(request) => {
                let of_certificate = |name| text(data, &["federation_certificate", name]);
                of_certificate("ca_chain_pem").and_then(|chain_pem| {
                    let _ = peer.0.trust.add("target", chain_pem);
                    state.target_bundle_pem = Some(chain_pem.to_owned());
                    let identity = request.into_identity(of_certificate("cert_pem")?, chain_pem);
                    identity.map_err(|error| format!("federation_certificate: {}", with_causes(&error)))
                })
            }
            Self::Exchange { .. } => {
                let of_exchange = |name| text(data, &["trust_exchange", name]);
                of_exchange("ca_bundle_pem").and_then(|bundle_pem| {
                    let _ = peer.0.trust.add("target", bundle_pem);
                    state.target_bundle_pem = Some(bundle_pem.to_owned());
                    let subject = of_exchange("assigned_inbound_subject")?;
                    let identity = peer.0.authority.leaf(subject, &[], CERTIFICATE_DAYS);
                    let of_subject = "trust_exchange.assigned_inbound_subject";
                    identity.map_err(|error| format!("{of_subject}: {}", with_causes(&error)))
                })
            }
        };
        let fault = id.err();
        match identity {
            Ok(identity) => {
                state.present(identity);
                fault
            }
            Err(of_identity) => fault.or(Some(of_identity)),
        }
    }
}

/// Returns the text at a path of members, or why there is none, in words.
fn text<'a>(data: &'a Value, path: &[&str]) -> Result<&'a str, String> {
    let mut at = data;
    for (depth, name) in path.iter().enumerate() {
        if !at.is_object() {
            return Err(unexpected(&path[..depth], "an object", at));
        }
        at = &at[*name];
    }
    at.as_str().ok_or_else(|| unexpected(path, "a text", at))
}

/// Describes a member of another form than the one that was expected.
fn unexpected(path: &[&str], wanted: &str, found: &Value) -> String {
    const CHARACTERS_MAX: usize = 60;
    let found = match found {
        Value::Null => "nothing".to_owned(),
        found => found.to_string(),
    };
    let found = match found.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &found[..end]),
        None => found,
    };
    let path = if path.is_empty() { "data".to_owned() } else { path.join(".") };
    format!("{path}: {wanted} was expected, found {found}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_another_form_is_named_with_what_was_expected_and_what_came() {
        let data = json!({
            "peer_id": 42,
            "trust_exchange": {"ca_bundle_pem": "pem"},
            "federation_certificate": ["cert"],
        });
        assert_eq!(text(&data, &["trust_exchange", "ca_bundle_pem"]), Ok("pem"));
        let fault = |path: &[&str]| text(&data, path).expect_err("no text");
        assert_eq!(fault(&["peer_id"]), "peer_id: a text was expected, found 42");
        assert_eq!(
            fault(&["trust_exchange", "assigned_inbound_subject"]),
            "trust_exchange.assigned_inbound_subject: a text was expected, found nothing"
        );
        assert_eq!(
            fault(&["federation_certificate", "cert_pem"]),
            "federation_certificate: an object was expected, found [\"cert\"]"
        );
        assert_eq!(text(&json!(7), &["peer_id"]), Err("data: an object was expected, found 7".to_owned()));
        let long = unexpected(&["peer_id"], "an id", &json!("é".repeat(200)));
        assert!(
            long.starts_with("peer_id: an id was expected, found \"éé") && long.ends_with("é…"),
            "{long}"
        );
    }
}
