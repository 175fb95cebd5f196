//! Headers of the federation plane (`wire.md` §3 to §5).

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

/// Form in which a caller's identity reaches the platform (`wire.md` §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerForm {
    /// Client certificate; the platform or the proxy before it terminates TLS.
    #[default]
    Tls,
    /// Headers that a proxy sets before a platform of generation G1.
    ForwardedG1,
    /// Headers that a proxy sets before a platform of generation G2 or later.
    Forwarded,
}

/// G1: header of the CN of the caller's certificate.
pub const FORWARDED_CN_G1: &str = "X-Client-S-DN-CN";
/// From G2 on: header of the caller's subject, percent-encoded.
pub const FORWARDED_INFO: &str = "X-Forwarded-Tls-Client-Cert-Info";
/// From G2 on: header of the caller's certificate, as percent-encoded PEM.
pub const FORWARDED_CERTIFICATE: &str = "X-Forwarded-Tls-Client-Cert";

/// Returns the headers that a proxy sets for this subject and certificate, before a platform of G2 or later.
#[must_use]
pub fn forwarded(subject: &str, certificate_pem: &str) -> Vec<(String, String)> {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    vec![
        (FORWARDED_INFO.to_lowercase(), encoded(&format!("Subject=\"CN={subject}\""))),
        (FORWARDED_CERTIFICATE.to_lowercase(), encoded(certificate_pem)),
    ]
}

/// Returns the headers that a proxy sets for the peer `peer_id`, before a platform of G1.
#[must_use]
pub fn forwarded_g1(peer_id: &str) -> Vec<(String, String)> {
    vec![(FORWARDED_CN_G1.to_lowercase(), format!("federation-peer-{peer_id}"))]
}

/// Returns the CN that a proxy forwards in this header; `None` if the header does not name the caller.
#[must_use]
pub fn forwarded_subject(name: &str, value: &str) -> Option<String> {
    let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    if name.eq_ignore_ascii_case(FORWARDED_CN_G1) {
        return Some(value.into_owned());
    }
    let (_, subject) = value.split_once("CN=").filter(|_| name.eq_ignore_ascii_case(FORWARDED_INFO))?;
    subject.split(['"', ',']).next().map(ToOwned::to_owned)
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

    #[test]
    fn what_a_proxy_forwards_reads_back() {
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB+/=\n-----END CERTIFICATE-----\n";
        let headers = forwarded("fed:0190", pem);
        assert_eq!(headers[0].1, "Subject%3D%22CN%3Dfed%3A0190%22");
        let subjects = |headers: &[(String, String)]| -> Vec<String> {
            headers.iter().filter_map(|(name, value)| forwarded_subject(name, value)).collect()
        };
        assert_eq!(subjects(&headers), ["fed:0190"]);
        assert_eq!(subjects(&forwarded_g1("0190")), ["federation-peer-0190"]);
        assert_eq!(forwarded_certificate(&headers[1].1).as_deref(), Some(pem));
        assert_eq!(forwarded_certificate(&format!("{},another", headers[1].1)).as_deref(), Some(pem));
    }
}
