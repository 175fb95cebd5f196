//! Headers of the federation plane (`wire.md` §3 to §5). Those of a proxy are in [`super::generation`].

use super::generation::GENERATIONS;

/// Header of the grant token: `Authorization: Bearer <grant token>`.
pub const AUTHORIZATION: &str = "Authorization";
/// Header of the calling node instance. The receiver checks it against the grant's `node_instance_ids`.
pub const CALLING_INSTANCE: &str = "X-Calling-Instance";
/// Header of the overlay network of the call. The receiver checks it against the grant's `sdwan_network_ids`.
pub const SDWAN_NETWORK: &str = "X-Sdwan-Network";
/// Header of the seconds to wait, sent with a 429.
pub const RETRY_AFTER: &str = "Retry-After";

/// Returns the value of `Authorization` for a bearer token.
#[must_use]
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Returns the token in a value of `Authorization`. The scheme may be in any case.
#[must_use]
pub fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns the `User-Agent` of a platform that calls as the peer `peer_id` (the row that the receiver keeps).
#[must_use]
pub fn user_agent(peer_id: &str) -> String {
    format!("Powernode-FederationClient/1.0 (peer-id:{peer_id})")
}

/// Returns the CN of a peer's client certificate: `fed:<id of the row that the receiver keeps>`.
#[must_use]
pub fn inbound_subject(peer_id: &str) -> String {
    format!("fed:{peer_id}")
}

/// Header of the caller's certificate, as percent-encoded PEM (from G2 on).
pub const FORWARDED_CERTIFICATE: &str = "X-Forwarded-Tls-Client-Cert";

/// Returns the CN that a proxy forwards in this header; `None` if the header does not name the caller.
#[must_use]
pub fn forwarded_subject(name: &str, value: &str) -> Option<String> {
    GENERATIONS.iter().find_map(|generation| (generation.forwarded.subject)(name, value))
}

/// Returns the first certificate in a value of [`FORWARDED_CERTIFICATE`], as PEM.
#[must_use]
pub fn forwarded_certificate(value: &str) -> Option<String> {
    let first = value.split(',').next()?;
    percent_encoding::percent_decode_str(first).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::generation::{G1, G2, ProxiedCaller};

    #[test]
    fn what_any_proxy_forwards_reads_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n";
        let certificate = Some(("fed:0190".to_owned(), pem.to_owned()));
        let caller = ProxiedCaller { peer_id: Some("0190".to_owned()), certificate };
        let headers = (G2.forwarded.headers)(&caller);
        assert_eq!(headers[0].1, "Subject%3D%22CN%3Dfed%3A0190%22");
        let subjects = |headers: &[(String, String)]| -> Vec<String> {
            headers.iter().filter_map(|(name, value)| forwarded_subject(name, value)).collect()
        };
        assert_eq!(subjects(&headers), ["fed:0190"]);
        assert_eq!(subjects(&(G1.forwarded.headers)(&caller)), ["federation-peer-0190"]);
        assert_eq!(forwarded_certificate(&headers[1].1).as_deref(), Some(pem));
        assert_eq!(forwarded_certificate(&format!("{},another", headers[1].1)).as_deref(), Some(pem));
    }
}
